"""`fimserver models`, `use` and `pull`, as far as they go without a network."""

from pathlib import Path

import pytest

from fimserver.errors import SettingsError
from fimserver.models.store import embedded_model
from fimserver.settings_file import with_setting, write_setting
from tests.cli import commands
from tests.cli.in_process import measured_briefly, run_here


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        pytest.param("", '[model]\ncompletion = "b"\n', id="an empty file"),
        pytest.param('[model]\nchat = "c"\n', '[model]\ncompletion = "b"\nchat = "c"\n', id="a table without it"),
        pytest.param('[model]\ncompletion = "a"\n', '[model]\ncompletion = "b"\n', id="a value is replaced"),
        pytest.param(
            '# mine\n[model]\n# why\n  completion="a" # so\n\n[engine]\nthreads = 2\n',
            '# mine\n[model]\n# why\ncompletion = "b"\n\n[engine]\nthreads = 2\n',
            id="all else stays",
        ),
        pytest.param(
            '[engine]\nthreads = 2\n[model]\n\n[other]\ncompletion = "x"\n',
            '[engine]\nthreads = 2\n[model]\ncompletion = "b"\n\n[other]\ncompletion = "x"\n',
            id="the name in another table is another setting",
        ),
    ],
)
def test_one_setting_is_written(text: str, changed: str) -> None:
    assert with_setting(text, "model", "completion", "b") == changed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[model\n", id="no TOML"),
        pytest.param('model.completion = "a"\n', id="a dotted key"),
        pytest.param('model = { completion = "a" }\n', id="an inline table"),
    ],
)
def test_a_file_in_another_form_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="was not changed"):
        write_setting(path, "model", "completion", "b")
    assert path.read_text() == text


def rows(home: Path) -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in run_here("models", "--json").json}


def test_the_embedded_model_is_chosen_until_another_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured_briefly(monkeypatch)
    model = home / "models" / "mine.gguf"
    model.parent.mkdir()
    model.write_bytes(embedded_model().read_bytes())
    before = rows(home)
    assert [name for name, row in before.items() if row["chosen"]] == ["embedded"]
    assert before["qwen2.5-coder-1.5b"]["path"] is None
    assert before["qwen2.5-coder-3b"]["commercial"] == "no"
    assert (
        before["qwen2.5-coder-7b"]["scores"]["crosscodeeval"] > before["qwen2.5-coder-0.5b"]["scores"]["crosscodeeval"]
    )

    assert run_here("use", model).code == 0
    assert [row["path"] for row in rows(home).values() if row["chosen"]] == [str(model)]

    assert run_here("use", "embedded").code == 0
    assert [name for name, row in rows(home).items() if row["chosen"]] == ["embedded"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ("use", "qwen2.5-coder-1.5b"), "fimserver pull qwen2.5-coder-1.5b", id="a model to be pulled first"
        ),
        pytest.param(("use", "gpt-17"), "gpt-17", id="a model that nobody knows"),
        pytest.param(("pull", "gpt-17"), "gpt-17", id="a download of one that nobody knows"),
        pytest.param(
            ("pull", "hf:owner/repository/model.safetensors"), "no GGUF file", id="a download of another kind"
        ),
    ],
)
def test_what_cannot_be_had_is_refused_in_a_sentence(arguments: tuple[str, ...], says: str) -> None:
    ran = run_here(*arguments)
    assert ran.code == 2
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_a_model_is_recommended_with_its_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    measured_briefly(monkeypatch)
    answer = run_here("recommend", "--json").json
    assert answer["reasons"]
    assert answer["pick"] is None or answer["pick"]["licence"]


def test_memory_and_speed_are_predicted_for_every_model(home: Path) -> None:
    for row in rows(home).values():
        assert row["memory_bytes"] > row["bytes"]  # type: ignore[operator]
        assert row["tokens_per_s"] > 0  # type: ignore[operator]


def test_a_models_files_are_explained() -> None:
    explained = commands.run("models", "--explain", "qwen2.5-coder-1.5b", "--json").json
    assert explained["kv_bytes"] == {"f16": 28_672_000, "q8_0": 15_232_000, "q4_0": 8_064_000}
    files = {file["file"]: file for file in explained["files"]}
    assert files["Q8_0"]["bits_per_weight"] == 8.55
    assert files["Q8_0"]["path"] is None
    assert files["Q4_K_M"]["memory_bytes"] < files["Q8_0"]["memory_bytes"] < explained["usable_bytes"]
    assert files["Q8_0"]["context_tokens"]["f16"] == explained["trained_tokens"] == 32_768


@pytest.mark.parametrize("name", ["embedded", str(embedded_model())])
def test_a_file_on_this_machine_is_explained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured_briefly(monkeypatch)
    ran = run_here("models", "--explain", name)
    assert ran.code == 0
    for part in ("tiny-fim: 0.01 billion weights, trained for 1,024 tokens", "3.1 MB as f16", "tiny-fim.gguf  6.9 MB"):
        assert part in ran.out


def test_what_cannot_be_explained_is_refused_in_a_sentence() -> None:
    ran = run_here("models", "--explain", "gpt-17")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "There is no model 'gpt-17'" in ran.err
