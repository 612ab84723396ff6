"""What the thread behind all searches promises: what is returned, when it changes, what is never returned."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fimserver.retrieval.gather import Gatherer
from fimserver.settings import ContextSettings
from fimserver.values import CursorContext, Document, Snippet
from tests.unit.retrieval.workspaces import cursor_in, lay_out

FILES = {
    "shelf.py": "class Shelf:\n    def put_upright(self, book): ...\n",
    "lamp.py": "def light_candle(wick): ...\n",
}
MAIN = "from shelf import Shelf\nimport lamp\n\nShelf().‸\n"

LIMIT_TOKENS = 512

Make = Callable[..., Gatherer]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))
    folder = tmp_path / "project"
    folder.mkdir()
    return lay_out(folder, FILES)


@pytest.fixture
def gatherer(root: Path) -> Iterator[Gatherer]:
    with closing(Gatherer((root,), ContextSettings())) as made:
        assert made.indexed.wait(200)
        yield made


@pytest.fixture
def context(root: Path) -> CursorContext:
    return cursor_in(root, "main.py", MAIN)


def paths(snippets: tuple[Snippet, ...]) -> set[str]:
    return {snippet.path for snippet in snippets}


async def test_returns_what_the_cursor_needs(gatherer: Gatherer, context: CursorContext) -> None:
    assert paths(await gatherer.snippets(context, LIMIT_TOKENS)) == {"shelf.py", "lamp.py"}


async def test_the_same_place_gets_the_same_snippets(gatherer: Gatherer, root: Path, context: CursorContext) -> None:
    first = await gatherer.snippets(context, LIMIT_TOKENS)
    for typed in ("p", "put", "put_upright(la"):
        again = await gatherer.snippets(cursor_in(root, "main.py", MAIN.replace("‸", f"{typed}‸")), LIMIT_TOKENS)
        assert again == first


async def test_a_budget_that_wavers_does_not(gatherer: Gatherer, context: CursorContext) -> None:
    first = await gatherer.snippets(context, LIMIT_TOKENS)
    assert [await gatherer.snippets(context, LIMIT_TOKENS + more) for more in (0, 9, 90)] == [first] * 3


async def test_what_was_edited_in_another_window_is_read_anew(
    gatherer: Gatherer, root: Path, context: CursorContext
) -> None:
    await gatherer.snippets(context, LIMIT_TOKENS)
    gatherer.changed(Document.of("class Shelf:\n    def lay_flat(self): ...\n", uri=(root / "shelf.py").as_uri()))
    texts = "".join(snippet.text for snippet in await gatherer.snippets(context, LIMIT_TOKENS))
    assert ("lay_flat" in texts, "put_upright" in texts) == (True, False)


async def test_what_became_excluded_is_gone_at_once(gatherer: Gatherer, root: Path, context: CursorContext) -> None:
    await gatherer.snippets(context, LIMIT_TOKENS)
    (root / ".continueignore").write_text("shelf.py\n")
    gatherer.files_changed([root / ".continueignore"])
    assert paths(await gatherer.snippets(context, LIMIT_TOKENS)) == {"lamp.py"}


async def test_changed_settings_and_folders_are_followed(
    gatherer: Gatherer, root: Path, context: CursorContext, tmp_path: Path
) -> None:
    await gatherer.snippets(context, LIMIT_TOKENS)
    gatherer.use((root,), ContextSettings(exclude=("lamp.py",)))
    assert paths(await gatherer.snippets(context, LIMIT_TOKENS)) == {"shelf.py"}
    gatherer.use((tmp_path / "home",), ContextSettings())
    assert await gatherer.snippets(context, LIMIT_TOKENS) == ()


@pytest.mark.parametrize(
    ("settings", "limit_tokens"),
    [
        pytest.param(ContextSettings(other_files=False), LIMIT_TOKENS, id="switched off"),
        pytest.param(ContextSettings(), 0, id="no room"),
        pytest.param(ContextSettings(), -5, id="less than no room"),
    ],
)
async def test_returns_nothing(
    root: Path, context: CursorContext, settings: ContextSettings, limit_tokens: int
) -> None:
    with closing(Gatherer((root,), settings)) as gatherer:
        assert await gatherer.snippets(context, limit_tokens) == ()


async def test_the_rule_against_suggestions_is_named_and_looked_up_again(gatherer: Gatherer, root: Path) -> None:
    path = root / "shelf.py"
    assert gatherer.rule_against_completion(path) == ""
    (root / ".aiexclude").write_text("shelf.py\n")
    gatherer.files_changed([root / ".aiexclude"])
    await gatherer.snippets(cursor_in(root, "main.py", MAIN), LIMIT_TOKENS)  # after whatever was asked for before
    assert gatherer.rule_against_completion(path) == ".aiexclude:1"
    assert gatherer.rule_against_completion(root / ".env.local").startswith("the built-in rule .env")


async def test_what_only_git_ignores_may_be_completed_in(gatherer: Gatherer, root: Path) -> None:
    (root / ".gitignore").write_text("shelf.py\n")
    gatherer.files_changed([root / ".gitignore"])
    assert gatherer.rule_against_completion(root / "shelf.py") == ""


async def test_after_it_was_closed_nothing_is_returned_and_nothing_raised(root: Path, context: CursorContext) -> None:
    gatherer = Gatherer((root,), ContextSettings())
    waiting = asyncio.ensure_future(gatherer.snippets(context, LIMIT_TOKENS))
    await asyncio.sleep(0)
    await asyncio.to_thread(gatherer.close)
    await waiting
    assert await gatherer.snippets(context, LIMIT_TOKENS) == ()
    gatherer.changed(context.document)
    gatherer.closed(context.document.uri)
    gatherer.files_changed([root / "shelf.py"])


async def test_requests_that_come_too_fast_are_all_answered(gatherer: Gatherer, root: Path) -> None:
    contexts = [cursor_in(root, "main.py", MAIN.replace("‸", f"{'x' * number}‸")) for number in range(12)]
    answers = await asyncio.gather(*(gatherer.snippets(context, LIMIT_TOKENS) for context in contexts))
    assert paths(answers[-1]) == {"shelf.py", "lamp.py"}
