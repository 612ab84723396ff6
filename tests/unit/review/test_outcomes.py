"""What a command on a part comes to: an edit, a comment, a new file; and what an explanation of a finding is told."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from fimserver.engine.fake import Reply, ScriptedEngine
from fimserver.engine.interface import Chunk, GenerateRequest
from fimserver.errors import EditRefused, ModelMissing
from fimserver.retrieval.gather import Gatherer
from fimserver.review.editing import Ask
from fimserver.review.explaining import explanation
from fimserver.review.findings import Category, Finding, Severity
from fimserver.review.outcomes import edit_of_comment, edit_of_part, file_of_tests, refusal
from fimserver.review.passages import Target, passages
from fimserver.review.related import related_by
from fimserver.settings import Settings, read_settings
from fimserver.values import Document, Span

CODE = "def total(prices):\n    result = 0\n    for price in prices:\n        result += price\n    return result\n"
SHORT = "def total(prices):\n    return sum(prices)"


class Told(ScriptedEngine):
    """A scripted engine that keeps what it was told."""

    told = ""

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        self.told = "".join(f"{turn}" for turn in request.prompt.turns) or str(request.prompt)
        async for chunk in super().generate(request):
            yield chunk


def saying(*pieces: str) -> Told:
    return Told([Reply(pieces=pieces)])


def ask(action: str, text: str = CODE) -> Ask:
    document = Document.of(text, uri="file:///shop/till.py")
    return Ask(action=action, document=document, part=Span(0, len(text) - 1), path="till.py")


async def test_a_part_becomes_what_the_model_wrote_and_progress_is_heard() -> None:
    heard: list[str] = []
    edit = await edit_of_part(saying("```python\n", SHORT, "\n```"), ask("simplify"), heard.append)
    assert edit.text == SHORT
    assert heard[-1].startswith("```python\n")
    assert len(heard) > 1


async def test_a_comment_is_put_where_the_file_has_it() -> None:
    edit = await edit_of_comment(saying("```\nAdd the prices.\n```"), saying("no"), ask("docstring"), 0, lambda _: None)
    assert edit.text.strip() == '"""Add the prices."""'


async def test_without_a_chat_model_the_completion_model_writes_the_comment() -> None:
    chat = ScriptedEngine([Reply(error=ModelMissing("No chat model is chosen."))])
    edit = await edit_of_comment(chat, saying("Add the prices.", '"""', "\n"), ask("docstring"), 0, lambda _: None)
    assert edit.text.strip() == '"""Add the prices."""'


async def test_tests_become_a_new_file_beside_it(tmp_path: Path) -> None:
    engine = saying("```python\ndef test_total():\n    assert total([1]) == 1\n```")
    new = await file_of_tests(engine, ask("tests"), tmp_path / "till.py", "total", tmp_path, lambda _: None)
    assert (new.path, new.new_errors) == (tmp_path / "test_till.py", 0)
    assert new.text == "def test_total():\n    assert total([1]) == 1\n"
    assert "test_till.py with pytest" in engine.told


async def test_tests_with_syntax_errors_say_how_many(tmp_path: Path) -> None:
    engine = saying("```python\ndef test_total(:\n    pass\n```")
    new = await file_of_tests(engine, ask("tests"), tmp_path / "till.py", "total", tmp_path, lambda _: None)
    assert new.new_errors > 0


@pytest.mark.parametrize(("errors", "said"), [(1, "a syntax error"), (3, "3 syntax errors")])
def test_an_edit_that_breaks_is_refused_in_numbers(errors: int, said: str) -> None:
    assert isinstance(refusal(errors), EditRefused)
    assert said in str(refusal(errors))


async def test_an_explanation_is_told_the_finding_and_the_code_around_it() -> None:
    finding = Finding(
        document=Document.of(CODE, uri="file:///shop/till.py"),
        span=Span(CODE.index("result += price"), CODE.index("\n    return")),
        category=Category.BUG,
        severity=Severity.WARNING,
        message="It may not be a number.",
    )
    engine = saying("It ", "adds.")
    assert [piece async for piece in explanation(engine, finding, (Path("/shop"),))] == ["It ", "adds."]
    for told in ("till.py", "It may not be a number.", "warning, bug", "result += price"):
        assert told in engine.told


@pytest.mark.parametrize(
    ("context", "found"),
    [
        pytest.param({}, ["shelf.py"], id="what a suggestion there would be shown"),
        pytest.param({"other_files": False}, [], id="nothing where other files are switched off"),
    ],
)
async def test_a_passage_is_reviewed_with(
    context: dict[str, object], found: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))
    (tmp_path / "project").mkdir()
    root = tmp_path / "project"
    (root / "shelf.py").write_text("class Shelf:\n    def put_upright(self, book): ...\n", "utf-8")
    text = "from shelf import Shelf\n\nShelf().put_upright(1)\n"
    document = Document.of(text, uri=(root / "main.py").as_uri())
    [passage] = passages(Target.whole(document), 1000)
    settings, _ = read_settings({"context": context}, Settings())
    with closing(Gatherer((root,), settings.context)) as gatherer:
        assert not settings.context.other_files or gatherer.indexed.wait(200)
        assert [snippet.path for snippet in await related_by(gatherer, settings)(passage)] == found
