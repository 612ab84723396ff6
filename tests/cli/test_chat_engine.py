"""The chat model has an engine of its own, started on first use and only where the completion model keeps its room."""

from pathlib import Path

import pytest

from fimserver.bench.gguf_file import TensorToWrite, header_bytes
from fimserver.cli.engines import loaded_model, new_engine
from fimserver.engine.client import EngineClient
from fimserver.errors import ModelMissing, ModelTooLarge
from fimserver.models.store import embedded_model
from fimserver.settings import EngineSettings, ModelSettings, Settings

TERABYTES = 4 * 10**12


def settings(chat: str) -> Settings:
    return Settings(model=ModelSettings(chat=chat), engine=EngineSettings(idle_s=1))


async def test_a_chat_model_that_does_not_fit_is_refused_and_the_completion_model_goes_on(tmp_path: Path) -> None:
    huge = tmp_path / "huge.gguf"
    tensor = TensorToWrite("t", (TERABYTES // 4,), "F32", list)
    huge.write_bytes(header_bytes({"general.architecture": "llama"}, [tensor]))
    with huge.open("r+b") as file:
        file.truncate(huge.stat().st_size + TERABYTES)
    completion, chat = new_engine(settings(str(huge))), new_engine(settings(str(huge)), chat=True)
    facts = await loaded_model(completion)
    with pytest.raises(ModelTooLarge, match=r"huge\.gguf needs 4000\.\d+ GB of memory"):
        await chat.describe()
    assert (await completion.describe()).path == facts.path == str(embedded_model())
    for engine in (completion, chat):
        await engine.close()


async def test_one_model_for_both_is_one_engine() -> None:
    both = settings(str(embedded_model()))
    completion, chat = new_engine(both), new_engine(both, chat=True)
    await loaded_model(completion)
    await loaded_model(chat)
    assert isinstance(chat, EngineClient)
    assert (await chat.ask_status()).clients == 2
    for engine in (completion, chat):
        await engine.close()


async def test_without_a_choice_the_command_that_makes_one_is_named() -> None:
    with pytest.raises(ModelMissing, match="fimserver use --chat"):
        await new_engine(Settings(), chat=True).describe()
