"""Trees: kept and parsed again from what changed, right for any text, and right near a place in a long one."""

import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimserver.syntax import kept, parsing
from fimserver.syntax.errors import error_count
from fimserver.syntax.kept import forget, parse, parse_near, parse_with, prepare
from fimserver.syntax.languages import every_language, language_named
from fimserver.syntax.tree import Node, Tree, parse_text
from fimserver.values import Document, Span
from tests.texts import ANY_TEXT
from tests.unit.syntax.samples import SAMPLES, long_text

GRAMMARS = [language.id for language in every_language()]
URI = "file:///project/main"


def document_of(text: str, language: str = "python") -> Document:
    return Document.of(text, uri=URI, language=language)


def fresh(text: str, language: str = "python") -> Tree:
    known = language_named(language)
    assert known is not None
    tree = parse_text(text, known)
    assert tree is not None
    return tree


def shape(node: Node) -> list[tuple[str, int, int]]:
    return [(node.type, node.start_byte, node.end_byte), *(line for child in node.children for line in shape(child))]


def kinds(tree: Tree, offset: int) -> list[str]:
    return [node.type for node in tree.path(offset)]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    forget(URI)


@pytest.mark.parametrize("language", GRAMMARS)
def test_every_grammar_parses_its_sample(language: str) -> None:
    assert not fresh(SAMPLES[language], language).root.has_error


def test_an_unknown_language_has_no_tree() -> None:
    document = document_of("puts 1", "ruby")
    assert parse(document) is None
    assert parse_near(document, 0) is None
    assert parse_with(document, Span(0, 0), "x") is None


@pytest.mark.parametrize("text", ["a = b", "é = b", "漢 = b", "😀 = b", "'😀漢é' + b", "\ud800 = b"])
def test_positions_are_offsets_whatever_the_text_holds(text: str) -> None:
    tree = fresh(text)
    leaf = tree.path(len(text) - 1)[-1]
    assert (leaf.type, tree.span(leaf)) == ("identifier", Span(len(text) - 1, len(text)))
    assert tree.text_of(leaf) == "b"


def test_the_path_goes_from_the_root_to_the_leaf() -> None:
    assert kinds(fresh("def f():\n    return 1\n"), 20) == [
        "module",
        "function_definition",
        "block",
        "return_statement",
        "integer",
    ]


def test_the_path_between_nodes_ends_with_what_holds_them() -> None:
    assert kinds(fresh("a\n\n\nb\n"), 2) == ["module"]


@pytest.mark.parametrize("language", GRAMMARS)
def test_a_changed_document_has_the_tree_of_its_text(language: str) -> None:
    chance, text = random.Random(language), SAMPLES[language]
    for _ in range(40):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 0, 0, 1, 20)))
        text = text[:start] + chance.choice(("x", "(", "{\n", '"', "é", "😀", "\n", "  ", "")) + text[end:]
        tree = parse(document_of(text, language))
        assert tree is not None
        assert tree.source.text == text
        assert shape(tree.root) == shape(fresh(text, language).root)


def test_an_unchanged_document_keeps_its_tree() -> None:
    assert parse(document_of("a = 1")) is parse(document_of("a = 1"))


def test_another_language_is_parsed_anew() -> None:
    parse(document_of("a = 1", "python"))
    tree = parse(document_of("a = 1", "javascript"))
    assert tree is not None
    assert tree.root.type == "program"


def test_a_forgotten_document_is_parsed_anew() -> None:
    before = parse(document_of("a = 1"))
    forget(URI)
    assert parse(document_of("a = 1")) is not before


def test_older_trees_are_let_go() -> None:
    first = parse(Document.of("a", uri="file:///0"))
    for number in range(1, 9):
        parse(Document.of("a", uri=f"file:///{number}"))
    assert parse(Document.of("a", uri="file:///0")) is not first


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = 1\n" * 200_000, id="longer than a million characters"),
        pytest.param("(" * 100_000, id="brackets opened 100,000 times"),
        pytest.param("x = " + "[ " * 100_000 + "]" * 100_000, id="brackets nested 100,000 deep"),
        pytest.param("x = 1\n\n" + "{\n" * 5_000, id="braces opened line by line"),
    ],
)
def test_what_is_no_code_is_not_parsed(text: str) -> None:
    document = document_of(text)
    assert parse(document) is None
    assert parse_near(document, len(text)) is None
    assert parse(document_of(text + "x")) is None


def test_what_was_no_code_is_tried_again_when_much_of_it_is_gone() -> None:
    assert parse(document_of("(" * 1000)) is None
    assert parse(document_of("(" * 10)) is not None


def test_a_paste_that_is_no_code_ends_parsing() -> None:
    assert parse(document_of("x = 1\n")) is not None
    assert parse_near(document_of("x = 1\n" + "(" * 1000), 5) is None


def test_a_parse_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    text = long_text("python", 120_000)
    monkeypatch.setattr(parsing, "_PATIENCE_S", 0.0)
    assert parse(document_of(text)) is None
    monkeypatch.undo()
    assert parse(document_of(text)) is None, "not tried again for the same text"
    assert parse(document_of(text * 2)) is not None


def test_the_neighbourhood_is_had_even_where_the_whole_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    text = long_text("python", 120_000)
    parse(document_of(text))
    monkeypatch.setattr(parsing, "_PATIENCE_S", 0.0)
    assert parse(document_of("x" + text)) is None
    assert parse_near(document_of("y" + text), 1) is not None


def test_deep_code_that_people_write_is_parsed_and_its_path_ends() -> None:
    text = "x = " + "-" * 2000 + "1"
    assert 10 < len(fresh(text).path(len(text) - 1)) <= 400


@pytest.mark.parametrize("language", GRAMMARS)
def test_near_a_place_in_a_long_text_the_tree_is_that_of_the_whole(language: str) -> None:
    """The first tree is of the whole text; each place is then asked for after a key that made that tree old."""
    text, chance = long_text(language), random.Random(language)
    parse(document_of(text, language))
    for _ in range(25):
        offset = text.index("\n", chance.randrange(len(text) - 100))
        text = text[:offset] + " " + text[offset:]
        near, whole = parse_near(document_of(text, language), offset), fresh(text, language)
        assert near is not None
        assert kinds(near, offset - 1) == kinds(whole, offset - 1)


@pytest.mark.parametrize("language", GRAMMARS)
def test_only_the_neighbourhood_of_a_place_is_parsed(language: str) -> None:
    text = long_text(language, 100_000)
    parse(document_of(text, language))
    offset = text.index("\n", 50_000)
    near = parse_near(document_of(text[:offset] + "x" + text[offset:], language), offset)
    assert near is not None
    parsed = len(near.source.text)
    assert parsed < 12_000


def test_what_was_typed_over_many_keys_is_near() -> None:
    text = long_text("python")
    parse(document_of(text))
    offset = text.index("\n", 20_000)
    for key in "\n\n\ndef added(values):\n    return values":
        text, offset = text[:offset] + key + text[offset:], offset + 1
        near = parse_near(document_of(text), offset)
    assert near is not None
    assert kinds(near, offset - 1)[:4] == ["module", "function_definition", "block", "return_statement"]


@pytest.mark.parametrize("first", ["<?php\n", "<!DOCTYPE html>\n<?php\n", "<?php declare(strict_types=1);\n"])
def test_code_far_below_the_tag_that_begins_it_is_code(first: str) -> None:
    text = first + "function f() {\n    g();\n}\n" * 2_000
    parse(document_of(text, "php"))
    offset = text.index("g();", 30_000) + len("g();")
    near = parse_near(document_of(text[:offset] + " h();" + text[offset:], "php"), offset)
    assert near is not None
    assert kinds(near, offset + 1)[1:4] == ["function_definition", "compound_statement", "expression_statement"]
    before, after = error_count(document_of(text, "php"), offset, offset, " h(")
    assert after > before == 0


def test_a_long_line_does_not_make_the_neighbourhood_long() -> None:
    text = "x = [" + "1, " * 30_000 + "]\n"
    parse(document_of(text))
    near = parse_near(document_of(text[:40_000] + "2" + text[40_000:]), 40_000)
    assert near is not None
    assert len(near.source.text) < 12_000


def test_a_long_document_is_parsed_beside_the_typing() -> None:
    text = long_text("python", 60_000)
    forget(URI)
    coming = prepare(document_of(text))
    assert coming is not None
    offset = text.index("\n", 30_000)
    typed = text[:offset] + " " + text[offset:]
    parse_near(document_of(typed), offset)  # with whatever is there already
    assert coming.result(timeout=200) is not None
    near = parse_near(document_of(typed), offset)
    assert near is not None
    assert kinds(near, offset - 1) == kinds(fresh(typed), offset - 1)
    assert prepare(document_of(typed)) is None


def test_after_many_edits_a_newer_tree_comes_and_the_neighbourhood_tells_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "_MOST_EDITS", 3)
    text = long_text("python", 60_000)
    parse(document_of(text))
    for number in range(12):
        offset = text.index("\n", 5_000 * number % 50_000)
        text = text[:offset] + " " + text[offset:]
        near = parse_near(document_of(text), offset)
        assert near is not None
        assert kinds(near, offset - 1) == kinds(fresh(text), offset - 1)


def test_a_tree_that_comes_late_follows_each_edit_made_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST_EDITS", 1)
    text = long_text("python", 60_000)
    parse(document_of(text))
    may_parse = threading.Event()
    kept._threads.submit(may_parse.wait)
    for place in (0, 50_000, 100, 59_000):
        offset = text.index("\n", place)
        text = text[:offset] + " " + text[offset:]
        parse_near(document_of(text), offset)
    coming = kept._kept[URI].coming
    assert coming is not None
    may_parse.set()
    coming.result(timeout=200)
    offset = text.index("\n", 30_000)
    text = text[:offset] + " " + text[offset:]
    near = parse_near(document_of(text), offset)
    assert near is not None
    assert kinds(near, offset - 1) == kinds(fresh(text), offset - 1)


def test_after_an_edit_of_two_places_at_once_a_newer_tree_comes() -> None:
    text = long_text("python", 60_000)
    parse(document_of(text))
    text = "x = 1\n" + text + "y = 2\n"
    offset = text.index("\n    ", 30_000) + 5
    parse_near(document_of(text), offset)
    assert kept._kept[URI].coming is not None
    kept._kept[URI].coming.result(timeout=200)
    typed = text[:offset] + "x" + text[offset:]
    near = parse_near(document_of(typed), offset)
    assert near is not None
    assert kinds(near, offset) == kinds(fresh(typed), offset)


def test_a_short_document_is_not_worth_a_thread() -> None:
    forget(URI)
    assert prepare(document_of("x = 1\n")) is None


def test_the_tree_of_a_replacement() -> None:
    document = document_of("f(a\n")
    as_it_is, then = parse_with(document, Span(3, 3), ""), parse_with(document, Span(3, 3), ", b)")
    assert as_it_is is not None
    assert then is not None
    assert (as_it_is.source.text, then.source.text) == ("f(a\n", "f(a, b)\n")
    assert (as_it_is.root.has_error, then.root.has_error) == (True, False)


@settings(max_examples=60)
@given(st.sampled_from(GRAMMARS), ANY_TEXT, st.integers(0, 600), st.integers(0, 40))
def test_no_text_is_too_broken(language: str, inserted: str, start: int, removed: int) -> None:
    sample = SAMPLES[language]
    text = sample[:start] + inserted + sample[start + removed :]
    tree = parse(document_of(text, language))
    assert tree is not None
    assert all(tree.span(node).end <= len(text) for node in tree.path(min(start, len(text))))
