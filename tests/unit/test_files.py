"""Where our own files live: a folder that is not the user's own is never used."""

import sys
from pathlib import Path

import pytest

from fimserver.errors import EngineMissing, RuntimeFolderUnsafe
from fimserver.files import private_folder, rewrite, runtime_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and links are POSIX's")


def test_a_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "above" / "own")
    assert [path.stat().st_mode & 0o777 for path in (folder.parent, folder)] == [0o700, 0o700]


def test_a_folder_that_others_may_enter_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert private_folder(tmp_path / "open").stat().st_mode & 0o777 == 0o700


def test_a_link_in_its_place_is_refused_with_what_helps(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RuntimeFolderUnsafe, match="Remove it, or set FIMSERVER_HOME"):
        private_folder(tmp_path / "run")


def test_a_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", "/dev/null")
    with pytest.raises(RuntimeFolderUnsafe, match="cannot be used"):
        runtime_folder()


def test_without_llama_cpp_the_engine_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    monkeypatch.delitem(sys.modules, "fimserver.engine.native", raising=False)
    with pytest.raises(EngineMissing, match=r"pip install 'fimserver\[llama\]'"):
        __import__("fimserver.engine.native")


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links")
def test_a_users_file_that_is_rewritten_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    file, link = tmp_path / "source.py", tmp_path / "link.py"
    file.write_text("old")
    file.chmod(0o750)
    link.symlink_to(file)
    rewrite(link, "new\r\n")
    assert (file.read_bytes(), file.stat().st_mode & 0o777, link.is_symlink()) == (b"new\r\n", 0o750, True)


@pytest.mark.skipif(sys.platform == "win32", reason="another error there")
def test_what_cannot_be_rewritten_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "folder" / "kept").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        rewrite(tmp_path / "folder", "text")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "kept"]
