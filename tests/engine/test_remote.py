"""Other makers' servers as engines: what they are asked, what is made of their answers, and each way they fail."""

import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fimserver.engine.address import api_key, checked_url
from fimserver.engine.interface import Chunk, EngineState, EngineStatus, Finish, GenerateRequest, Keep, Prompt, Segment
from fimserver.engine.remote import RemoteEngine
from fimserver.errors import EngineError, EngineLoading, EngineRefused, EngineUnavailable, SettingsError
from fimserver.settings import EngineSettings
from tests.engine.peer_server import (
    Answer,
    PeerServer,
    as_json,
    endless,
    events,
    first_then_silence,
    in_turn,
    lines,
    redirect,
    web_page,
)

PROMPT = Prompt(
    (
        Segment("<s>", control=True),
        Segment("<PRE>", control=True),
        Segment("def f():\n", keep=Keep.TAIL),
        Segment("<SUF>", control=True),
        Segment("\nf()", keep=Keep.HEAD),
        Segment("<MID>", control=True),
        Segment("    ret"),
    ),
    stop_controls=("</s>", "<PRE>"),
)
WHOLE = "<PRE>def f():\n<SUF>\nf()<MID>    ret"


def settings(kind: str, url: str, **more: Any) -> EngineSettings:
    return EngineSettings(kind=kind, url=url, context_tokens=512, **({"remote_model": "m"} | more))


@asynccontextmanager
async def engine_at(kind: str, url: str, **more: Any) -> AsyncIterator[RemoteEngine]:
    engine = RemoteEngine(settings(kind, url, **more), {}, pauses_s=(0.0, 0.0))
    try:
        yield engine
    finally:
        await engine.close()


async def answer_of(engine: RemoteEngine, request: GenerateRequest | None = None) -> tuple[str, Chunk, list[Chunk]]:
    async with aclosing(engine.generate(request or GenerateRequest(prompt=PROMPT))) as answer:
        chunks = [chunk async for chunk in answer]
    return "".join(chunk.text for chunk in chunks), chunks[-1], chunks


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[PeerServer] = []

    def start(answers: dict[str, Answer]) -> PeerServer:
        servers.append(PeerServer(answers).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


SECRET = "ghp_" + "a1B2" * 10


@pytest.mark.parametrize("segment", [2, 4, 6], ids=["prefix", "suffix", "typed"])
async def test_what_looks_like_a_secret_is_masked_wherever_it_stands(serve: Any, segment: int) -> None:
    texts = [one.text for one in PROMPT.segments]
    segments = [
        Segment(f'{one.text}\nkey = "{SECRET}"\n') if index == segment else one
        for index, one in enumerate(PROMPT.segments)
    ]
    peer = serve({"/api/show": OLLAMA_SHOW, "/api/generate": lines([OLLAMA_END])})
    async with engine_at("ollama", peer.url) as engine:
        await answer_of(engine, GenerateRequest(prompt=Prompt(tuple(segments))))
    [body] = peer.bodies("/api/generate")
    assert SECRET not in str(body)
    assert all(text in body["prompt"] for text in texts if text != "<s>")


# llama-server: every character of a plain text is a token of its code, a control text one of a table.

CONTROLS = {"<s>": 1001, "<PRE>": 1002, "<SUF>": 1003, "<MID>": 1004, "</s>": 1005}


def tokenize(handler: Any, body: Any) -> None:
    text = body["content"]
    whole = text in CONTROLS and body["parse_special"]
    as_json({"tokens": [CONTROLS[text]] if whole else [ord(letter) for letter in text]})(handler, body)


def llama_event(text: str, *ids: int, logprob: float = -0.25) -> dict[str, Any]:
    told = [{"id": token, "logprob": logprob} for token in ids]
    return {"content": text, "tokens": list(ids), "stop": False, "completion_probabilities": told}


LLAMA_END = {
    "content": "",
    "tokens": [],
    "stop": True,
    "stop_type": "eos",
    "tokens_evaluated": 40,
    "tokens_predicted": 2,
    "timings": {"prompt_n": 3, "prompt_ms": 12.5},
}
PROPS = as_json({"default_generation_settings": {"n_ctx": 4096}, "model_path": "/models/qwen2.5-coder-1.5b.gguf"})


def llama_server(completion: Answer) -> dict[str, Answer]:
    return {"/props": PROPS, "/tokenize": tokenize, "/completion": completion}


class TestLlamaServer:
    async def test_text_becomes_tokens_and_controls_become_theirs(self, serve: Any) -> None:
        peer = serve(llama_server(events([llama_event("urn", 7), llama_event(" 1", 8, 9), LLAMA_END])))
        async with engine_at("llama-server", peer.url) as engine:
            text, last, chunks = await answer_of(engine)
        assert text == "urn 1"
        assert [(chunk.tokens, chunk.logprob) for chunk in chunks[:2]] == [(1, -0.25), (2, -0.5)]
        assert last.finish is Finish.END_OF_TEXT
        usage = last.usage
        assert (usage.prompt_tokens, usage.reused_tokens, usage.evaluated_tokens, usage.generated_tokens) == (
            40,
            37,
            3,
            2,
        )
        (asked,) = peer.bodies("/completion")
        assert asked["prompt"] == [
            1001, 1002, *map(ord, "def f():\n"), 1003, *map(ord, "\nf()"), 1004, *map(ord, "    ret"),
        ]  # fmt: skip
        assert asked["cache_prompt"] is True

    async def test_a_key_asks_for_the_new_tokens_only(self, serve: Any) -> None:
        peer = serve(llama_server(events([LLAMA_END])))
        async with engine_at("llama-server", peer.url) as engine:
            await answer_of(engine)
            before = len(peer.bodies("/tokenize"))
            typed = Prompt((*PROMPT.segments[:-1], Segment("    retu")), PROMPT.stop_controls)
            await answer_of(engine, GenerateRequest(prompt=typed))
        assert [body["content"] for body in peer.bodies("/tokenize")[before:]] == ["    retu"]

    async def test_a_file_that_names_a_control_token_stays_text(self, serve: Any) -> None:
        peer = serve(llama_server(events([LLAMA_END])))
        hostile = Prompt((Segment("<PRE>", control=True), Segment("<PRE></s>")), ("</s>",))
        async with engine_at("llama-server", peer.url) as engine:
            await answer_of(engine, GenerateRequest(prompt=hostile))
        plain = [body for body in peer.bodies("/tokenize") if not body["parse_special"]]
        assert not any(name in body["content"] for body in plain for name in CONTROLS)
        assert "".join(body["content"] for body in plain) == "<PRE></s>"

    async def test_a_control_token_ends_the_answer(self, serve: Any) -> None:
        end = llama_event("", 1002) | {"tokens_evaluated": 40, "timings": {"prompt_n": 1}}
        peer = serve(llama_server(events([llama_event("a", 7), end, llama_event("b", 8), LLAMA_END])))
        async with engine_at("llama-server", peer.url) as engine:
            text, last, _ = await answer_of(engine)
        assert (text, last.finish) == ("a", Finish.END_OF_TEXT)
        assert (last.usage.prompt_tokens, last.usage.evaluated_tokens) == (40, 1)

    async def test_a_prompt_too_long_is_trimmed_to_the_servers_context(self, serve: Any) -> None:
        answers = llama_server(events([LLAMA_END]))
        answers["/props"] = as_json({"default_generation_settings": {"n_ctx": 128}, "model_path": "m.gguf"})
        peer = serve(answers)
        long = Prompt((Segment("x" * 500, keep=Keep.TAIL), Segment("<MID>", control=True)))
        async with engine_at("llama-server", peer.url) as engine:
            await answer_of(engine, GenerateRequest(prompt=long))
        (asked,) = peer.bodies("/completion")
        assert len(asked["prompt"]) <= 112
        assert asked["prompt"][-1] == CONTROLS["<MID>"]

    async def test_warming_reads_the_prompt_and_writes_nothing(self, serve: Any) -> None:
        peer = serve(llama_server(events([LLAMA_END])))
        async with engine_at("llama-server", peer.url) as engine:
            usage = await engine.warm(PROMPT)
        (asked,) = peer.bodies("/completion")
        assert asked["n_predict"] == 0
        assert usage.prompt_tokens == 40

    async def test_its_facts_name_the_model_file(self, serve: Any) -> None:
        peer = serve(llama_server(events([LLAMA_END])))
        async with engine_at("llama-server", peer.url, remote_model="") as engine:
            facts = await engine.describe()
        assert facts.path == "/models/qwen2.5-coder-1.5b.gguf"
        assert facts.context_tokens == 4096
        assert not facts.remote

    async def test_infill_where_only_that_is_let_through(self, serve: Any) -> None:
        peer = serve({"/props": PROPS, "/infill": events([llama_event("urn", 7), LLAMA_END])})
        snippet = Segment("lib.py\nX = 1\n", keep=Keep.DROP)
        async with engine_at("llama-server", peer.url) as engine:
            text, _, _ = await answer_of(engine, GenerateRequest(prompt=Prompt((snippet, *PROMPT.segments))))
        (asked,) = peer.bodies("/infill")
        assert text == "urn"
        assert (asked["input_prefix"], asked["input_suffix"]) == ("def f():\n    ret", "\nf()")
        assert asked["input_extra"] == [{"filename": "lib.py", "text": "X = 1\n"}]


OLLAMA_SHOW = as_json(
    {
        "model_info": {
            "general.architecture": "qwen2",
            "general.basename": "Qwen2.5-Coder",
            "qwen2.context_length": 32768,
        }
    }
)
OLLAMA_END = {
    "done": True,
    "response": "",
    "done_reason": "stop",
    "prompt_eval_count": 30,
    "prompt_eval_duration": 2_000_000,
    "eval_count": 2,
}


class TestOllama:
    async def test_one_raw_text_without_the_token_the_server_adds(self, serve: Any) -> None:
        parts = [{"response": "urn", "done": False}, {"response": " 1", "done": False}, OLLAMA_END]
        peer = serve({"/api/show": OLLAMA_SHOW, "/api/generate": lines(parts)})
        async with engine_at("ollama", peer.url) as engine:
            text, last, chunks = await answer_of(engine)
        (asked,) = peer.bodies("/api/generate")
        assert text == "urn 1"
        assert (asked["model"], asked["raw"], asked["prompt"]) == ("m", True, WHOLE)
        assert asked["options"]["stop"] == ["</s>", "<PRE>"]
        assert asked["options"]["num_ctx"] == 512
        assert (last.usage.prompt_tokens, last.usage.prefill_ms, last.usage.generated_tokens) == (30, 2.0, 2)
        assert [chunk.tokens for chunk in chunks[:2]] == [0, 0]  # it does not say how sure it was

    async def test_log_probabilities_where_the_server_tells_them(self, serve: Any) -> None:
        parts = [{"response": "urn", "done": False, "logprobs": [{"token": "urn", "logprob": -0.5}]}, OLLAMA_END]
        peer = serve({"/api/show": OLLAMA_SHOW, "/api/generate": lines(parts)})
        async with engine_at("ollama", peer.url) as engine:
            _, _, chunks = await answer_of(engine)
        assert (chunks[0].tokens, chunks[0].logprob) == (1, -0.5)

    async def test_its_facts_lead_to_the_profile(self, serve: Any) -> None:
        peer = serve({"/api/show": OLLAMA_SHOW})
        async with engine_at("ollama", peer.url, remote_model="my-coder") as engine:
            facts = await engine.describe()
        assert facts.metadata["general.basename"] == "Qwen2.5-Coder"
        assert facts.context_tokens == 512

    async def test_control_texts_in_files_are_cut(self, serve: Any) -> None:
        peer = serve({"/api/show": OLLAMA_SHOW, "/api/generate": lines([OLLAMA_END])})
        hostile = Prompt((Segment("<PRE>", control=True), Segment("a <PRE> b")))
        async with engine_at("ollama", peer.url) as engine:
            await answer_of(engine, GenerateRequest(prompt=hostile))
        (asked,) = peer.bodies("/api/generate")
        assert asked["prompt"] == "<PRE>a <\u200cPRE> b"

    async def test_a_model_it_does_not_have(self, serve: Any) -> None:
        peer = serve({"/api/show": as_json({"error": "model 'm' not found"}, 404)})
        async with engine_at("ollama", peer.url) as engine:
            with pytest.raises(EngineRefused, match="Get it with: ollama pull m"):
                await engine.describe()

    async def test_no_model_was_chosen(self, serve: Any) -> None:
        peer = serve({})
        async with engine_at("ollama", peer.url, remote_model="") as engine:
            with pytest.raises(EngineRefused, match=r"set engine\.remote_model"):
                await engine.describe()

    async def test_warming_costs_nothing(self, serve: Any) -> None:
        peer = serve({})
        async with engine_at("ollama", peer.url) as engine:
            await engine.warm(PROMPT)
        assert peer.asked == []


def openai_event(text: str, logprobs: list[float] | None = None, reason: str | None = None) -> dict[str, Any]:
    told = None if logprobs is None else {"token_logprobs": logprobs}
    return {"choices": [{"text": text, "logprobs": told, "finish_reason": reason}]}


MODELS = as_json({"data": [{"id": "other"}, {"id": "m", "max_model_len": 256}]})


class TestOpenAi:
    async def test_a_streamed_completion(self, serve: Any) -> None:
        parts = [openai_event("urn", [-0.5]), openai_event(" 1", [-0.25, -0.25]), openai_event("", [], "stop")]
        peer = serve({"/v1/models": MODELS, "/v1/completions": events(parts, done=True)})
        async with engine_at("openai", peer.url + "/v1/") as engine:
            text, last, chunks = await answer_of(engine)
        (asked,) = peer.bodies("/v1/completions")
        assert text == "urn 1"
        assert (asked["model"], asked["prompt"], asked["temperature"]) == ("m", WHOLE, 0.0)
        assert [(chunk.tokens, chunk.logprob) for chunk in chunks[:2]] == [(1, -0.5), (2, -0.5)]
        assert last.finish is Finish.END_OF_TEXT
        assert last.usage.first_token_ms is not None

    async def test_an_answer_that_was_cut_for_its_length(self, serve: Any) -> None:
        peer = serve({"/v1/models": MODELS, "/v1/completions": events([openai_event("a", None, "length")])})
        async with engine_at("openai", peer.url) as engine:
            _, last, _ = await answer_of(engine)
        assert last.finish is Finish.MAX_TOKENS

    async def test_the_first_model_where_none_is_named(self, serve: Any) -> None:
        peer = serve({"/v1/models": MODELS})
        async with engine_at("openai", peer.url, remote_model="") as engine:
            assert (await engine.describe()).name == "other"

    async def test_a_model_it_does_not_have(self, serve: Any) -> None:
        peer = serve({"/v1/models": MODELS})
        async with engine_at("openai", peer.url, remote_model="x") as engine:
            with pytest.raises(EngineRefused, match="has no model 'x'; it has other, m"):
                await engine.describe()

    async def test_the_models_length_is_kept_to(self, serve: Any) -> None:
        peer = serve({"/v1/models": MODELS})
        async with engine_at("openai", peer.url) as engine:
            assert (await engine.describe()).context_tokens == 256

    async def test_a_server_that_fails_at_log_probabilities_is_asked_without(self, serve: Any) -> None:
        def breaks_if_asked(handler: Any, body: Any) -> None:
            if "logprobs" in body:
                handler.send_response(200)
                handler.send_header("Content-Length", "1000")
                handler.end_headers()
                return
            events([openai_event("urn", None, "stop")])(handler, body)

        peer = serve({"/v1/models": MODELS, "/v1/completions": breaks_if_asked})
        async with engine_at("openai", peer.url) as engine:
            texts = [(await answer_of(engine))[0] for _ in range(2)]
        assert texts == ["urn", "urn"]
        assert ["logprobs" in body for body in peer.bodies("/v1/completions")] == [True, False, False]

    async def test_alternatives_are_drawn(self, serve: Any) -> None:
        peer = serve({"/v1/models": MODELS, "/v1/completions": events([openai_event("a", None, "stop")])})
        async with engine_at("openai", peer.url) as engine:
            await answer_of(engine, GenerateRequest(prompt=PROMPT, first_choice=2))
        (asked,) = peer.bodies("/v1/completions")
        assert (asked["seed"], asked["temperature"]) == (2, 0.6)


def openai(completion: Answer) -> dict[str, Answer]:
    return {"/v1/models": MODELS, "/v1/completions": completion}


class TestStopping:
    async def test_a_stop_text_is_delivered_and_ends_the_answer(self, serve: Any) -> None:
        peer = serve(openai(endless(openai_event("x\ny"))))
        async with engine_at("openai", peer.url) as engine:
            text, last, _ = await answer_of(engine, GenerateRequest(prompt=PROMPT, stop_texts=("\n",)))
        assert (text, last.finish) == ("x\ny", Finish.STOP_TEXT)
        assert peer.left.wait(200)

    async def test_closing_the_answer_closes_the_connection(self, serve: Any) -> None:
        peer = serve(openai(endless(openai_event("x"))))
        async with engine_at("openai", peer.url) as engine:
            async with aclosing(engine.generate(GenerateRequest(prompt=PROMPT))) as answer:
                assert (await anext(answer)).text == "x"
            assert peer.left.wait(200)

    async def test_the_deadline_ends_a_silent_answer(self, serve: Any) -> None:
        released = threading.Event()
        peer = serve(openai(first_then_silence(openai_event("x"), released)))
        async with engine_at("openai", peer.url) as engine:
            text, last, _ = await answer_of(engine, GenerateRequest(prompt=PROMPT, deadline_ms=400))
        released.set()
        assert last.finish is Finish.DEADLINE
        assert text in ("x", "")  # a machine that is busy may not have come so far

    async def test_forced_text_is_part_of_the_answer(self, serve: Any) -> None:
        peer = serve(openai(events([openai_event("urn", None, "stop")])))
        async with engine_at("openai", peer.url) as engine:
            text, _, _ = await answer_of(engine, GenerateRequest(prompt=PROMPT, forced="ret"))
        assert text == "return"
        assert peer.bodies("/v1/completions")[0]["prompt"].endswith("    retret")

    async def test_a_stop_text_in_the_forced_text_ends_nothing(self, serve: Any) -> None:
        peer = serve(openai(events([openai_event("urn\n"), openai_event("more")])))
        async with engine_at("openai", peer.url) as engine:
            text, last, _ = await answer_of(engine, GenerateRequest(prompt=PROMPT, forced="\nret", stop_texts=("\n",)))
        assert (text, last.finish) == ("\nreturn\n", Finish.STOP_TEXT)


async def failure(engine: RemoteEngine, kind: type[EngineError] = EngineError) -> str:
    with pytest.raises(kind) as caught:
        await answer_of(engine)
    return str(caught.value)


FAILING: dict[str, tuple[Answer, str]] = {
    "a web page": (web_page, "answers with a web page. Set engine.url to the address of a openai server"),
    "a redirect to another host": (redirect, "sends us on to http://elsewhere.example/v1. If you trust that address"),
    "another program": (lambda h, _: h.send(b"hello", 404), "it is no openai server. Check engine.kind"),
    "JSON that is something else": (as_json({"hello": "world"}), "answers, but not as a openai server does"),
    "JSON that is no object": (as_json([1, 2]), "answers, but not as a openai server does"),
    "a refusal with a reason": (
        as_json({"error": {"message": "prompt too long"}}, 400),
        "answers 400: prompt too long",
    ),
    "a refusal in FastAPI's manner": (as_json({"detail": "no such route"}, 422), "answers 422: no such route"),
    "a wrong key": (as_json({}, 401), "refuses the key of $FIMSERVER_API_KEY (401)"),
}


FAILING_STREAMS: dict[str, tuple[Answer, str]] = {
    "an event that is something else": (events([{"hello": 1}]), "answers, but not as a openai server does"),
    "an event that is no JSON": (
        lambda h, _: (h.start_stream(), h.wfile.write(b"data: {oops\n\n"))[0],
        "answers, but not as a openai server does",
    ),
    "an error within the stream": (events([{"error": {"message": "out of memory"}}]), "answers: out of memory"),
}
CASES = [(path, *row) for row in FAILING.values() for path in ("/v1/models", "/v1/completions")]
CASES += [("/v1/completions", *row) for row in FAILING_STREAMS.values()]
NAMES = [f"{name}, {path}" for name in FAILING for path in ("models", "completions")] + list(FAILING_STREAMS)


@pytest.mark.parametrize(("path", "answer", "sentence"), CASES, ids=NAMES)
async def test_refused(serve: Any, path: str, answer: Answer, sentence: str) -> None:
    peer = serve(openai(events([openai_event("x", None, "stop")])) | {path: answer})
    async with engine_at("openai", peer.url) as engine:
        message = await failure(engine, EngineRefused)
    assert sentence in message
    assert peer.url in message


async def test_a_busy_server_is_asked_again(serve: Any) -> None:
    busy = as_json({"error": "busy"}, 503)
    peer = serve(openai(in_turn(busy, events([openai_event("x", None, "stop")]))))
    async with engine_at("openai", peer.url) as engine:
        text, _, _ = await answer_of(engine)
    assert text == "x"


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (as_json({"error": {"message": "Loading model"}}, 503), EngineLoading, "is still reading its model"),
        (as_json({"error": "busy"}, 503), EngineUnavailable, "answers 503: busy"),
        (as_json({"detail": "slow down"}, 429), EngineUnavailable, "answers 429: slow down"),
    ],
    ids=["it loads its model", "it is busy", "it limits its clients"],
)
async def test_a_server_that_stays_busy(serve: Any, answer: Answer, kind: type[EngineError], sentence: str) -> None:
    peer = serve(openai(answer))
    async with engine_at("openai", peer.url) as engine:
        assert sentence in await failure(engine, kind)


async def test_nobody_listens_and_the_next_key_does_not_wait_for_it() -> None:
    async with engine_at("openai", "http://127.0.0.1:9") as engine:
        message = await failure(engine, EngineUnavailable)
        assert "http://127.0.0.1:9 cannot be reached" in message
        assert engine.status().state is EngineState.FAILED
        assert await failure(engine, EngineUnavailable) == message


async def test_an_engine_that_was_closed_says_so(serve: Any) -> None:
    peer = serve(openai(events([openai_event("x", None, "stop")])))
    async with engine_at("openai", peer.url) as engine:
        await engine.describe()
        await engine.close()
        assert await failure(engine, EngineUnavailable) == "The engine was let go of."


async def test_a_connection_that_breaks_off(serve: Any) -> None:
    def breaks(handler: Any, _: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"data: ")

    peer = serve(openai(breaks))
    async with engine_at("openai", peer.url) as engine:
        assert "breaks off" in await failure(engine, EngineUnavailable)


async def test_a_line_that_does_not_end(serve: Any) -> None:
    def long_line(handler: Any, _: Any) -> None:
        handler.start_stream()
        for _ in range(100):
            handler.wfile.write(b"x" * 65_536)

    peer = serve(openai(long_line))
    async with engine_at("openai", peer.url) as engine:
        assert "sends a line that does not end" in await failure(engine, EngineRefused)


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", ""), ("0.0.0.0", "Ready. Your text goes to {}.")])
async def test_the_status_says_where_text_goes_if_it_leaves_the_loopback(serve: Any, host: str, told: str) -> None:
    peer = serve(openai(events([openai_event("x", None, "stop")])))
    url = peer.url.replace("127.0.0.1", host)
    async with engine_at("openai", url, allow_plain_http=True) as engine:
        assert (await engine.describe()).remote is bool(told)
        assert engine.status() == EngineStatus(state=EngineState.READY, message=told.format(url))


async def test_a_server_that_hangs_is_named_and_the_next_key_does_not_wait_for_it(serve: Any) -> None:
    released = threading.Event()
    peer = serve({"/v1/models": lambda *_: released.wait(200)})
    engine = RemoteEngine(settings("openai", peer.url), {}, silence_s=0.2)
    message = await failure(engine, EngineUnavailable)
    assert f"{peer.url} does not answer" in message
    assert await failure(engine, EngineUnavailable) == message
    released.set()
    await engine.close()
    assert [path for _, path, *_ in peer.asked] == ["/v1/models"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of our own for the loopback address, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    wanted = ("-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", path, "-out", path.with_suffix(".cert"))
    subprocess.run([openssl, "req", "-x509", "-nodes", *wanted, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".cert").read_text())
    return path


class TestEncryption:
    ANSWERS: ClassVar = {"/v1/models": MODELS, "/v1/completions": events([openai_event("urn", None, "stop")])}

    async def test_a_certificate_that_nobody_vouches_for_is_refused(self, certificate: Path) -> None:
        with PeerServer(self.ANSWERS, certificate) as peer:
            async with engine_at("openai", peer.url) as engine:
                message = await failure(engine, EngineUnavailable)
            assert peer.asked == []
        assert "Its certificate is not trusted here: set the environment variable SSL_CERT_FILE" in message

    async def test_an_authority_of_ones_own_is_named_by_a_variable(
        self, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".cert")))
        with PeerServer(self.ANSWERS, certificate) as peer:
            async with engine_at("openai", peer.url) as engine:
                assert (await answer_of(engine))[0] == "urn"
                assert peer.url.startswith("https://")


class TestAddresses:
    GOOD = ("http://127.0.0.1:8080", "http://localhost:11434", "http://[::1]:8080", "https://team.example/llm")

    @pytest.mark.parametrize("url", GOOD)
    def test_taken(self, url: str) -> None:
        assert checked_url(settings("openai", url)) == url

    BAD = (
        ("", "must be an address such as"),
        ("team.example:8080", "must be an address such as"),
        ("ftp://team.example", "must be an address such as"),
        ("file:///etc/passwd", "must be an address such as"),
        ("http://127.0.0.1:port", "must be an address such as"),
        ("http://[::1", "must be an address such as"),
        ("http://team.example", "would send your text unencrypted to another machine"),
        ("http://192.168.1.5:8080", "would send your text unencrypted to another machine"),
        ("http://127.0.0.1.evil.example", "would send your text unencrypted to another machine"),
    )

    @pytest.mark.parametrize(("url", "sentence"), BAD)
    def test_refused(self, url: str, sentence: str) -> None:
        with pytest.raises(SettingsError, match=sentence):
            RemoteEngine(settings("openai", url), {})

    def test_plain_http_to_another_machine_when_it_is_allowed(self) -> None:
        allowed = settings("openai", "http://192.168.1.5:8080", allow_plain_http=True)
        assert checked_url(allowed) == "http://192.168.1.5:8080"

    @pytest.mark.parametrize("url", ["http://h/v1", "http://h/v1/", "http://h/"])
    def test_the_usual_endings_are_the_same_server(self, url: str) -> None:
        assert checked_url(settings("openai", url, allow_plain_http=True)) == "http://h"


class TestKey:
    async def test_from_the_environment(self, serve: Any) -> None:
        peer = serve(openai(events([openai_event("x", None, "stop")])))
        engine = RemoteEngine(settings("openai", peer.url, api_key_variable="TEAM_KEY"), {"TEAM_KEY": "secret"})
        await answer_of(engine)
        await engine.close()
        assert {headers["Authorization"] for *_, headers in peer.asked} == {"Bearer secret"}

    def test_from_the_users_file(self, home: Path) -> None:
        path = home / "config" / "api-key"
        path.parent.mkdir()
        path.write_text("secret\n")
        path.chmod(0o600)
        assert api_key(settings("openai", ""), {}) == "secret"
        assert api_key(settings("openai", ""), {"FIMSERVER_API_KEY": "other"}) == "other"

    def test_a_file_that_others_can_read(self, home: Path) -> None:
        path = home / "config" / "api-key"
        path.parent.mkdir()
        path.write_text("secret\n")
        path.chmod(0o644)
        with pytest.raises(SettingsError, match="chmod 600"):
            api_key(settings("openai", ""), {})

    def test_none(self) -> None:
        assert api_key(settings("openai", ""), {}) == ""
