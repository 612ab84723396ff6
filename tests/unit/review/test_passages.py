"""A target is cut into passages: between syntax nodes, each asked line in exactly one, with its headers and numbers."""

import pytest

from fimserver.review.passages import Passage, Target, halves, passages
from fimserver.values import Document

FUNCTION = "def f{n}(x):\n    y = x + {n}\n    if y:\n        return y\n    return x\n"
MODULE = "\n\n".join(FUNCTION.format(n=n) for n in range(10))
CLASS = "class Till:\n" + "\n".join(
    f"    def m{n}(self):\n        a = {n}\n        b = a + 1\n        return b\n" for n in range(8)
)


def document(text: str, language: str = "python") -> Document:
    return Document.of(text, uri=f"file:///{hash((text, language))}.py", language=language)


def first_lines(parts: list[Passage]) -> list[str]:
    return [part.document.text.splitlines()[part.lines.start] for part in parts]


CUTS = {
    "functions are not cut": (MODULE, "python", 300, "def f"),
    "methods are not cut": (CLASS, "python", 300, "    def m|class"),
    "without a grammar indentation decides": (MODULE, "unknown", 300, "def f"),
}


@pytest.mark.parametrize(("text", "language", "most", "begins"), CUTS.values(), ids=CUTS)
def test_long_texts_are_cut_between_nodes(text: str, language: str, most: int, begins: str) -> None:
    parts = passages(Target.whole(document(text, language)), most)
    assert len(parts) > 2
    assert all(line.startswith(tuple(begins.split("|"))) for line in first_lines(parts))
    assert all(len(part.listing) <= most + 2 * 80 for part in parts)


WHOLE = {"python": MODULE, "a class": CLASS, "no code": "a\n\n\nb\n" * 50, "one long line": "x" * 5_000 + "\ny\n"}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_each_line_that_is_not_blank_is_asked_about_once(text: str) -> None:
    asked = [
        line
        for part in passages(Target.whole(document(text)), 200)
        for lines in part.asked
        for line in lines
        if text.split("\n")[line].strip()
    ]
    assert asked == [number for number, line in enumerate(text.split("\n")) if line.strip()]


@pytest.mark.parametrize("text", ["", "\n \n\n"], ids=["an empty text", "blank lines"])
def test_there_is_nothing_to_review_in(text: str) -> None:
    assert passages(Target.whole(document(text)), 200) == []


def test_a_listing_numbers_its_lines_below_its_headers() -> None:
    [*_, part] = passages(Target.whole(document(CLASS)), 300)
    assert part.listing.startswith("    1 | class Till:\n      | …\n")
    assert "   40 |         return b" in part.listing.splitlines()


def test_a_change_is_shown_in_its_function_with_what_was_removed() -> None:
    target = Target(document(CLASS), (range(13, 14),), {13: ("        b = a - 1",)}, is_change=True)
    [part] = passages(target, 2_000)
    assert part.listing.splitlines() == [
        "    1 | class Till:",
        "      | …",
        "   12 |     def m2(self):",
        "   13 |         a = 2",
        "      -|         b = a - 1".replace("      -", "     -"),
        "   14+|         b = a + 1",
        "   15 |         return b",
    ]
    assert (part.asked, part.asked_words) == ((range(13, 14),), "14")


def test_changes_near_each_other_are_one_passage() -> None:
    parts = passages(Target(document("x = 1\n" * 40), (range(3, 4), range(9, 12)), is_change=True), 2_000)
    assert [(part.lines, part.asked_words) for part in parts] == [(range(20), "4, 10 to 12")]


def test_a_passage_is_halved_between_nodes() -> None:
    [whole] = passages(Target.whole(document(MODULE)), 10_000)
    parts = halves(whole)
    assert [line for part in parts for line in part.lines] == list(whole.lines)
    assert len(parts) > 1
    assert not any(line.startswith("    ") for line in first_lines(parts))


def test_one_line_is_not_halved() -> None:
    [whole] = passages(Target.whole(document("x = 1")), 10_000)
    assert halves(whole) == []
