"""`fimserver demo`: a row per key and the figures, from the real server."""

from pathlib import Path

from fimserver.cli import demo
from fimserver.cli.first_suggestion import TYPED
from tests.cli import commands

# On an empty line a model writes the indentation, too.
WHOLE_LINE = {"text": f"        {TYPED}\n"}


def test_with_the_embedded_model_a_key_costs_few_tokens_and_the_server_stays_light() -> None:
    ran = commands.run("demo", "--json")
    assert ran.code == 0, ran.err
    keys = [row for row in ran.json if "key" in row]
    figures = {row["figure"]: row for row in ran.json if "figure" in row}
    assert [key["line"].strip() for key in keys[-2:]] == [TYPED[:-1], TYPED]
    assert figures["prompt tokens evaluated per key, median"]["ok"]
    assert figures["files of llama.cpp loaded in the language server"]["ok"] in (True, None)


def test_a_script_makes_the_session_exact(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, WHOLE_LINE)
    rows = commands.run("--engine", engine, "demo", "--json").json
    keys = [row for row in rows if "key" in row]
    assert [key["line"].lstrip() + key["ghost"] for key in keys] == [TYPED] * len(keys)
    assert next(row for row in rows if row.get("figure") == "from cancel to a free engine")["value"] is None


def test_a_person_sees_the_line_grow_and_the_figures(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, WHOLE_LINE)
    out = commands.run("--engine", engine, "demo").out
    assert all(target[0] in out for target in demo.TARGETS)
    assert f"        {TYPED}‸\n" in out
