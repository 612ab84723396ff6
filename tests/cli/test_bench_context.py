"""`fimserver bench recall` and `fimserver bench quality --cross-file`, on a package in which all is known."""

from pathlib import Path

import pytest

from tests.cli import commands

FILES = {
    "__init__.py": "",
    "shelf.py": "class Bookshelf:\n    def put_upright(self, book):\n        self.books = book\n",
    "main.py": "from package.shelf import Bookshelf\n\n\ndef fill(books):\n    shelf = Bookshelf()\n"
    "    for one in books:\n        shelf.put_upright(one)\n    return shelf\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def test_recall_counts_the_definitions_that_would_be_sent(package: Path) -> None:
    figures = commands.run("bench", "recall", "--json", "--budget", "300", "--budget", "1", package).json
    assert figures["300"]["all"]["found"] == figures["300"]["all"]["holes"] == 2
    assert figures["1"]["all"]["found"] == 0
    assert figures["300"]["by_sources"]["only imports"]["found"] == 2
    assert figures["300"]["by_sources"]["only recent"]["found"] == 0
    table = commands.run("bench", "recall", "--budget", "300", package).out
    assert "| all | 2 | 100.0% ± 0.0% |" in table


def test_a_model_is_right_where_it_can_read_the_definition(package: Path, tmp_path: Path) -> None:
    settings = commands.file(tmp_path, "[model]\nprofile = 'qwen2.5-coder'\n", "settings.toml")
    both = "shelf = Bookshelf().put_upright(one)\n"
    engine = commands.script(tmp_path, {"when": "def put_upright", "text": both}, {"text": "x\n"})
    options = ("--settings", settings, "--engine", engine, "bench", "quality", "--cross-file", "--count", "2")
    figures = commands.run(*options, "--json", package).json
    matches = {name: row["identifier_match"] for name, row in figures["cross_file"].items()}
    assert (matches["none"], matches["all"], matches["only imports"], matches["only recent"]) == (0, 1, 1, 0)
    assert set(figures["in_file"]) == {"none", "all"}
    assert "| none | 2 | 0.0% ± 0.0% |" in commands.run(*options, package).out
