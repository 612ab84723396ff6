"""Real servers of other makers, with the embedded model: run where they are at hand.

llama-cpp-python's server needs `pip install 'llama-cpp-python[server]'`; llama-server is taken from
FIMSERVER_LLAMA_SERVER (llama.cpp builds it: cmake --build build --target llama-server).
"""

import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import httpx2
import pytest

from fimserver.engine.interface import Chunk, Finish, GenerateRequest
from fimserver.engine.remote import RemoteEngine
from fimserver.models.store import embedded_model
from fimserver.prompt.fim import fim_prompt
from fimserver.prompt.profile import profile_for
from fimserver.settings import EngineSettings
from fimserver.values import Anchor

# The server, without repacked weights: on processors with AMX llama.cpp's repacked kernels crash in this release.
_PYTHON_SERVER = """
from llama_cpp import llama_cpp
usual = llama_cpp.llama_model_default_params
def params():
    made = usual()
    made.use_extra_bufts = False
    return made
llama_cpp.llama_model_default_params = params
from llama_cpp.server.__main__ import main
main()
"""
_HAS_PYTHON_SERVER = all(map(importlib.util.find_spec, ("fastapi", "uvicorn", "sse_starlette", "starlette_context")))
_LLAMA_SERVER = os.environ.get("FIMSERVER_LLAMA_SERVER", "")

# Threads that wait for each other spin; on a machine that is busy a batch then takes seconds.
_ONE_THREAD = ("--n_threads", "1", "--n_threads_batch", "1")

PEERS = [
    pytest.param(
        "openai",
        [sys.executable, "-c", _PYTHON_SERVER, "--n_ctx", "1024", *_ONE_THREAD],
        marks=pytest.mark.skipif(not _HAS_PYTHON_SERVER, reason="llama-cpp-python[server] is not installed"),
        id="llama-cpp-python's server",
    ),
    pytest.param(
        "llama-server",
        [_LLAMA_SERVER, "--ctx-size", "1024", "--parallel", "1", "--no-repack", "--threads", "1"],
        marks=pytest.mark.skipif(not _LLAMA_SERVER, reason="FIMSERVER_LLAMA_SERVER names no llama-server"),
        id="llama-server",
    ),
]

PREFIX, SUFFIX = "import os\n\n\ndef size(path: str) -> int:\n", "\n\n\nprint(size('.'))\n"


@contextmanager
def running(command: list[str], log: Path) -> Iterator[str]:
    """Run a server on a free port until it answers; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    arguments = ["--model", str(embedded_model()), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output, subprocess.Popen([*command, *arguments], stdout=output, stderr=output) as process:
        try:
            wait_for(f"{url}/v1/models", process, log)
            yield url
        finally:
            process.terminate()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        try:
            if httpx2.get(url, trust_env=False).is_success:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} never answered")


@pytest.mark.parametrize(("kind", "command"), PEERS)
@pytest.mark.timeout(180)
async def test_the_embedded_model_answers_key_by_key(
    kind: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running(command, tmp_path / "server.log") as url:
        engine = RemoteEngine(EngineSettings(kind=kind, url=url, context_tokens=1024), {})
        facts = await engine.describe()
        profile = profile_for(facts)
        assert profile.id == "tiny-fim"
        anchor = Anchor("file:///main.py", len(PREFIX), 0, PREFIX, SUFFIX, len(SUFFIX))
        answers, usages = [], []
        for typed in ("    return os.", "    return os.p", "    return os.pa"):
            prompt = fim_prompt(anchor, typed, [], profile, path="", repository="")
            request = GenerateRequest(prompt=prompt, max_tokens=24, stop_texts=("\n",))
            async with aclosing(engine.generate(request)) as answer:
                chunks: list[Chunk] = [chunk async for chunk in answer]
            answers.append("".join(chunk.text for chunk in chunks))
            assert chunks[-1].finish in (Finish.STOP_TEXT, Finish.MAX_TOKENS, Finish.END_OF_TEXT)
            usages.append(chunks[-1].usage)
        await engine.close()
        assert answers[0]
        assert usages[0].first_token_ms is not None
        if kind == "llama-server":  # which tells what it evaluated: after the first key, what was typed
            assert usages[0].prompt_tokens > 20
            assert [1 <= usage.evaluated_tokens <= 3 for usage in usages[1:]] == [True, True]
