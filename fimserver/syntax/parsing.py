"""Have tree-sitter parse a text, all of it or what changed since an older tree, and not for ever."""

import importlib
from collections.abc import Callable
from functools import cache
from time import monotonic

import tree_sitter

from fimserver.syntax.languages import Language
from fimserver.syntax.source import BYTES_PER_CODE_POINT, Source

# A parse that takes longer is given up: 10,000 lines take 0.05 s to 0.12 s, but text that is no code may take minutes.
_PATIENCE_S = 1.0

# Shorter texts are always done by then.
_LONG = 100_000

# Rows and columns cost a search for each; nothing asks for them, and the parser goes by bytes.
_NOWHERE = tree_sitter.Point(0, 0)


def parsed(
    source: Source, language: Language, old: tree_sitter.Tree | None = None, *, giving_way: bool = False
) -> tree_sitter.Tree | None:
    """Return the tree of a text, None where that takes too long.

    `old` is an older tree, edited to where its nodes stand now: what it knows is not parsed again. `giving_way` lets
    other threads of this process run meanwhile.
    """
    parser = tree_sitter.Parser(_grammar(language.grammar))
    if giving_way or len(source.text) > _LONG:
        return _parsed_patiently(parser, source, old)
    if old is None:
        return parser.parse(source.content, encoding="utf16le")
    return parser.parse(source.content, old, encoding="utf16le")


def edited(tree: tree_sitter.Tree, start: int, old_end: int, new_end: int) -> tree_sitter.Tree:
    """Return the tree with its nodes where they stand after an edit, given in offsets."""
    moved = tree.copy()
    moved.edit(
        start * BYTES_PER_CODE_POINT,
        old_end * BYTES_PER_CODE_POINT,
        new_end * BYTES_PER_CODE_POINT,
        _NOWHERE,
        _NOWHERE,
        _NOWHERE,
    )
    return moved


def _parsed_patiently(
    parser: tree_sitter.Parser, source: Source, old: tree_sitter.Tree | None
) -> tree_sitter.Tree | None:
    give_up_at = monotonic() + _PATIENCE_S
    # A parser that can be told to stop reads through a callback, whose answers are never freed (0.26.1). So they are
    # views, which let go of the text when they are released.
    views = [memoryview(source.content)]

    def read(byte: int, _point: object) -> memoryview:
        views.append(views[0][byte:])
        return views[-1]

    def is_enough(_byte: int, _has_error: bool) -> bool:
        return monotonic() > give_up_at

    try:
        if old is None:
            return parser.parse(read, encoding="utf16le", progress_callback=is_enough)
        return parser.parse(read, old, encoding="utf16le", progress_callback=is_enough)
    except ValueError:  # it was told to stop
        return None
    finally:
        for view in reversed(views):
            view.release()


@cache
def _grammar(grammar: tuple[str, str]) -> tree_sitter.Language:
    """Import a grammar, when the first document needs it."""
    module, function = grammar
    make: Callable[[], object] = getattr(importlib.import_module(module), function)
    return tree_sitter.Language(make())
