"""The lock: one owner at a time, none when it has died."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fimserver.engine import lock

HOLD = "import sys, pathlib, time; from fimserver.engine import lock; held = lock.try_lock(pathlib.Path(sys.argv[1])); \
lock.sign(held, __import__('os').getpid()); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.lock"


def holder(path: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_lock_that_is_held_cannot_be_taken(path: Path) -> None:
    with holder(path) as process:
        assert lock.try_lock(path) is None
        assert lock.owner(path) == process.pid


def test_a_lock_is_free_once_its_owner_was_killed(path: Path) -> None:
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
    held = lock.try_lock(path)
    assert held is not None
    lock.remove(path, held)


def test_nobody_owns_a_lock_whose_owner_was_killed(path: Path) -> None:
    with holder(path) as process:
        process.send_signal(signal.SIGKILL)
    assert lock.owner(path) is None
    assert not path.exists()


def test_nobody_owns_what_is_not_there(path: Path) -> None:
    assert lock.owner(path) is None
    assert not path.exists()


def test_a_lock_is_private(path: Path) -> None:
    held = lock.try_lock(path)
    assert held is not None
    assert path.stat().st_mode & 0o777 == 0o600
    lock.remove(path, held)
    assert not path.exists()


def test_a_lock_on_a_file_that_was_removed_is_no_lock(path: Path) -> None:
    first = lock.try_lock(path)
    assert first is not None
    path.unlink()
    second = lock.try_lock(path)
    assert second is not None
    assert not lock.is_at(path, first)
    assert lock.is_at(path, second)
    lock.remove(path, first)
    assert lock.is_at(path, second), "the one who lost the place takes nothing away"
    lock.remove(path, second)


def test_a_child_that_inherits_the_lock_holds_it_when_its_parent_has_let_go(path: Path) -> None:
    held = lock.try_lock(path)
    assert held is not None
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(held,)
    ) as child:
        os.close(held)
        assert lock.try_lock(path) is None
        child.communicate(b"")
    assert lock.try_lock(path) is not None


def test_a_link_in_the_place_of_the_lock_is_refused_and_its_target_untouched(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("text")
    path.symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"):
        lock.try_lock(path)
    assert target.read_text() == "text"


def test_a_signature_that_is_no_number_names_nobody(path: Path) -> None:
    held = lock.try_lock(path)
    assert held is not None
    os.write(held, b"not a number")
    assert lock.owner(path) is None
    lock.sign(held, 7)
    assert lock.owner(path) == 7
    lock.sign(held, 0)
    assert lock.owner(path) is None
    lock.remove(path, held)
