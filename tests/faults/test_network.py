"""Nothing of ours reaches beyond this machine, or can be reached from beyond it."""

import itertools
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Figure
from tests.faults.editor import Editor, copy_of_the_model, engine_of
from tests.faults.forms import forms
from tests.lsp.raw_client import PATIENCE_S, STAND_IN, frame

linux = pytest.mark.skipif(sys.platform != "linux", reason="strace and network namespaces are Linux's")
FIMSERVER = (sys.executable, "-m", "fimserver")

# Calls that name an address family, and the families in them.
FAMILY = re.compile(r"\b(?:socket|connect|bind|sendto|sendmsg|accept4?)\(.*?\b(AF_\w+|PF_\w+)")
STRACE = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=network")


def families(trace: Path) -> set[str]:
    return set(FAMILY.findall(trace.read_text(errors="replace")))


def edited(home: Path, command: tuple[str, ...], keys: int) -> None:
    """Type so many keys, with a suggestion asked for at each, and leave; the engine ends by itself soon after."""
    chance = random.Random(keys)
    settings = {"model": {"completion": str(copy_of_the_model(home))}, "engine": {"idle_s": 1, "threads": 1}}
    with Editor(home, command, **settings) as editor:
        editor.suggestion_at_last()
        for _ in range(keys):
            editor.edit(chance)
            editor.suggestion()
        editor.request("end", "shutdown")
        editor.send({"method": "exit"})
        assert editor.process.wait(PATIENCE_S + 20) == 0  # strace ends with the last process it follows


@linux
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("keys", forms(10, 10_000, 3600))
def test_editing_opens_no_socket_but_unix_ones(home: Path, keys: int, figure: Figure) -> None:
    trace = home / "trace"
    edited(home, (*STRACE, "-o", str(trace), *FIMSERVER, "serve"), keys)
    assert "listen(" in trace.read_text(), "the engine was followed too"
    found = families(trace)
    assert found == {"AF_UNIX"}
    figure("keys", keys)
    figure("other address families", len(found - {"AF_UNIX"}))


@linux
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_what_that_looks_for_is_seen_where_it_is(home: Path) -> None:
    opens = (sys.executable, "-c", "import socket; socket.socket().connect_ex(('127.0.0.1', 9))")
    subprocess.run([*STRACE, "-o", str(home / "trace"), *opens], check=True)
    assert families(home / "trace") == {"AF_INET"}


@linux
@pytest.mark.soak
def test_it_works_in_a_network_namespace_without_interfaces(home: Path) -> None:
    alone = ("unshare", "--net", "--map-root-user")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make network namespaces")
    edited(home, (*alone, *FIMSERVER, "serve"), 5)


@linux
def test_nobody_listens_and_the_engine_cannot_even_try(home: Path) -> None:
    with Editor(home, (*FIMSERVER, "serve"), model={"completion": str(copy_of_the_model(home))}) as editor:
        assert editor.suggestion_at_last()
        engine = engine_of(home)
        assert engine is not None
        for process in (editor.process.pid, engine):
            assert psutil.Process(process).net_connections(kind="inet") == []
        status = Path(f"/proc/{engine}/status").read_text()
        assert re.search(r"NoNewPrivs:\t1", status)
        assert re.search(r"Seccomp:\t2", status), "the kernel filters the engine's system calls"
        for folder in (home / "run", home / "state"):
            assert folder.stat().st_mode & 0o777 == 0o700
            assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


HARDENED = """
import ctypes, errno, socket, subprocess, sys
from fimserver.engine.hardening import harden
harden()
def attempt(family):
    try:
        socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "ok"
libc = ctypes.CDLL(None, use_errno=True)
def call(*numbers):
    return "ok" if libc.syscall(*numbers) >= 0 else errno.errorcode[ctypes.get_errno()]
numbers = {"x86_64": (425, 101, 0x40000000 + 41), "aarch64": (425, 117, 425)}[__import__("platform").machine()]
print(*(attempt(family) for family in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET")))
print(*(call(number, 0, 0, 0, 0) for number in numbers))
child = [sys.executable, "-c", "import socket; socket.socket()"]
print(subprocess.run(child, capture_output=True).stderr.decode().strip().splitlines()[-1])
"""


@linux
def test_a_hardened_process_and_all_it_starts_have_no_network() -> None:
    done = subprocess.run([sys.executable, "-c", HARDENED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "ok EACCES EACCES EACCES EACCES",
        "EACCES EACCES EACCES",
        "PermissionError: [Errno 13] Permission denied",
    ]


# The one port there can be is that of `serve --tcp`, for debugging. A web page can make a browser send this to it.

METHODS = ("GET", "POST", "PUT", "OPTIONS", "HEAD")
ORIGINS = ("https://example.com", "null")
KINDS = ("application/json", "text/plain")
HOSTS = ("127.0.0.1", "attacker.example")
BODY = frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}).partition(
    b"\r\n\r\n"
)[2]


def test_no_web_page_can_talk_to_the_debugging_port(tmp_path: Path, figure: Figure) -> None:
    environment = {**os.environ, "FIMSERVER_HOME": str(tmp_path)}
    with subprocess.Popen([*STAND_IN, "0"], stderr=subprocess.PIPE, env=environment) as server:
        assert server.stderr is not None
        port = int(server.stderr.readline().rpartition(b":")[2])
        requests = list(itertools.product(METHODS, ORIGINS, KINDS, HOSTS))
        for method, origin, kind, host in requests:
            head = f"{method} / HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nContent-Type: {kind}\r\n"
            request = head.encode() + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
            assert answer_to(port, request) == b""
        figure("requests refused", len(requests))
        assert answer_to(port, frame(BODY) + frame({"jsonrpc": "2.0", "method": "exit"})).startswith(
            b"Content-Length: "
        )
        assert server.wait(PATIENCE_S) == 1


def answer_to(port: int, data: bytes) -> bytes:
    """Return all that comes back until the line is closed."""
    received = b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(data)
        try:
            while more := connection.recv(65536):
                received += more
        except ConnectionError:
            pass
    return received
