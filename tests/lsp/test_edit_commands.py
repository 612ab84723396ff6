"""Commands on a selection, in a real server that answers from a script: what is changed, and what never is."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fimserver.lsp.names import EDITS, edit_command
from fimserver.review.actions import ACTIONS
from tests.lsp.editing_window import CAPABILITIES, EditingWindow
from tests.lsp.raw_client import RawClient

TILL = """import os


«def total(prices):
    result = 0
    for price in prices:
        result += price
    return result»
"""
SHORT = "def total(prices):\n    return sum(prices)"


def fence(code: str) -> str:
    return f"```python\n{code}\n```"


def server(
    home: Path, *replies: dict[str, Any], capabilities: Any = CAPABILITIES, roots: tuple[Path, ...] = ()
) -> RawClient:
    script = home / "replies.jsonl"
    script.write_text("\n".join(map(json.dumps, replies)), "utf-8")
    client = RawClient(home, (sys.executable, "-m", "fimserver", "--engine", f"scripted:{script}", "serve"))
    folders = [{"uri": root.as_uri(), "name": root.name} for root in roots]
    client.initialize(capabilities=capabilities, workspaceFolders=folders or None)
    return client


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that the answer about `slow` waits for."""
    return tmp_path_factory.mktemp("go") / "go"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, go: Path) -> Iterator[RawClient]:
    """One server for all tests whose answers depend on what they ask."""
    replies = [
        {"when": "def slow", "pieces": ["```python\n", {"wait_for": str(go)}, "def slow():\n    return 2\n```"]},
        {"when": "def never", "pieces": ["```\n", {"wait_for": "/nonexistent/never"}]},
        {"when": "def broken", "text": fence("def broken(:\n    return")},
        {"when": "def talkative", "text": "I would rather not change that."},
        {"when": "def same", "text": fence("def same():\n    return 1")},
        {"when": "def leaky", "text": fence("def leaky():\n    return '<|im_start|>'")},
        {"when": "def endless", "text": "word " * 3000},
        {"when": "Write the test file", "text": fence("def test_total() -> None:\n    assert total([1]) == 1")},
        {"when": "Write the text of its documentation comment", "text": fence("Return the sum of all prices.")},
        {"when": "Explain the part", "text": "It adds **prices**."},
        {
            "when": "no shout",
            "text": fence("def total(prices):\n    return sum(price for price in prices if price > 0)"),
        },
        {"when": "line 7: no augmented", "text": fence(SHORT)},
        {"text": fence(SHORT)},
    ]
    with server(tmp_path_factory.mktemp("shared"), *replies) as client:
        yield client


@pytest.fixture
def till(shared: RawClient, request: pytest.FixtureRequest) -> EditingWindow:
    return EditingWindow(shared, TILL, uri=f"file:///shop/{request.node.name}.py")


def message(answer: dict[str, Any]) -> str:
    return str(answer["error"]["message"])


def test_every_action_is_a_command_of_the_server() -> None:
    assert tuple(ACTIONS) == EDITS


def test_the_selection_is_changed_in_one_step(till: EditingWindow) -> None:
    assert till.run("fimserver.simplify")["result"] == {"applied": True}
    assert (till.text, till.steps) == (f"import os\n\n\n{SHORT}\n", 1)


def test_an_instruction_is_followed(till: EditingWindow) -> None:
    till.run("fimserver.instruct", instruction="no shout")
    assert "if price > 0" in till.text


def test_diagnostics_are_told_with_their_line(till: EditingWindow) -> None:
    complaint = {
        "message": "no augmented assignment",
        "range": {"start": {"line": 6, "character": 8}, "end": {"line": 6, "character": 9}},
    }
    till.run("fimserver.fix", diagnostics=[{**complaint, "severity": 2, "source": "other"}])
    assert SHORT in till.text


def test_a_docstring_goes_where_it_belongs_and_changes_nothing_else(till: EditingWindow) -> None:
    before = till.text
    till.run("fimserver.docstring")
    docstring = '    """Return the sum of all prices."""\n'
    assert till.text == before.replace("    result = 0\n", f"{docstring}    result = 0\n")


def test_types_are_added(till: EditingWindow) -> None:
    assert till.run("fimserver.types")["result"] == {"applied": True}


def test_tests_go_into_a_new_file(tmp_path: Path, shared: RawClient) -> None:
    source = tmp_path / "till.py"
    source.touch()
    window = EditingWindow(shared, TILL, uri=source.as_uri())
    before = window.text
    answer = window.run("fimserver.tests")
    new = (tmp_path / "test_till.py").as_uri()
    assert answer["result"] == {"applied": True, "uri": new}
    assert window.created == {new: "def test_total() -> None:\n    assert total([1]) == 1\n"}
    assert window.text == before


def test_an_explanation_is_returned_and_shown_as_a_document(till: EditingWindow) -> None:
    assert till.run("fimserver.explain")["result"] == {"markdown": "It adds **prices**."}
    [shown] = till.shown
    assert Path(shown.removeprefix("file://")).read_text() == "It adds **prices**."
    assert till.steps == 0


def test_of_an_explanation_without_an_end_what_there_is_is_kept(shared: RawClient) -> None:
    window = EditingWindow(shared, "«def endless():\n    return 1»\n", uri="file:///shop/wordy.py")
    text = window.run("fimserver.explain")["result"]["markdown"]
    assert text.startswith("word word")
    assert text.endswith("Ask about less at a time.*")


def test_a_progress_is_begun_and_ended(till: EditingWindow) -> None:
    till.run("fimserver.simplify")
    assert (till.seen[0], till.seen[-1]) == ("begin", "end")


REFUSED = {
    "an answer that is prose": ("talkative", "answered without code"),
    "an answer that changes nothing": ("same", "leave the code as it is"),
    "a control token": ("leaky", "<|im_start|>"),
    "an answer without an end": ("endless", "cut off after"),
    "new syntax errors": ("broken", "syntax error"),
}


@pytest.mark.parametrize(("name", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_must_not_go_into_the_text_is_refused_and_nothing_is_changed(
    shared: RawClient, name: str, why: str
) -> None:
    window = EditingWindow(shared, f"«def {name}():\n    return 1»\n", uri=f"file:///shop/refused-{name}.py")
    before = window.text
    assert why in message(window.run("fimserver.simplify"))
    assert (window.text, window.steps) == (before, 0)


def test_syntax_errors_are_forced_in_by_the_button(shared: RawClient) -> None:
    window = EditingWindow(shared, "«def broken():\n    return 1»\n", uri="file:///shop/button.py")
    window.pressed = "Apply anyway"
    assert window.run("fimserver.simplify")["result"] == {"applied": True}
    assert window.text == "def broken(:\n    return\n"


def test_syntax_errors_are_forced_in_by_the_option(shared: RawClient) -> None:
    window = EditingWindow(shared, "«def broken():\n    return 1»\n", uri="file:///shop/option.py")
    assert window.run("fimserver.simplify", force=True)["result"] == {"applied": True}
    assert "window/showMessageRequest" not in window.asked


def test_a_text_that_changed_while_the_model_wrote_is_left_alone(shared: RawClient, go: Path) -> None:
    window = EditingWindow(shared, "«def slow():\n    return 1»\n", uri="file:///shop/slow.py")
    number = window.begin("fimserver.simplify")
    window.wait_for_progress("begin")
    window.type_at_end("# typed meanwhile\n")
    before = window.text
    go.touch()
    assert "changed while the model was writing" in message(window.finish(number))
    assert (window.text, window.steps) == (before, 0)


def test_a_command_for_an_older_version_is_not_even_asked(till: EditingWindow) -> None:
    till.type_at_end("\n")
    assert "not the one that was looked at" in message(till.run("fimserver.simplify", version=1))


def test_cancelling_the_progress_cancels_the_command(shared: RawClient) -> None:
    window = EditingWindow(shared, "«def never():\n    return 1»\n", uri="file:///shop/never.py")
    number = window.begin("fimserver.simplify")
    token = window.wait_for_progress("begin")
    shared.send({"method": "window/workDoneProgress/cancel", "params": {"token": token}})
    assert window.finish(number)["error"]["code"] == -32800
    assert window.steps == 0


def test_cancelling_the_request_cancels_the_command(shared: RawClient) -> None:
    window = EditingWindow(shared, "«def never():\n    return 1»\n", uri="file:///shop/never-too.py")
    number = window.begin("fimserver.simplify")
    window.wait_for_progress("begin")
    shared.send({"method": "$/cancelRequest", "params": {"id": number}})
    assert window.finish(number)["error"]["code"] == -32800


def test_a_closed_document_is_not_edited(till: EditingWindow, shared: RawClient) -> None:
    shared.send({"method": "textDocument/didClose", "params": {"textDocument": {"uri": till.uri}}})
    assert "not opened" in message(till.run("fimserver.simplify"))


NOTHING_TO_DO = {
    "an instruction is empty": ("fimserver.instruct", {"instruction": " "}, "takes an instruction"),
    "no diagnostics came along": ("fimserver.fix", {}, "nothing to fix"),
}


@pytest.mark.parametrize(("command", "options", "why"), NOTHING_TO_DO.values(), ids=NOTHING_TO_DO.keys())
def test_a_command_that_lacks_something_says_what(till: EditingWindow, command: str, options: Any, why: str) -> None:
    assert why in message(till.run(command, **options))


def titles(actions: list[dict[str, Any]]) -> list[str]:
    return [
        action["command"]["command"] for action in actions if action["command"]["command"] in map(edit_command, EDITS)
    ]


def test_code_actions_are_offered_for_a_selection(till: EditingWindow) -> None:
    assert titles(till.actions()) == [edit_command(name) for name in EDITS if name not in ("fix", "instruct")]


def test_a_code_action_does_what_its_title_says(till: EditingWindow) -> None:
    action = next(one for one in till.actions() if one["title"] == "Simplify (fimserver)")
    till.client.send({"id": 7, "method": "workspace/executeCommand", "params": action["command"]})
    assert till.finish(7)["result"] == {"applied": True}
    assert SHORT in till.text


def test_a_fix_is_offered_for_others_diagnostics_only(till: EditingWindow) -> None:
    place = {"start": {"line": 6, "character": 8}, "end": {"line": 6, "character": 9}}
    ours = {"message": "ours", "range": place, "source": "fimserver"}
    others = {"message": "theirs", "range": place, "source": "linter"}
    assert "fimserver.fix" in titles(till.actions(diagnostics=[ours, others]))
    assert "fimserver.fix" not in titles(till.actions(diagnostics=[ours]))


def test_only_the_kinds_that_an_editor_asks_for_are_offered(till: EditingWindow) -> None:
    assert "fimserver.explain" not in titles(till.actions(only=["refactor"]))
    assert titles(till.actions(only=["source.organizeImports"])) == []


def test_inside_of_a_line_nothing_is_offered(shared: RawClient) -> None:
    assert titles(EditingWindow(shared, "a = 1\nb = «»2\n", uri="file:///shop/inside.py").actions()) == []


def test_an_editor_without_versions_gets_plain_changes(tmp_path: Path) -> None:
    with server(tmp_path, {"text": fence("a = 2")}, capabilities={}) as client:
        window = EditingWindow(client, "«a = 1»\n")
        number = window.begin("fimserver.simplify")
        asked = client.receive()
        while asked.get("method") != "workspace/applyEdit":
            asked = client.receive()
        assert list(asked["params"]["edit"]["changes"]) == [window.uri]
        client.send({"id": asked["id"], "result": {"applied": False}})
        assert "did not make the edit" in message(client.answer_to(number))
