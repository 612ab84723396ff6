"""When the snippets of a prompt change, and in which order they then stand."""

import pytest

from fimserver.retrieval.settle import in_stable_order, settled, within
from fimserver.values import Snippet


def snippets(drawn: str) -> tuple[Snippet, ...]:
    """Read `a=1 b=0.5`: a file for each word, with its score; what is in the file is its name and digits behind it."""
    pairs = (word.split("=") for word in drawn.split())
    return tuple(Snippet(name.rstrip("0123456789"), name, float(score), "test") for name, score in pairs)


def names(found: tuple[Snippet, ...]) -> str:
    return " ".join(snippet.text for snippet in found)


@pytest.mark.parametrize(
    ("in_use", "offered", "used"),
    [
        pytest.param("", "b=0.5 a=1", "b a", id="the first are taken as they are offered, the best last"),
        pytest.param("a=1 b=1", "b=1 a=1", "a b", id="the same ones keep their order"),
        pytest.param("a=1 b=1", "c=0.1 b=1 a=1", "a b", id="a little more changes nothing"),
        pytest.param("a=1 b=1", "b=1 a=1 c=1", "a b c", id="what is clearly better comes, behind what stays"),
        pytest.param("a=1 b=1", "c=1 d=1", "c d", id="what is no longer offered goes"),
        pytest.param("a=1", "a2=1", "a2", id="another text of the same file is not what is in use"),
        pytest.param("a=1", "", "a", id="where nothing is found what is in use does no harm"),
        pytest.param("", "", "", id="nothing is nothing"),
    ],
)
def test_settles(in_use: str, offered: str, used: str) -> None:
    assert names(settled(snippets(in_use), snippets(offered))) == used


def test_once_settled_the_same_offers_change_nothing() -> None:
    offered = snippets("c=0.4 a=1 b=0.9")
    first = settled(snippets("b=1 x=1"), offered)
    assert settled(first, offered) == first


def test_the_order_is_that_of_use_then_that_of_the_offers() -> None:
    assert names(in_stable_order(snippets("z=1 b=1 a=1"), snippets("a=1 c=1 b=1"))) == "b a c"


@pytest.mark.parametrize(("limit_tokens", "kept"), [(0, ""), (13, "b"), (26, "a b"), (100, "a b c")])
def test_the_least_likely_go_first_where_all_do_not_fit(limit_tokens: int, kept: str) -> None:
    assert names(within(snippets("a=0.5 b=1 c=0.1"), limit_tokens)) == kept
