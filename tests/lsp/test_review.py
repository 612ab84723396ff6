"""Reviews in an editor: a real `fimserver serve` that answers from a script, and once with the embedded model."""

import ast
import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

import fimserver.review
from tests.lsp.conftest import Start
from tests.lsp.window import Buffer

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPLANATIONS = Path(fimserver.review.__path__[0]) / "categories.md"

TEXT = "def mean(values):\n    total = sum(values)\n    return total / len(values)\n"


def claim(line: int, quote: str, **more: Any) -> str:
    return json.dumps(
        {"line": line, "quote": quote, "category": "bug", "severity": "error", "message": f"{quote} is wrong.", **more}
    )


# The answer to a review of certain lines: a finding on one of them.
ASKED = {
    "4": (4, "return total"),
    "2 to 3": (2, "def mean"),
    "7 to 8": (8, "pass"),
    "1 to 8": (1, "# more"),
}


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is never there: what waits for it waits until it is cancelled."""
    return tmp_path_factory.mktemp("go") / "never"


@pytest.fixture(scope="module")
def command(script: Callable[..., tuple[str, ...]], go: Path) -> tuple[str, ...]:
    """The command of a server that answers these tests: the text of a buffer chooses its answer."""
    found = claim(3, "len(values)", replacement="max(1, len(values))")
    return script(
        {"when": "# two", "text": f"{found}\n{claim(2, 'sum(values)', category='security', severity='note')}\n"},
        {"when": "# waits", "pieces": [f"{found}\n", {"wait_for": str(go)}, claim(1, "def mean")]},
        {"when": "# later", "pieces": [{"wait_for": str(go.with_name("later"))}, f"{found}\n{claim(1, 'def mean')}"]},
        {"when": "# lies", "text": f"{claim(99, 'x')}\n{claim(1, 'invented')}\nLGTM\n"},
        {"when": "# prose", "text": "This code looks good to me."},
        {"when": "# breaks", "text": claim(3, "len(values)", replacement="len(values")},
        {"when": "# dies", "error": "engine-unavailable", "message": "The engine died."},
        *({"when": f"on these lines only: {asked}.", "text": claim(*found)} for asked, found in ASKED.items()),
        {"when": "The finding, on line 3", "text": "It divides by zero."},
        {"text": "{}"},
    )


class Window:
    """An editor window that remembers the diagnostics it was sent."""

    def __init__(self, client: LanguageClient, drawn: str, uri: str | None = None) -> None:
        self.client, self.buffer = client, Buffer(client, drawn, uri=uri)

    @property
    def shown(self) -> list[types.Diagnostic]:
        return list(self.client.diagnostics.get(self.buffer.uri, ()))

    @property
    def lines(self) -> list[int]:
        return [one.range.start.line + 1 for one in self.shown]

    async def run(self, name: str, *arguments: Any) -> Any:
        return await self.client.workspace_execute_command_async(
            types.ExecuteCommandParams(f"fimserver.{name}", list(arguments))
        )

    async def review(self, what: str = "file", **place: Any) -> Any:
        return await self.run("review", what, self.buffer.uri, place.get("range"), place.get("base", ""))

    async def until_shown(self, count: int) -> None:
        while len(self.shown) != count:
            await self.client.protocol.wait_for_notification_async(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)

    async def actions(self, line: int) -> dict[str, types.CodeAction | types.Command]:
        """Return what is offered on a line, by its title up to a colon. (lsprotocol mistakes actions for commands.)"""
        place = types.Range(types.Position(line - 1, 0), types.Position(line - 1, 40))
        answer = await self.client.text_document_code_action_async(
            types.CodeActionParams(
                types.TextDocumentIdentifier(self.buffer.uri), place, types.CodeActionContext(diagnostics=[])
            )
        )
        return {action.title.partition(":")[0]: action for action in answer or ()}

    async def choose(self, line: int, title: str) -> Any:
        """Do what an action of a line does."""
        action = (await self.actions(line))[title]
        assert isinstance(action, types.Command)
        command = ast.literal_eval(action.command)
        return await self.run(command["command"].removeprefix("fimserver."), *command["arguments"])


async def test_findings_become_diagnostics(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# two‸\n")
    assert (await window.review())["findings"] == 2
    first, second = window.shown
    assert (first.source, first.code, first.severity) == ("fimserver", "bug", types.DiagnosticSeverity.Error)
    assert (second.code, second.severity) == ("security", types.DiagnosticSeverity.Information)
    assert first.message == "len(values) is wrong."
    assert first.range == types.Range(types.Position(2, 19), types.Position(2, 30))
    assert first.code_description is not None
    assert EXPLANATIONS.is_file()
    assert first.code_description.href == f"{EXPLANATIONS.as_uri()}#bug"


async def test_findings_are_shown_while_the_model_still_writes(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# waits‸\n")
    reviewing = asyncio.ensure_future(window.review())
    await window.until_shown(1)
    assert not reviewing.done()
    await window.run("review.cancel", window.buffer.uri)
    assert (await reviewing)["findings"] == 1
    assert window.lines == [3]


async def test_cancelling_the_request_keeps_what_was_found(start: Start, command: tuple[str, ...]) -> None:
    client = await start(command)
    window = Window(client, f"{TEXT}# waits‸\n")
    arguments = ["file", window.buffer.uri]
    params = types.ExecuteCommandParams("fimserver.review", arguments)
    reviewing = client.protocol.send_request_async("workspace/executeCommand", params, msg_id="the-review")
    task = asyncio.ensure_future(reviewing)
    await window.until_shown(1)
    client.cancel_request(types.CancelParams("the-review"))
    with pytest.raises(Exception, match="cancelled"):
        await task
    assert window.lines == [3]
    assert (await window.run("status"))["engine"] == "ready"


async def test_closing_the_file_ends_its_review(start: Start, command: tuple[str, ...]) -> None:
    client = await start(command)
    window = Window(client, f"{TEXT}# waits‸\n")
    reviewing = asyncio.ensure_future(window.review())
    await window.until_shown(1)
    document = types.TextDocumentIdentifier(window.buffer.uri)
    client.text_document_did_close(types.DidCloseTextDocumentParams(document))
    assert await reviewing == {"findings": 1, "dropped": {}, "message": "The file was closed during the review."}


async def test_a_newer_review_takes_the_place_of_the_older(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# waits‸\n")
    older = asyncio.ensure_future(window.review())
    await window.until_shown(1)
    newer = asyncio.ensure_future(window.review())
    assert (await older)["message"] == "Another review took its place."
    await window.run("review.cancel", window.buffer.uri)
    await newer


WHATS = {
    "the selection": ("selection", (3, 0, 3, 10), 4),
    "a selection that ends where a line begins": ("selection", (1, 0, 3, 0), 2),
    "the function": ("function", (7, 4, 7, 4), 8),
    "the file": ("file", None, 1),
}


@pytest.mark.parametrize(("what", "place", "line"), WHATS.values(), ids=WHATS)
async def test_what_is_asked_about(
    start: Start, command: tuple[str, ...], what: str, place: tuple[int, int, int, int] | None, line: int
) -> None:
    window = Window(await start(command), f"# more\n{TEXT}\n\ndef f():\n    pass‸")
    ends = place and types.Range(types.Position(place[0], place[1]), types.Position(place[2], place[3]))
    assert (await window.review(what, range=ends))["findings"] == 1
    assert window.lines == [line]


REFUSED = {
    "an unknown what": (["all"], "what must be one of file, selection"),
    "a selection without a range": (["selection", "URI"], "selection needs a range"),
    "a file that is not open": (["file", "file:///nowhere.py"], "This file cannot be reviewed"),
    "a change outside of a repository": (["changes", "file:///nowhere/x.py"], "git cannot be run|git refuses"),
}


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_reviewed_is_refused_in_a_sentence(
    start: Start, command: tuple[str, ...], arguments: list[str], sentence: str
) -> None:
    window = Window(await start(command), f"{TEXT}‸")
    with pytest.raises(Exception, match=sentence):
        await window.run("review", *[window.buffer.uri if one == "URI" else one for one in arguments])


async def test_a_conflict_that_was_left_is_refused(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), "‸<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> work\n")
    with pytest.raises(Exception, match="unresolved merge conflict on line 1"):
        await window.review()


TOLD = {
    "prose": ("# prose", 0, "not in the form it was asked for"),
    "lies": ("# lies", 0, "1 not-quoted, 1 outside-range"),
    "an engine that died": ("# dies", 0, "The engine died."),
}


@pytest.mark.parametrize(("mark", "findings", "sentence"), TOLD.values(), ids=TOLD)
async def test_what_went_wrong_is_told(
    start: Start, command: tuple[str, ...], mark: str, findings: int, sentence: str
) -> None:
    window = Window(await start(command), f"{TEXT}{mark}‸\n")
    answer = await window.review()
    assert answer["findings"] == findings
    assert sentence in answer["message"]


async def test_a_finding_follows_its_lines_and_goes_when_they_change(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"‸{TEXT}# two\n")
    await window.review()
    window.buffer.type("import os\n")
    window.buffer.offset = window.buffer.text.index("sum(values)")
    window.buffer.type("abs")
    await window.until_shown(1)
    assert window.lines == [4]


async def test_a_file_that_changes_during_the_review_keeps_what_is_still_true(
    start: Start, command: tuple[str, ...], go: Path
) -> None:
    window = Window(await start(command), f"{TEXT}‸# later\n")
    reviewing = asyncio.ensure_future(window.review())
    await asyncio.sleep(0)  # it is sent now, and what follows behind it
    await window.run("status")  # by its answer the review has taken the text
    window.buffer.offset = window.buffer.text.index("values):\n    total")
    window.buffer.type("all_")
    window.buffer.offset = 0
    window.buffer.type("import os\n")
    await window.run("status")  # … and by this one's it has heard of the edits
    await asyncio.to_thread(go.with_name("later").touch)
    answer = await reviewing
    assert (answer["findings"], answer["dropped"]) == (1, {"text-changed": 1})
    assert window.lines == [4]


async def test_a_new_review_replaces_what_an_earlier_one_said(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# two‸\n")
    await window.review()
    window.buffer.type("#", replacing=5)
    await window.review()
    assert window.shown == []


async def test_findings_can_be_cleared(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# two‸\n")
    await window.review()
    await window.run("review.clear", window.buffer.uri)
    assert window.shown == []


async def test_a_fix_is_an_edit_of_the_version_it_was_made_for(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# two‸\n")
    await window.review()
    fix = (await window.actions(3))["Fix"]
    assert isinstance(fix, types.CodeAction)
    assert fix.edit is not None
    [(uri, [edit])] = (fix.edit.changes or {}).items()
    assert (fix.is_preferred, uri, edit.new_text) == (True, window.buffer.uri, "max(1, len(values))")
    assert edit.range == window.shown[0].range


async def test_a_fix_that_breaks_the_syntax_is_not_offered(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# breaks‸\n")
    assert (await window.review())["findings"] == 1
    assert "Fix" not in await window.actions(3)


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which things are dismissed; each test does so in a project of its own."""
    return tmp_path_factory.mktemp("home")


async def test_a_dismissed_finding_stays_away(start: Start, command: tuple[str, ...], own_home: Path) -> None:
    window = Window(await start(command, home=own_home), f"{TEXT}# two‸\n", "file:///one/till.py")
    await window.review()
    await window.choose(3, "Dismiss")
    assert window.lines == [2]
    assert (await window.review())["dropped"] == {"dismissed": 1}
    assert window.lines == [2]


async def test_a_kind_can_be_dismissed(start: Start, command: tuple[str, ...], own_home: Path) -> None:
    window = Window(await start(command, home=own_home), f"{TEXT}# two‸\n", "file:///two/till2.py")
    await window.review()
    await window.choose(2, "Dismiss all findings about security in this project")
    assert window.lines == [3]
    assert (await window.review())["findings"] == 1


async def test_a_finding_is_explained(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}# two‸\n")
    await window.review()
    assert await window.run("review.explain", window.shown[0].data) == {"markdown": "It divides by zero."}


async def test_a_finding_that_is_gone_is_told(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}‸")
    with pytest.raises(Exception, match="not shown any more"):
        await window.run("review.explain", "f0")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one new file."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "mean.py").write_text(f"{TEXT}# two\n")
    return tmp_path


async def test_the_changes_of_a_file_are_reviewed(start: Start, command: tuple[str, ...], repository: Path) -> None:
    window = Window(await start(command), f"{TEXT}# two‸\n", (repository / "mean.py").as_uri())
    assert (await window.review("changes"))["findings"] == 2
    assert window.lines == [3, 2]


async def test_review_actions_are_offered_when_somebody_asks(start: Start, command: tuple[str, ...]) -> None:
    window = Window(await start(command), f"{TEXT}‸")
    titles = [title for title in await window.actions(2) if title.startswith("Review")]
    assert titles == ["Review the selection (fimserver)"]


async def test_without_a_chat_model_one_sentence_says_what_mends_it(start: Start) -> None:
    window = Window(await start((sys.executable, "-m", "fimserver", "serve")), f"{TEXT}‸")
    with pytest.raises(Exception, match=r"No chat model is chosen.*fimserver pull"):
        await window.review()
