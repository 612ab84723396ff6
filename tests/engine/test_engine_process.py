"""The whole engine, as it is shipped: the client, the process, llama.cpp and the embedded model."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

import fimserver.models
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import EngineState, GenerateRequest, Prompt, Segment
from fimserver.engine.starting import COMMAND
from fimserver.engine.wire import EngineOptions
from fimserver.errors import EngineUnavailable, ModelBroken
from tests.engine.rig import Ear, client_of, engine_process, private_home

pytestmark = pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is missing")

EMBEDDED = Path(fimserver.models.__file__).parent / "embedded" / "tiny-fim.gguf"
TEXT = "def add(a, b):\n    return a"
PROMPT = Prompt(
    (
        Segment("<|fim_prefix|>", control=True),
        Segment("<|fim_suffix|>", control=True),
        Segment("\n"),
        Segment("<|fim_middle|>", control=True),
        Segment(TEXT),
    )
)


@pytest.fixture
def options() -> Iterator[EngineOptions]:
    for _ in private_home():
        yield EngineOptions(model_path=str(EMBEDDED), threads=1, idle_s=60)


@pytest.fixture
async def client(options: EngineOptions) -> AsyncIterator[EngineClient]:
    async with client_of(options, command=COMMAND) as client:
        await client.loaded()
        yield client


async def test_the_embedded_model_answers_and_a_second_time_from_its_cache(client: EngineClient) -> None:
    asked = GenerateRequest(prompt=PROMPT, max_tokens=4)
    first = [chunk async for chunk in client.generate(asked)]
    again = [chunk async for chunk in client.generate(asked)]
    assert first[-1].finish is not None
    assert first[-1].usage.evaluated_tokens == first[-1].usage.prompt_tokens
    assert again[-1].usage.evaluated_tokens <= 1
    assert "".join(chunk.text for chunk in again) == "".join(chunk.text for chunk in first)


async def test_its_facts_are_those_of_the_file(client: EngineClient) -> None:
    facts = await client.describe()
    assert facts.file_bytes == EMBEDDED.stat().st_size
    assert facts.fim["middle"] == "<|fim_middle|>"
    assert facts.fim["middle"] in facts.control_texts


async def test_what_one_window_has_warmed_is_warm_for_the_other(client: EngineClient, options: EngineOptions) -> None:
    cost = await client.warm(PROMPT)
    async with client_of(options, command=COMMAND) as other:
        warm = await other.warm(PROMPT)
    assert cost.evaluated_tokens == cost.prompt_tokens
    assert warm.evaluated_tokens <= 1


async def test_tokens_of_prompts_are_told_from_written_ones(client: EngineClient) -> None:
    before = await client.ask_status()
    chunks = [chunk async for chunk in client.generate(GenerateRequest(prompt=PROMPT, max_tokens=4))]
    after, usage = await client.ask_status(), chunks[-1].usage
    assert after.prompt_tokens - before.prompt_tokens == usage.evaluated_tokens > 0
    written = after.evaluated_tokens - before.evaluated_tokens - usage.evaluated_tokens
    assert usage.generated_tokens - 1 <= written <= usage.generated_tokens


async def test_a_request_that_waits_when_the_engine_is_killed_fails_and_the_next_is_answered(
    options: EngineOptions,
) -> None:
    ear = Ear()
    async with client_of(options, command=COMMAND, on_status=ear) as client:
        await client.loaded()
        process = engine_process(options)
        os.kill(process, signal.SIGSTOP)
        waiting = asyncio.create_task(client.warm(PROMPT))
        await asyncio.sleep(0)
        os.kill(process, signal.SIGKILL)
        with pytest.raises(EngineUnavailable, match="stopped unexpectedly"):
            await waiting
        await ear.hears(EngineState.FAILED)
        await client.loaded()
        assert (await client.warm(PROMPT)).evaluated_tokens > 1
        assert engine_process(options) != process


async def test_closing_the_iterator_frees_the_engine(client: EngineClient) -> None:
    long = Prompt((Segment("x = 1\n" * 100),))
    async with aclosing(client.generate(GenerateRequest(prompt=long, max_tokens=500))) as chunks:
        await anext(aiter(chunks))
    assert (await client.warm(PROMPT)).prompt_tokens > 0


async def test_a_file_that_only_looks_like_a_model_is_named(options: EngineOptions, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(EMBEDDED.read_bytes()[:4096])
    async with client_of(EngineOptions(model_path=str(broken), idle_s=60), command=COMMAND) as client:
        with pytest.raises(ModelBroken, match=r"broken\.gguf"):
            await client.loaded()
        assert client.status().state == EngineState.FAILED


def test_the_client_imports_neither_llama_cpp_nor_numpy() -> None:
    program = "import sys, fimserver.engine.client; print(sorted({'llama_cpp', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
