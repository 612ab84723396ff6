"""One request after the other: what is asked of the model, what is reused, what each is answered."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fimserver.complete.completer import Completer
from fimserver.engine.fake import Reply, ScriptedEngine
from fimserver.engine.interface import GenerateRequest, Priority, Prompt, Usage
from fimserver.errors import EngineLoading, EngineUnavailable, PromptTooLong
from fimserver.settings import Settings, read_settings
from fimserver.values import Completion, Outcome, Reason, Rejection, Shape, Span
from tests.drawn import applied, drawn


class Asked(ScriptedEngine):
    """A scripted engine that keeps the requests it was sent, and knows how many are in flight."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(replies)
        self.requests: list[GenerateRequest] = []
        self.warmed: asyncio.Queue[Prompt] = asyncio.Queue()
        self.warmed_as: list[Priority] = []
        self.reading = Usage()  # what evaluating a prompt takes
        self.in_flight = 0

    async def generate(self, request: GenerateRequest):  # type: ignore[no-untyped-def]  # the seam's
        self.requests.append(request)
        self.in_flight += 1
        try:
            async for chunk in super().generate(request):
                yield chunk
        finally:
            self.in_flight -= 1

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        self.warmed.put_nowait(prompt)
        self.warmed_as.append(priority)
        return self.reading


def says(*pieces: str | Path, **reply: object) -> Reply:
    return Reply(pieces=pieces, **reply)  # type: ignore[arg-type]  # tests name what they mean


def completer(engine: ScriptedEngine, **completion: object) -> Completer:
    settings, problems = read_settings({"completion": {"ahead": False, **completion}})
    assert not problems
    return Completer(engine, settings)


async def ask(completer: Completer, text: str, *, language: str = "python", invoked: bool = False) -> Outcome:
    document, offset = drawn(text, language=language)
    return await completer.complete(document, offset, invoked=invoked)


async def shown(completer: Completer, text: str, **how: str) -> str:
    outcome = await ask(completer, text, **how)  # type: ignore[arg-type]
    assert isinstance(outcome, Completion), outcome
    return applied(drawn(text)[0], outcome)


@pytest.mark.parametrize(
    ("at", "pieces", "becomes"),
    [
        pytest.param("x = ‸", ["a", " + b", "\n"], "x = a + b‸", id="the rest of a line"),
        pytest.param("print(‸)", ["a", ")", "\n"], "print(a)‸", id="over the bracket the editor closed"),
        pytest.param(
            "def f():\n    ‸",
            ["    return", " 1", "\n", "x"],
            "def f():\n    return 1‸",
            id="a block after a signature",
        ),
        pytest.param("x = ‸\r\ny = 1\r\n", ["a", "\n"], "x = a‸\r\ny = 1\r\n", id="line endings of the file stay"),
    ],
)
async def test_suggests(at: str, pieces: list[str], becomes: str) -> None:
    assert await shown(completer(Asked(says(*pieces))), at) == becomes


async def test_a_suggestion_may_stand_further_left_than_the_editor_indented() -> None:
    engine = Asked(says("else:", "\n"), says("\n", "    c()", "\n", "x"))
    assert await shown(completer(engine), "if a:\n    b()\n    ‸") == "if a:\n    b()\nelse:\n    c()‸"


async def test_a_line_that_opens_a_block_goes_on() -> None:
    engine = Asked(says("for row in rows:", "\n"), says("\n", "    total += row", "\n", "x"))
    assert await shown(completer(engine), "‸\n") == "for row in rows:\n    total += row‸\n"
    assert [request.forced for request in engine.requests] == ["", "for row in rows:"]


async def test_a_block_goes_on_with_the_tokens_of_its_first_line() -> None:
    engine = Asked(says("row in rows:", "\n"), says("\n", "    total += row", "\n", "x"))
    assert await shown(completer(engine), "for ‸\n") == "for row in rows:\n    total += row‸\n"
    assert len({request.prompt for request in engine.requests}) == 1


async def test_with_shape_line_it_does_not_go_on() -> None:
    engine = Asked(says("for row in rows:", "\n"))
    assert await shown(completer(engine, shape="line"), "‸\n") == "for row in rows:‸\n"


async def test_typing_along_asks_nothing() -> None:
    engine = Asked(says("total(rows)", "\n"))
    completing = completer(engine)
    for typed in ("", "t", "to", "total(", "total(rows"):
        assert await shown(completing, f"x = {typed}‸") == "x = total(rows)‸"
    assert len(engine.requests) == 1


async def test_a_request_joins_the_generation_that_goes_its_way(tmp_path: Path) -> None:
    go = tmp_path / "go"
    engine = Asked(says("tot", go, "al", "\n"))
    completing = completer(engine)
    first = asyncio.create_task(ask(completing, "x = ‸"))
    await until(lambda: engine.in_flight == 1)
    second = asyncio.create_task(ask(completing, "x = t‸"))
    outcome = await first
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.DISPLACED
    go.touch()
    joined = await second
    assert isinstance(joined, Completion)
    assert (joined.text, joined.source) == ("otal", "joined")
    assert len(engine.requests) == 1


async def test_a_generation_that_goes_elsewhere_is_ended(tmp_path: Path) -> None:
    engine = Asked(says("tot", tmp_path / "never"), says("n", "\n"))
    completing = completer(engine)
    first = asyncio.create_task(ask(completing, "x = ‸"))
    await until(lambda: engine.in_flight == 1)
    assert await shown(completing, "x = mea‸") == "x = mean‸"
    assert engine.in_flight == 0
    await first


async def test_a_cancelled_request_ends_its_generation(tmp_path: Path) -> None:
    engine = Asked(says("tot", tmp_path / "never"))
    completing = completer(engine)
    task = asyncio.create_task(ask(completing, "x = ‸"))
    await until(lambda: engine.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: engine.in_flight == 0)
    assert completing.journal.entries()[-1].outcome.reason is Reason.CANCELLED  # type: ignore[union-attr]


async def test_at_the_deadline_whole_lines_are_shown_and_the_rest_comes(tmp_path: Path) -> None:
    go = tmp_path / "go"
    engine = Asked(says("    a = 1", "\n", "    re", go, "turn a", "\n", "x"))
    completing = completer(engine, deadline_ms=20)
    assert await shown(completing, "def f():\n    ‸") == "def f():\n    a = 1‸"
    go.touch()
    again = completer_outcome = await ask(completing, "def f():\n    ‸")
    assert isinstance(again, Completion), completer_outcome
    assert again.text == "    a = 1\n    return a"
    assert len(engine.requests) == 1


async def test_what_follows_is_prepared_while_the_suggestion_is_read() -> None:
    engine = Asked(says("1", "\n"), says("y = 2", "\n"))
    completing = completer(engine, ahead=True)
    assert await shown(completing, "x = ‸") == "x = 1‸"
    await until(lambda: len(engine.requests) == 2 and not engine.in_flight)
    assert await shown(completing, "x = 1\n‸") == "x = 1\ny = 2‸"


@pytest.mark.parametrize(
    ("setting", "prepared"),
    [
        pytest.param("less", False, id="less: only what is asked for is evaluated"),
        pytest.param("same", True, id="same: it is prepared as ever"),
    ],
)
async def test_on_battery_the_setting_decides_what_is_prepared(setting: str, prepared: bool) -> None:
    engine = Asked(says("1", "\n"), says("y = 2", "\n"))
    settings, _ = read_settings({"completion": {"on_battery": setting}})
    completing = Completer(engine, settings, on_battery=lambda: True)
    completing.prepare_at(*drawn("x = ‸"))
    await until(lambda: not prepared or engine.warmed.qsize() > 0)
    await asyncio.sleep(0.02)  # for what must not come
    assert engine.warmed.empty() != prepared
    assert await shown(completing, "x = ‸") == "x = 1‸"
    await until(lambda: not prepared or len(engine.requests) == 2)
    await asyncio.sleep(0.02)
    assert await shown(completing, "x = 1\n‸") == "x = 1\ny = 2‸"
    assert engine.requests[1].priority is (Priority.AHEAD if prepared else Priority.TYPING)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (EngineLoading("Loading."), Reason.ENGINE_LOADING),
        (EngineUnavailable("It died."), Reason.ENGINE_UNAVAILABLE),
        (PromptTooLong("Too long."), Reason.PROMPT_TOO_LONG),
    ],
)
async def test_an_engine_that_cannot_answer_is_a_reason(error: Exception, reason: Reason) -> None:
    outcome = await ask(completer(Asked(says(error=error))), "x = ‸")
    assert isinstance(outcome, Rejection)
    assert (outcome.reason, outcome.detail) == (reason, str(error))


@pytest.mark.parametrize(
    ("at", "reply", "reason"),
    [
        pytest.param("x = ‸ + 1", ["a"], Reason.INSIDE_STATEMENT, id="code follows on the line"),
        pytest.param("x = ‸", [], Reason.EMPTY, id="the model writes nothing"),
        pytest.param("x = ‸", ["  ", "\n"], Reason.ONLY_WHITE_SPACE, id="the model writes white space"),
        pytest.param("‸\nx = compute(rows)\n", ["x = compute(rows)", "\n"], Reason.REPEATS_SUFFIX, id="it follows"),
    ],
)
async def test_refuses(at: str, reply: list[str], reason: Reason) -> None:
    outcome = await ask(completer(Asked(says(*reply))), at)
    assert isinstance(outcome, Rejection)
    assert outcome.reason is reason


async def test_an_unsure_suggestion_is_shown_only_by_hand() -> None:
    engine = Asked(says("a", "\n", logprob=-3.0))
    completing = completer(engine)
    outcome = await ask(completing, "x = ‸")
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.LOW_CONFIDENCE
    assert isinstance(await ask(completing, "x = ‸", invoked=True), Completion)


async def test_the_models_own_thresholds_judge_its_first_answer_already() -> None:
    class Hesitant(Asked):
        """One token is too unsure for a model that was never measured, not for one of the profile below."""

        async def generate(self, request: GenerateRequest):  # type: ignore[no-untyped-def]  # the seam's
            async for chunk in super().generate(request):
                yield replace(chunk, logprob=-2.6 if chunk.text == "(" else -0.1)

    settings, _ = read_settings({"completion": {"ahead": False}, "model": {"profile": "tiny-fim"}})
    completing = Completer(Hesitant(says("total", "(", "rows", ")", "\n")), settings)
    assert await shown(completing, "x = ‸") == "x = total(rows)‸"


async def test_switched_off_nothing_is_asked() -> None:
    engine = Asked(says("a"))
    outcome = await ask(completer(engine, disabled_languages=["python"]), "x = ‸")
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.DISABLED
    assert engine.requests == []


async def test_by_hand_the_next_best_beginnings_are_offered_too() -> None:
    engine = Asked(says("a", "\n"), says("b", "\n"), says("a", "\n"))
    completing = completer(engine)
    document, offset = drawn("x = ‸")
    shown = await completing.complete(document, offset, invoked=True)
    assert isinstance(shown, Completion)
    assert [other.text for other in await completing.alternatives(document, offset, shown)] == ["b"]
    assert [request.first_choice for request in engine.requests] == [0, 1, 2]


async def test_a_begun_word_is_said_again() -> None:
    engine = Asked(says("ces[item]", "\n"))
    assert await shown(completer(engine), "x = self.pri‸") == "x = self.prices[item]‸"
    assert (engine.requests[0].prompt.segments[-1].text, engine.requests[0].forced) == ("x = self", ".pri")


async def test_after_a_line_was_accepted_nothing_interrupts() -> None:
    completing = completer(Asked(says("1", "\n")))
    await shown(completing, "x = ‸")
    outcome = await ask(completing, "x = 1‸")
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.JUST_ACCEPTED


async def test_goes_on_from_the_selected_entry_of_the_completion_list() -> None:
    completing = completer(Asked(says("(rows)", "\n")))
    document, offset = drawn("x = to‸")
    outcome = await completing.complete(document, offset, selected=(Span(4, 6), "total"))
    assert isinstance(outcome, Completion)
    assert applied(document, outcome) == "x = total(rows)‸"


async def test_only_what_was_typed_stands_behind_the_middle() -> None:
    engine = Asked(says())
    completing = completer(engine)
    text = "def area(r):\n    ‸\n\nprint(1)\n"
    for typed in ("", "r", "re", "return 3"):
        await ask(completing, text.replace("‸", f"{typed}‸"))
    before = {request.prompt.segments[:-1] for request in engine.requests[1:]}
    assert len(before) == 1
    behind = [request.prompt.segments[-1].text + request.forced for request in engine.requests[1:]]
    assert behind == ["    r", "    re", "    return 3"]


async def test_where_the_cursor_rests_the_prompt_is_evaluated_before_the_first_key() -> None:
    engine = Asked(says())
    completing = completer(engine)
    text = "def area(r):\n    total = 0‸\n\nprint(1)\n"
    completing.prepare_at(*drawn(text))
    warmed = await engine.warmed.get()
    await ask(completing, text.replace("‸", "\n    r‸"))
    assert engine.requests[0].prompt.segments[:-1] == warmed.segments[:-1]


async def test_where_the_cursor_rests_again_the_engine_may_have_let_go_of_the_prompt() -> None:
    engine = Asked(says())
    completing = completer(engine)
    prompts = []
    for _ in range(2):
        completing.prepare_at(*drawn("def area(r):\n    total = 0‸\n"))
        prompts.append(await engine.warmed.get())
    assert prompts[0] == prompts[1]
    assert engine.warmed_as == [Priority.RESTING] * 2


async def test_how_long_a_prompt_took_where_the_cursor_rested_says_how_long_the_next_one_is() -> None:
    engine = Asked(says())
    completing = completer(engine)
    engine.reading = Usage(evaluated_tokens=100, prefill_ms=100)
    lengths = []
    for above in (400, 300):
        completing.prepare_at(*drawn("value = 1\n" * above + "‸\n" + "value = 2\n" * (800 - above)))
        prompt = await engine.warmed.get()
        lengths.append(sum(len(segment.text) for segment in prompt.segments))
        await until(lambda: completing._asker.pace.prefill_tokens_per_s == 1_000)
    assert lengths[1] > lengths[0] * 2


@pytest.mark.parametrize("completion", [{"enabled": False}, {"disabled_languages": ["python"]}])
async def test_where_nothing_is_suggested_nothing_is_prepared(completion: dict[str, object]) -> None:
    engine = Asked()
    completer(engine, **completion).prepare_at(*drawn("x = ‸"))
    await asyncio.sleep(0)
    assert engine.warmed.empty()


async def test_the_whole_prompt_is_evaluated_for_whoever_waits_for_it() -> None:
    engine = Asked(says("2", "\n"))
    completing = completer(engine)
    document, offset = drawn("x = 1\ny = ‸\n")
    await completing.prepared(document, offset)
    assert [segment.text for segment in engine.warmed.get_nowait().segments if "x = 1" in segment.text] == ["x = 1\n"]
    assert await shown(completing, "x = 1\ny = ‸\n") == "x = 1\ny = 2‸\n"
    assert len(engine.requests) == 1


async def test_of_a_closed_document_nothing_is_kept_and_nothing_is_written_for_it(tmp_path: Path) -> None:
    engine = Asked(says("a", "\n"), says("b", tmp_path / "never", "\n"))
    completing = completer(engine)
    assert await shown(completing, "x = ‸") == "x = a‸"
    completing.forget("file:///project/main.py")
    waiting = asyncio.create_task(ask(completing, "x = ‸"))
    await until(lambda: engine.in_flight == 1)
    completing.forget("file:///project/main.py")
    outcome = await waiting
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.CANCELLED
    await until(lambda: engine.in_flight == 0)


async def test_the_journal_says_what_became_of_each_request() -> None:
    completing = completer(Asked(says("a  ", "\n")))
    await ask(completing, "x = ‸")
    entry = completing.journal.entries()[-1].as_json()
    assert (entry["line"], entry["column"], entry["shape"]) == (1, 5, Shape.LINE)
    assert (entry["written"], entry["shown"]) == ("a  ", "a")
    assert [step["filter"] for step in entry["filters"]] == ["drop_trailing_white_space"]


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until something has happened; the test's own time limit ends a wait in vain."""
    while not condition():  # noqa: ASYNC110 - what happens is in the engine, which signals nothing
        await asyncio.sleep(0.001)


def test_settings_are_followed() -> None:
    settings = Settings()
    completing = Completer(Asked(says()), settings)
    completing.use_settings(read_settings({"completion": {"enabled": False}})[0])
    outcome = asyncio.run(ask(completing, "x = ‸"))
    assert isinstance(outcome, Rejection)
    assert outcome.reason is Reason.DISABLED


async def test_a_line_of_the_file_is_shown_where_the_model_is_unsure() -> None:
    engine = Asked(says("x", "\n", logprob=-3.0))
    completing = completer(engine)
    before = "total = sum(rows)\nprint(total)\n"
    assert await shown(completing, before + "total = ‸") == before + "total = sum(rows)‸"
    assert completing.journal.entries()[-1].as_json()["source"] == "copied"


async def test_switched_off_no_line_is_copied() -> None:
    unsure = completer(Asked(says("x", "\n", logprob=-3.0)), copies=False)
    assert isinstance(await ask(unsure, "total = sum(rows)\nprint(total)\ntotal = ‸"), Rejection)


async def test_a_sure_model_is_shown_rather_than_a_line_of_the_file() -> None:
    assert (await shown(completer(Asked(says("max(rows)", "\n"))), "t = sum(rows)\nt = ‸")).endswith("max(rows)‸")
