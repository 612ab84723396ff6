"""Typing replayed: cold files and long ones made of a trace, the chart, and the command that prints it all."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fimserver.bench.chart import typing_chart
from fimserver.bench.own_time import longer, own_time
from fimserver.bench.traces import Key, Move, Pause, Trace, event_offset, in_cold_files
from tests.cli import commands

TEXT = "def area(radius):\n    return 3\n\n\n" * 4
TRACE = Trace(
    name="append",
    files={"long.py": TEXT},
    events=(
        Move(file="long.py", at=(1, 12)),
        Pause(1),
        Key(file="long.py", at=(1, 12), insert=" "),
        Key(file="long.py", at=(1, 13), insert="*"),
        Key(file="long.py", at=(1, 14), insert=" "),
    ),
)


def test_a_longer_trace_types_the_same_in_the_middle_of_the_file_five_times_over() -> None:
    trace = longer(TRACE)
    assert trace.files == {"long.py": TEXT * 5}
    key = next(event for event in trace.events if isinstance(event, Key))
    offset = event_offset(trace.files["long.py"], key)
    assert offset == 2 * len(TEXT) + event_offset(TEXT, Key(file="long.py", at=(1, 12)))


def test_cold_files_are_parts_of_a_long_one_with_one_enter_in_the_middle_of_each() -> None:
    trace = in_cold_files(TRACE, lines=4)
    assert list(trace.files.values()) == [TEXT[: len(TEXT) // 4]] * 4
    trace = in_cold_files(TRACE, lines=8)
    assert [(event.at, event.insert) for event in trace.events if isinstance(event, Key)] == [((4, 17), "\n")] * 2


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))
    return tmp_path


SVG = "{http://www.w3.org/2000/svg}"


def points(line: ElementTree.Element) -> list[tuple[float, float]]:
    pairs = (point.split(",") for point in line.get("points", "").split())
    return [(float(x), float(y)) for x, y in pairs]


def test_each_server_has_a_line_that_only_climbs_and_says_its_total() -> None:
    chart = typing_chart({"fimserver": [100, 0, 2], "llama-server <b>": [300, 300, 400]})
    root = ElementTree.fromstring(chart)
    ours, theirs = (points(line) for line in root.iter(f"{SVG}polyline"))
    assert [len(ours), len(theirs)] == [3, 3]
    assert ours[0][1] == ours[1][1] > ours[2][1] > theirs[0][1] > theirs[2][1], "up is less in SVG"
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"fimserver", "llama-server <b>", "102 tokens", "1,000 tokens"} <= set(words)


def test_what_is_drawn_stays_within_the_picture() -> None:
    root = ElementTree.fromstring(typing_chart({"a": [0] * 50, "b": [1] * 70}))
    _, _, width, height = (float(number) for number in root.get("viewBox", "").split())
    drawn = [point for line in root.iter(f"{SVG}polyline") for point in points(line)]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in drawn)


def test_a_chart_of_no_keys_is_none() -> None:
    with pytest.raises(ValueError, match="no keys"):
        typing_chart({"fimserver": []})


@pytest.mark.usefixtures("home")
async def test_the_servers_own_time_is_measured_for_every_key() -> None:
    figures = await own_time(TRACE, {"completion": {"confidence": "off"}})
    assert (figures["lines"], figures["keys"]) == (TEXT.count("\n") * 5, 3)
    assert 0 < figures["own_ms_median"] <= figures["own_ms_p99"]


def test_the_command_prints_the_figures_and_draws_the_chart(home: Path) -> None:
    (home / "files").mkdir()
    (home / "files" / "long.py").write_text(TEXT, "utf-8")
    rows = ['{"trace": "append", "files": ["long.py"]}', '{"file": "long.py", "at": [1, 12], "insert": " "}']
    (home / "trace.jsonl").write_text("\n".join(rows), "utf-8")
    engine = commands.script(home, {"text": "* radius\n"})
    chart = home / "chart.svg"
    ran = commands.run(
        "--engine", engine, "bench", "typing", home / "trace.jsonl", "--gap-ms", "0", "--svg", chart, "--json"
    )
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)
    assert (figures["keys"], figures["per_trace"]["append"]["keys"]) == (1, 1)
    assert "fimserver" in chart.read_text("utf-8")


def test_the_first_key_in_cold_files_can_be_measured_alone(home: Path) -> None:
    engine = commands.script(home, {"text": "return None\n"})
    ran = commands.run("--engine", engine, "bench", "typing", "--only", "cold", "--gap-ms", "0", "--json")
    assert ran.code == 0, ran.err
    figures = json.loads(ran.out)
    assert (figures.keys(), figures["cold"]["keys"]) == ({"cold"}, 4)


def test_there_is_no_chart_of_what_is_not_measured(home: Path) -> None:
    ran = commands.run("bench", "typing", "--only", "cold", "--svg", home / "chart.svg")
    told = "fimserver: --keys and --svg show the keys of the traces; leave them out with --only cold.\n"
    assert (ran.code, ran.err) == (2, told)


def test_a_baseline_that_is_none_is_refused_before_anything_is_measured(home: Path) -> None:
    ran = commands.run("--engine", commands.script(home), "bench", "typing", "--baseline", "ollama")
    told = "fimserver: --baseline takes llama-server=URL or llama-server=FILE, not 'ollama'.\n"
    assert (ran.code, ran.err) == (2, told)


def test_cold_files_are_not_to_be_named(home: Path) -> None:
    trace = home / "trace.jsonl"
    trace.touch()
    ran = commands.run("bench", "typing", "--only", "cold", trace)
    assert (ran.code, ran.err) == (2, f"fimserver: --only cold has its own files; leave out {trace}.\n")
