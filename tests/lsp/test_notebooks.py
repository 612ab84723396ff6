"""Notebooks over real pipes: a cell is completed in sight of its notebook, and its answer lies inside of the cell."""

import json
import sys
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drawn import CURSOR
from tests.lsp.raw_client import Message, RawClient

KEEPER = str(Path(__file__).with_name("prompt_keeper.py"))

NOTEBOOK = "file:///shop/sales.ipynb"


class Notebook:
    """A notebook in an editor. Cells go by letters, and are in Python but for `m`, which is Markdown."""

    def __init__(self, client: RawClient, cells: dict[str, str], uri: str = NOTEBOOK) -> None:
        self.client, self.uri = client, uri
        self._number = 0
        self._texts: dict[str, str] = {}
        items = [self._item(name, text) for name, text in cells.items()]
        self._notify(
            "didOpen",
            {
                "notebookDocument": {
                    "uri": uri,
                    "notebookType": "jupyter-notebook",
                    "version": 0,
                    "metadata": {"custom": {"nbformat": 4}},
                    "cells": [self._cell(name) for name in cells],
                },
                "cellTextDocuments": items,
            },
        )

    def cell(self, name: str) -> str:
        return f"vscode-notebook-cell:{self.uri.removeprefix('file:')}#{name}"

    def splice(self, start: int, removed: int, added: dict[str, str], *, closed: str = "") -> None:
        """Put cells in the place of others."""
        structure = {
            "array": {"start": start, "deleteCount": removed, "cells": [self._cell(name) for name in added]},
            "didOpen": [self._item(name, text) for name, text in added.items()],
            "didClose": [{"uri": self.cell(name)} for name in closed],
        }
        self._change({"structure": structure})

    def type(self, name: str, text: str) -> None:
        """Write text at the end of a cell."""
        at = self._end(name)
        self._texts[name] += text
        edit = {"range": {"start": at, "end": at}, "text": text}
        self._change({"textContent": [{"document": self._version(name), "changes": [edit]}]})

    def ask(self, name: str) -> list[Message]:
        """Ask at the end of a cell."""
        place = {"textDocument": {"uri": self.cell(name)}, "position": self._end(name)}
        self._number += 1
        asked = {**place, "context": {"triggerKind": 2}}
        answer = self.client.request(f"{self.uri} {self._number}", "textDocument/inlineCompletion", asked)
        return list(answer["result"]["items"])

    def accepted(self, name: str) -> str:
        """Return a cell with what is suggested at its end, and the cursor behind it."""
        [item] = self.ask(name)
        lines = self._texts[name].split("\n")
        start, end = item["range"]["start"], item["range"]["end"]
        assert start["line"] == end["line"] == len(lines) - 1
        line = lines[-1]
        lines[-1] = line[: start["character"]] + item["insertText"] + CURSOR + line[end["character"] :]
        return "\n".join(lines)

    def seen(self, name: str) -> str:
        """Return the document that is completed at the end of a cell that ends with the line `whole`."""
        [item] = self.ask(name)
        return str(literal_eval(item["insertText"]))

    def close(self) -> None:
        cells = [{"uri": self.cell(name)} for name in self._texts]
        self._notify("didClose", {"notebookDocument": {"uri": self.uri}, "cellTextDocuments": cells})

    def send_broken_change(self) -> None:
        self._change({"textContent": [{"document": {"uri": None}}]})

    def _change(self, cells: dict[str, Any]) -> None:
        self._number += 1
        document = {"uri": self.uri, "version": self._number}
        self._notify("didChange", {"notebookDocument": document, "change": {"cells": cells}})

    def _notify(self, what: str, params: dict[str, Any]) -> None:
        self.client.send({"method": f"notebookDocument/{what}", "params": params})

    def _cell(self, name: str) -> dict[str, Any]:
        return {"kind": 1 if name == "m" else 2, "document": self.cell(name), "metadata": {}}

    def _item(self, name: str, text: str) -> dict[str, Any]:
        self._texts[name] = text
        language = "markdown" if name == "m" else "python"
        return {**self._version(name), "languageId": language, "text": text}

    def _version(self, name: str) -> dict[str, Any]:
        self._number += 1
        return {"uri": self.cell(name), "version": self._number}

    def _end(self, name: str) -> dict[str, int]:
        lines = self._texts[name].split("\n")
        return {"line": len(lines) - 1, "character": len(lines[-1].encode("utf-16-le")) // 2}


@pytest.fixture
def notebook(shared: RawClient, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook of four cells, in a server whose completer tells what it sees at the line `whole`."""
    cells = {"a": "import math", "m": "# Areas", "b": "whole", "c": "area(2)"}
    notebook = Notebook(shared, cells, f"file:///shop/{request.node.name}.ipynb")
    yield notebook
    notebook.close()


ALL = "import math\n\n# # Areas\n\nwhole\n\narea(2)"


def test_the_server_announces_that_it_wants_notebooks(tmp_path: Path) -> None:
    with RawClient(tmp_path) as client:
        capabilities = client.initialize()["result"]["capabilities"]
    everything = {"notebook": "*", "cells": [{"language": "*"}]}
    assert capabilities["notebookDocumentSync"] == {"notebookSelector": [everything]}


def test_a_cell_is_completed_in_sight_of_all_cells(notebook: Notebook) -> None:
    assert notebook.seen("b") == ALL


def test_what_is_typed_in_another_cell_is_seen(notebook: Notebook) -> None:
    notebook.type("a", "\nprint('😀')")
    notebook.type("c", " + 1")
    assert notebook.seen("b") == ALL.replace("math", "math\nprint('😀')") + " + 1"


CHANGES: dict[str, tuple[tuple[int, int, dict[str, str], str], str]] = {
    "a cell is added at the top": ((0, 0, {"n": "new = 1"}, ""), f"new = 1\n\n{ALL}"),
    "a cell is added at the bottom": ((4, 0, {"n": "new = 1"}, ""), f"{ALL}\n\nnew = 1"),
    "cells are removed": ((0, 2, {}, "am"), "whole\n\narea(2)"),
    "a cell is replaced": ((0, 1, {"n": "new = 1"}, "a"), ALL.replace("import math", "new = 1")),
    "a cell is closed and opened in one breath": ((0, 1, {"a": "import os"}, "a"), ALL.replace("math", "os")),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_cells_come_and_go(notebook: Notebook, change: tuple[int, int, dict[str, str], str], expected: str) -> None:
    start, removed, added, closed = change
    notebook.splice(start, removed, added, closed=closed)
    assert notebook.seen("b") == expected


def test_a_cell_that_moves_is_seen_in_its_new_place(notebook: Notebook) -> None:
    notebook.splice(0, 1, {}, closed="a")
    notebook.splice(3, 0, {"a": "import math"})
    assert notebook.seen("b") == "# # Areas\n\nwhole\n\narea(2)\n\nimport math"


def test_a_closed_notebook_is_forgotten(notebook: Notebook) -> None:
    notebook.close()
    assert notebook.ask("b") == []


def test_a_cell_opened_as_a_document_of_its_own_stands_alone(shared: RawClient) -> None:
    shared.open("whole", "vscode-notebook-cell:/other.ipynb#a")
    asked = {
        "textDocument": {"uri": "vscode-notebook-cell:/other.ipynb#a"},
        "position": {"line": 0, "character": 5},
        "context": {"triggerKind": 2},
    }
    [item] = shared.request("alone", "textDocument/inlineCompletion", asked)["result"]["items"]
    assert item["insertText"] == "'whole'"


def test_a_change_that_cannot_be_read_silences_the_notebook_and_nothing_else(notebook: Notebook) -> None:
    notebook.send_broken_change()
    assert notebook.ask("b") == []
    again = Notebook(notebook.client, {"x": "whole"}, "file:///shop/another.ipynb")
    assert again.seen("x") == "whole"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[Notebook, Path]]:
    """A notebook in a server with the real completer, and the file of the prompts that its model reads."""
    prompts = tmp_path / "prompts.jsonl"
    prompts.touch()
    with RawClient(tmp_path, (sys.executable, KEEPER, str(prompts))) as client:
        client.initialize()
        yield Notebook(client, {"a": "radius = 2", "b": "", "c": "print(area)"}), prompts


def asked_prompts(prompts: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in prompts.read_text().splitlines()]
    return [row for row in rows if not row["warm"]]


def test_the_cells_above_are_the_prefix_and_those_below_the_suffix(kept: tuple[Notebook, Path]) -> None:
    notebook, prompts = kept
    notebook.type("b", "area = ")
    assert notebook.accepted("b") == "area = it‸"
    [row] = asked_prompts(prompts)
    above, below = row["text"].split("<|fim_suffix|>")
    assert above.endswith("<|fim_prefix|>radius = 2\n\n")
    assert below == "\n\nprint(area)<|fim_middle|>area ="


def test_typing_in_a_cell_changes_nothing_before_the_middle(kept: tuple[Notebook, Path]) -> None:
    notebook, prompts = kept
    for key in "area = radius * radius":
        notebook.type("b", key)
        notebook.ask("b")
    rows = asked_prompts(prompts)
    assert len(rows) > 5
    assert {row["held"] for row in rows} == {rows[0]["held"]}, "no token of it is evaluated again"


def test_an_excluded_notebook_gets_no_suggestion(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / ".aiignore").write_text("secret.ipynb\n")
    with RawClient(tmp_path, (sys.executable, KEEPER, str(tmp_path / "prompts.jsonl"))) as client:
        client.initialize(workspaceFolders=[{"uri": project.as_uri(), "name": "project"}])
        open_one = Notebook(client, {"a": "x = "}, (project / "open.ipynb").as_uri())
        secret = Notebook(client, {"a": "x = "}, (project / "secret.ipynb").as_uri())
        assert open_one.accepted("a") == "x = it‸"
        assert secret.ask("a") == []
