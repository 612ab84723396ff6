"""Turn a place in a file into what a model would read there: every piece, where it comes from, and what is kept out."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.place import Place, document_at, place_argument
from fimserver.cli.project import Project, opened_project
from fimserver.context.anchor import fresh_anchor, typed_since
from fimserver.context.cursor import look_around
from fimserver.context.window import Budget
from fimserver.retrieval.candidate import estimated_tokens
from fimserver.retrieval.gather import Explanation
from fimserver.uris import shown_path
from fimserver.values import CursorContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of the prompt. Its tokens are estimated; a piece of this file has no score."""

    source: str
    path: str
    score: float | None
    tokens: int
    text: str


@click.command("context")
@place_argument
@click.option("--text", "show_text", is_flag=True, help="Print the text of each piece, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.pass_obj
def context_command(choice: Choice, place: Place, show_text: bool, as_json: bool) -> None:
    """Show what a model would read at a position, and which files are kept out.

    Each piece is listed with its source, its score and its estimated tokens, in the order of the prompt's text; each
    file that was wanted and is excluded, with the rule that excludes it. No model is asked.
    """
    document, offset = document_at(place)
    with opened_project(place.path, choice.settings) as project:
        context = look_around(document, offset, completion=project.settings.completion, invoked=True)
        explanation = _explained(project, context)
        inside = project.other_files.rule_against_completion(place.path.absolute())
    pieces = [] if inside else list(_pieces(context, explanation, project.root))
    excluded = [(str(path), exclusion.rule) for path, exclusion in explanation.excluded]
    excluded += [(str(place.path), inside)] if inside else []
    if as_json:
        kept_out = [{"path": path, "rule": rule} for path, rule in excluded]
        output.as_json({"pieces": [asdict(piece) for piece in pieces], "excluded": kept_out})
    else:
        _show(pieces, excluded, show_text=show_text)


def _explained(project: Project, context: CursorContext) -> Explanation:
    return project.other_files.explain(context) if project.settings.context.other_files else Explanation()


def _pieces(context: CursorContext, explanation: Explanation, root: Path) -> Iterator[Piece]:
    """Yield the pieces of other files, then those of this one: before the cursor's line, on it, after it."""
    for snippet, tokens in explanation.segments:
        score = round(snippet.score, 3)
        yield Piece(source=snippet.source, path=snippet.path, score=score, tokens=tokens, text=snippet.text)
    anchor = fresh_anchor(context, Budget())
    path, _ = shown_path(context.document.uri, (root,))
    for source, text in (
        ("before the line", anchor.prefix),
        ("typed on the line", typed_since(anchor, context)),
        ("after the cursor", anchor.suffix),
    ):
        yield Piece(source=source, path=path, score=None, tokens=estimated_tokens(text), text=text)


def _show(pieces: list[Piece], excluded: list[tuple[str, str]], *, show_text: bool) -> None:
    headings = [(heading, output.FAINT) for heading in ("tokens", "score", "source", "path")]
    output.columns([headings, *map(_cells, pieces)])
    for path, rule in excluded:
        output.line(("kept out  ", output.BAD), path, (f"  by {rule}", output.FAINT))
    for piece in pieces if show_text else ():
        output.line((f"\n{piece.source}: {piece.path}", output.FAINT))
        output.line(piece.text)


def _cells(piece: Piece) -> list[output.Part]:
    score = "" if piece.score is None else f"{piece.score:.2f}"
    return [str(piece.tokens), score, piece.source, piece.path]
