"""What a case got: the text that is compared, and whether the document still parses with it."""

from fimserver.bench.cases import Case
from fimserver.bench.quality import answers
from fimserver.engine.fake import Reply, ScriptedEngine
from fimserver.settings import read_settings

SETTINGS, _ = read_settings({"completion": {"ahead": False, "shape": "line"}})


def case(prefix: str, middle: str) -> Case:
    return Case(name="a", path="a.py", language="python", prefix=prefix, middle=middle, suffix="\n", kind="line")


async def test_a_suggestion_that_stands_further_left_is_judged_where_it_stands() -> None:
    engine = ScriptedEngine([Reply(pieces=("else:", "\n")), Reply(pieces=("else:", "\n"))])
    (product,), _ = await answers(engine, SETTINGS, [case("if a:\n    b()\n    ", "c()")])
    assert (product.text, product.right, product.parses) == ("else:", False, True)


async def test_a_right_rest_of_a_line_is_right_and_parses() -> None:
    engine = ScriptedEngine([Reply(pieces=("rows", ")", "\n")), Reply(pieces=("rows", ")", "\n"))])
    (product,), (raw,) = await answers(engine, SETTINGS, [case("x = total(", "rows)")])
    assert [(one.text, one.right, one.parses) for one in (product, raw)] == [("rows)", True, True)] * 2
