"""What is found for a cursor: the definition it needs, within the budget, in the order that keeps prompts stable."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fimserver.retrieval.candidate import PATH_TOKENS, estimated_tokens
from fimserver.retrieval.query import Diagnostic
from fimserver.settings import ContextSettings
from fimserver.values import Document
from tests.unit.retrieval.workspaces import CASES, FILLING, Case, cursor_in, found, lay_out, searching


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_finds(root: Path, case: Case) -> None:
    lay_out(root, case.files)
    name, text = next(iter(case.files.items()))
    with searching(root) as searcher:
        snippets = found(searcher, cursor_in(root, name, text))
    assert case.needed in "\n".join(snippet.text for snippet in snippets)
    assert name not in {snippet.path for snippet in snippets}, "what stands in the document itself is there anyway"


@pytest.mark.parametrize("limit_tokens", [0, 20, 100, 500, 1500])
def test_what_is_found_fits_the_budget(root: Path, limit_tokens: int) -> None:
    files = {f"part_{number}.py": FILLING.replace("other", f"other_{number}") for number in range(8)}
    lay_out(root, files)
    imports = "".join(f"from part_{number} import other_{number}_3\n" for number in range(8))
    with searching(root) as searcher:
        snippets = found(searcher, cursor_in(root, "main.py", f"{imports}\nother‸\n"), limit_tokens)
    assert sum(estimated_tokens(one.text) + PATH_TOKENS for one in snippets) <= limit_tokens
    assert bool(snippets) == (limit_tokens >= 100)


def test_where_the_user_edited_last_is_shown_and_stands_last(root: Path) -> None:
    lay_out(root, {"notes.py": "first = 1\n", "shelf.py": "class Shelf: ...\n"})
    with searching(root) as searcher:
        for version, text in enumerate(("first = 1\n", "first = 1\ncandle = light(wick)\n")):
            searcher.see(Document.of(text, uri=(root / "notes.py").as_uri(), version=version))
        snippets = found(searcher, cursor_in(root, "main.py", "from shelf import Shelf\n\n‸\n"))
    assert [snippet.source for snippet in snippets][-1] == "recent"
    assert "candle = light(wick)" in snippets[-1].text


def test_a_file_the_user_looked_at_counts(root: Path) -> None:
    lay_out(root, {"lamp.py": "def light_candle(wick): ...\n"})
    context = cursor_in(root, "main.py", "x = 1\n‸\n")
    with searching(root) as searcher:
        assert found(searcher, context) == ()
        searcher.see(Document.of("def light_candle(wick): ...\n", uri=(root / "lamp.py").as_uri()))
        assert [snippet.path for snippet in found(searcher, context)] == ["lamp.py"]
        searcher.forget((root / "lamp.py").as_uri())
        assert found(searcher, context) == ()


def test_the_editors_text_is_taken_before_the_disks(root: Path) -> None:
    lay_out(root, {"lamp.py": "def light_candle(wick): ...\n"})
    with searching(root) as searcher:
        searcher.see(Document.of("def light_torch(oil): ...\n", uri=(root / "lamp.py").as_uri()))
        [snippet] = found(searcher, cursor_in(root, "main.py", "import lamp\n\nlamp.‸\n"))
    assert "light_torch(oil)" in snippet.text


@pytest.mark.parametrize("notes", [False, True], ids=["not unless asked for", "where asked for"])
def test_the_projects_notes_are_read(root: Path, notes: bool) -> None:
    lay_out(root, {".fimserver/context.md": "Books are put upright.\n"})
    with searching(root, ContextSettings(notes=notes)) as searcher:
        snippets = found(searcher, cursor_in(root, "main.py", "x = ‸\n"))
    assert ["Books are put upright" in snippet.text for snippet in snippets] == [True] * notes


def test_what_was_wanted_and_is_excluded_is_named_with_its_rule(root: Path) -> None:
    lay_out(root, {"shelf.py": "class Shelf: ...\n", ".aiignore": "shelf.py\n"})
    with searching(root) as searcher:
        result = searcher.search(cursor_in(root, "main.py", "from shelf import Shelf\n\n‸\n"), 500)
    assert result.snippets == ()
    assert [(path.name, exclusion.rule) for path, exclusion in result.refused] == [("shelf.py", ".aiignore:1")]


# What a workspace may hold that is no good: less is found, and nothing is raised.

NEEDED = {"main.py": "import lamp\n\nlamp.‸\n", "lamp.py": "def light_candle(wick): ...\n"}


def _loop(root: Path) -> None:
    (root / "loop").symlink_to(root)
    (root / "self.py").symlink_to(root / "self.py")
    (root / "ping").symlink_to(root / "pong")
    (root / "pong").symlink_to(root / "ping")


def _unreadable(root: Path) -> None:
    (root / "locked").mkdir()
    (root / "locked" / "a.py").write_text("x = 1\n")
    (root / "locked").chmod(0)


def _sparse(root: Path) -> None:
    with (root / "huge.py").open("wb") as file:
        file.truncate(2_000_000_000)


def _not_utf_8(root: Path) -> None:
    (root / "latin.py").write_bytes("größe = 1\n".encode("latin-1"))
    (root / os.fsdecode(b"na\xffme.py")).write_text("x = 1\n")


def _broken_patterns(root: Path) -> None:
    (root / ".gitignore").write_bytes(b"[\n\\\n***/\n\xff\xfe\n" + b"[" * 5_000 + b"\n!!!\n")


def _nothing(root: Path) -> None:
    pass


BAD = {
    "links that lead in circles": _loop,
    "a folder that may not be read": _unreadable,
    "a file of two gigabytes": _sparse,
    "text and names that are not UTF-8": _not_utf_8,
    "neither git nor an ignore file": _nothing,
}


@pytest.mark.parametrize("harm", BAD.values(), ids=BAD)
@pytest.mark.parametrize("with_git", [False, True], ids=["without git", "with git"])
def test_a_workspace_with_something_bad_in_it_is_searched_all_the_same(
    root: Path, harm: Callable[[Path], None], with_git: bool
) -> None:
    lay_out(root, NEEDED)
    if with_git:
        subprocess.run(["git", "init", "-q", str(root)], check=True)
    harm(root)
    try:
        with searching(root) as searcher:
            [snippet] = found(searcher, cursor_in(root, "main.py", NEEDED["main.py"]))
    finally:
        for folder in root.glob("locked"):
            folder.chmod(0o700)
    assert "def light_candle(wick)" in snippet.text


def test_an_ignore_file_that_cannot_be_understood_keeps_everything_out(root: Path) -> None:
    lay_out(root, NEEDED)
    _broken_patterns(root)
    with searching(root) as searcher:
        result = searcher.search(cursor_in(root, "main.py", NEEDED["main.py"]), 500)
    assert result.snippets == ()


def test_a_repository_that_changes_under_us(root: Path) -> None:
    lay_out(root, NEEDED | {f"other_{number}.py": FILLING for number in range(4)})
    context = cursor_in(root, "main.py", NEEDED["main.py"])
    with searching(root) as searcher:
        (root / "lamp.py").write_text("def light_torch(oil): ...\n")
        assert "light_torch(oil)" in found(searcher, context)[-1].text
        refreshing = searcher.project.refresh()
        next(refreshing)
        shutil.rmtree(root)
        for _ in refreshing:
            pass
        assert found(searcher, context) == ()


@pytest.mark.parametrize(
    ("line", "message", "shown"),
    [
        pytest.param(3, "unknown name: lampp\nand more", "line 4: unknown name: lampp", id="on the cursor's line"),
        pytest.param(20, "unknown name: lampp", "line 21: unknown name: lampp", id="near the cursor"),
        pytest.param(90, "unknown name: lampp", "", id="not far from it"),
        pytest.param(3, "x" * 900, "line 4: " + "x" * 192, id="cut where it is long"),
    ],
)
def test_what_is_said_of_the_lines_around_the_cursor(root: Path, line: int, message: str, shown: str) -> None:
    context = cursor_in(root, "main.py", "import lamp\n\n\nlampp.‸\n")
    with searching(root) as searcher:
        searcher.diagnosed(context.document, [Diagnostic(line, message)])
        searcher.see(context.document)
        assert [snippet.text for snippet in found(searcher, context)] == ([shown] if shown else [])
        edited = cursor_in(root, "main.py", "import lamp\n\n\nlamp.‸\n")
        searcher.see(edited.document)
        assert found(searcher, edited) == (), "it was said of another text"
