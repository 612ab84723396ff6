"""`fimserver doctor`: every line is fine, or names what mends it."""

from pathlib import Path

import pytest

from fimserver.cli import doctor
from fimserver.cli.choice import choose
from tests.cli import commands
from tests.cli.in_process import run_here

NAMES = [
    "Python",
    "C++ compiler",
    "llama.cpp",
    "GPU",
    "model",
    "chat model",
    "engine runs with",
    "grammars",
    "settings",
    "folders",
    "engine",
]


def test_a_sound_machine_needs_no_mending() -> None:
    ran = commands.run("doctor", "--json")
    assert ran.code == 0
    assert [check["name"] for check in ran.json] == NAMES
    assert [check["mend"] for check in ran.json] == [""] * len(NAMES)


def test_each_check_is_a_line_and_what_would_better_it_another_below() -> None:
    lines = run_here("doctor").out.splitlines()
    assert [line.split("  ")[0] for line in lines if not line.startswith(" ")] == ["ok"] * len(NAMES)
    assert "      fimserver pull " in "\n".join(lines)


def test_what_is_wrong_is_named_with_what_mends_it(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[completion]\nmax_lines = 0\n")
    ran = run_here("--settings", settings, "--model", "gpt-17", "doctor", "--json")
    assert ran.code == 2
    wrong = {check["name"]: check for check in ran.json if not check["ok"]}
    assert wrong.keys() == {"model", "settings", "engine"}
    assert "gpt-17" in wrong["model"]["found"]
    assert wrong["settings"]["mend"] == f"mend {settings}"


@pytest.mark.parametrize(
    ("has_llama", "ok"),
    [
        pytest.param(True, True, id="none is needed where llama.cpp is built"),
        pytest.param(False, False, id="without either, the package to install is named"),
    ],
)
def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_llama: bool, ok: bool) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "_has_llama", lambda: has_llama)
    check = doctor.check_compiler(choose())
    assert check.ok is ok


def test_a_build_that_crashes_is_to_be_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_ASK_LLAMA", "import os; os.abort()")
    check = doctor.check_llama(choose())
    assert check.found == "cannot be loaded here: it crashed"
    assert "--no-binary llama-cpp-python" in check.mend


def test_a_script_needs_no_model_and_no_engine(tmp_path: Path) -> None:
    checks = run_here("--engine", commands.script(tmp_path), "doctor", "--json").json
    assert [check["found"] for check in checks if check["name"] in ("model", "engine")] == [
        f"none, the script {tmp_path / 'replies.jsonl'} answers",
        "none, the script answers",
    ]
