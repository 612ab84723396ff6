"""Which model chats: the one of the settings, one named for a command, or none, and then at once what mends that."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fimserver.cli.chat_model import chat_engine
from fimserver.cli.choice import choose
from fimserver.cli.engines import USUAL_CHAT_MODEL, NoEngine, new_engine
from fimserver.engine.client import EngineClient
from fimserver.engine.fake import ScriptedEngine
from fimserver.errors import ModelMissing
from fimserver.models.catalogue import choice_named
from fimserver.settings import EngineSettings, ModelSettings, Settings
from tests.cli import commands
from tests.engine.peer_server import PeerServer, as_json


def test_without_a_chat_model_one_sentence_says_what_mends_it() -> None:
    engine = new_engine(Settings(), chat=True)
    with pytest.raises(ModelMissing, match=f"fimserver pull {USUAL_CHAT_MODEL} && fimserver use --chat"):
        asyncio.run(engine.describe())


def test_the_model_it_names_can_be_had_chats_and_may_be_used_by_anyone() -> None:
    model = choice_named(USUAL_CHAT_MODEL).model
    assert ("chat" in model.uses, model.commercial) == (True, "yes")


def test_a_chat_model_has_an_engine_of_its_own() -> None:
    settings = Settings(model=ModelSettings(chat="embedded"))
    assert isinstance(new_engine(settings, chat=True), EngineClient)


def test_a_chat_model_that_is_not_installed_is_named_with_its_pull_line() -> None:
    engine = new_engine(Settings(model=ModelSettings(chat=USUAL_CHAT_MODEL)), chat=True)
    assert isinstance(engine, NoEngine)
    assert f"fimserver pull {USUAL_CHAT_MODEL}" in engine.status().message


@pytest.mark.parametrize(("chat", "asked"), [("", "base"), ("talker", "talker")], ids=["its one model", "another"])
def test_a_server_chats_with_the_model_it_has_for_it(chat: str, asked: str) -> None:
    async def body() -> None:
        with PeerServer({"/api/show": as_json({})}) as peer:
            server = EngineSettings(kind="ollama", url=peer.url, remote_model="base")
            engine = new_engine(Settings(engine=server, model=ModelSettings(chat=chat)), chat=True)
            assert (await engine.describe()).name == asked
            await engine.close()

    asyncio.run(body())


def test_a_script_chats_too(tmp_path: Path) -> None:
    choice = choose(engine=commands.script(tmp_path, {"text": "Hello."}))
    assert isinstance(chat_engine(choice, None), ScriptedEngine)


def test_a_model_named_for_one_command_goes_before_the_settings(tmp_path: Path) -> None:
    choice = replace(choose(), settings=Settings(model=ModelSettings(chat="embedded")))
    assert "none.gguf" in chat_engine(choice, str(tmp_path / "none.gguf")).status().message


def test_the_embedded_model_can_be_chosen_to_try_the_machinery() -> None:
    assert commands.run("use", "--chat", "embedded").code == 0
    assert choose().settings.model.chat == "embedded"
