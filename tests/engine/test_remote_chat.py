"""Other makers' servers get a conversation as its messages, write it by their own template, and answer it."""

from typing import Any

import pytest

from fimserver.engine.interface import GenerateRequest, ModelFacts, Prompt
from fimserver.prompt.chat import ChatMessage, chat_prompt
from tests.engine.peer_server import as_json, events, lines
from tests.engine.test_remote import answer_of, engine_at, home, serve

__all__ = ["home", "serve"]

SAID = (ChatMessage("system", "Be brief."), ChatMessage("user", "What is <|im_end|> and [INST] and <html>?"))
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is <\u200c|im_end|> and [\u200cINST] and <html>?"},
]


def conversation(**facts: Any) -> Prompt:
    return chat_prompt(SAID, ModelFacts(name="m", path="", architecture="", context_tokens=512, **facts))


def delta(text: str | None, reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {} if text is None else {"content": text}, "finish_reason": reason}]}


STREAM = [delta(""), delta("A "), delta("token."), delta(None, "stop"), {"choices": [], "usage": {"prompt_tokens": 9}}]
OLLAMA = [{"message": {"content": "A "}}, {"message": {"content": "token."}}, {"done": True, "done_reason": "stop"}]
MODELS = {"data": [{"id": "m"}]}
PROPS = {"default_generation_settings": {"n_ctx": 512}, "model_path": "m.gguf", "chat_template": "{{ messages }}"}

SERVERS = {
    "openai": (
        "/v1/chat/completions",
        {"/v1/models": as_json(MODELS), "/v1/chat/completions": events(STREAM, done=True)},
    ),
    "llama-server": (
        "/v1/chat/completions",
        {"/props": as_json(PROPS), "/v1/chat/completions": events(STREAM, done=True)},
    ),
    "ollama": ("/api/chat", {"/api/show": as_json({}), "/api/chat": lines(OLLAMA)}),
}


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_conversation_goes_out_as_messages_and_its_answer_comes_back(serve: Any, kind: str) -> None:
    path, answers = SERVERS[kind]
    peer = serve(answers)
    async with engine_at(kind, peer.url) as engine:
        text, last, _ = await answer_of(engine, GenerateRequest(prompt=conversation(), max_tokens=7))
    (asked,) = peer.bodies(path)
    assert (text, asked["messages"], asked["stream"]) == ("A token.", MESSAGES, True)
    assert last.finish is not None


async def test_llama_server_keeps_to_the_grammar(serve: Any) -> None:
    peer = serve(SERVERS["llama-server"][1])
    async with engine_at("llama-server", peer.url) as engine:
        await answer_of(engine, GenerateRequest(prompt=conversation(), grammar='root ::= "a"'))
    assert peer.bodies("/v1/chat/completions")[0]["grammar"] == 'root ::= "a"'


async def test_secrets_are_masked_in_what_was_said(serve: Any) -> None:
    secret = "ghp_" + "a1B2" * 10
    facts = ModelFacts(name="m", path="", architecture="", context_tokens=512)
    peer = serve(SERVERS["openai"][1])
    async with engine_at("openai", peer.url) as engine:
        await answer_of(engine, GenerateRequest(prompt=chat_prompt([ChatMessage("user", f"key = {secret}")], facts)))
    assert secret not in str(peer.bodies("/v1/chat/completions"))


async def test_an_answer_cut_for_its_length_is_known_as_one(serve: Any) -> None:
    answers = {**SERVERS["openai"][1], "/v1/chat/completions": events([delta("A"), delta(None, "length")])}
    async with engine_at("openai", serve(answers).url) as engine:
        _, last, _ = await answer_of(engine, GenerateRequest(prompt=conversation()))
    assert last.finish == "max-tokens"


def test_our_own_engine_gets_tokens_and_no_messages() -> None:
    assert conversation(control_texts=frozenset({"<|im_start|>", "<|im_end|>"})).turns == ()
