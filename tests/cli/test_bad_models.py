"""Whatever is wrong with a model that is chosen: one sentence that names the way out, and the old choice stays."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from fimserver.bench.gguf_file import TensorToWrite, header_bytes
from fimserver.cli.main import run
from fimserver.models.store import embedded_model

CONTENT = embedded_model().read_bytes()


def renamed(content: bytes, name: bytes) -> bytes:
    """Give the model another name of the same length."""
    return content.replace(b"tiny-fim", name)


def without_fim(content: bytes) -> bytes:
    """Rename the control tokens in place, and the keys that name their ids: same lengths, same file."""
    return content.replace(b"fim_", b"zzz_").replace(b"repo_name", b"zzzz_zzzz").replace(b"file_sep", b"zzzz_zzz")


def truncated(path: Path) -> None:
    path.write_bytes(CONTENT[:-1000])


def cut_in_the_header(path: Path) -> None:
    path.write_bytes(CONTENT[:5000])


def safetensors(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 19) + b'{"__metadata__":{}}')


def a_web_page(path: Path) -> None:
    path.write_text("<html>Please log in to the network</html>")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def chat_model(path: Path) -> None:
    path.write_bytes(renamed(without_fim(CONTENT), b"llamachat"[:8]))


BROKEN: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "truncated": ("m.gguf", truncated, ("it ends in the middle of tensor", "Download it again")),
    "cut in its header": ("m.gguf", cut_in_the_header, ("it ends in the middle of", "Download it again")),
    "safetensors": ("m.safetensors", safetensors, ("it is a safetensors file", "GGUF files only", "fimserver models")),
    "a web page": ("m.gguf", a_web_page, ("does not begin with the letters GGUF", "Download it again")),
    "empty": ("m.gguf", empty, ("it is empty", "Download it again")),
    "a split model without its second part": (
        "m-00001-of-00002.gguf",
        lambda path: path.write_bytes(CONTENT) and None,
        ("m-00002-of-00002.gguf is not beside it", "Download all parts into one folder"),
    ),
    "a chat model": ("m.gguf", chat_model, ("cannot fill in the middle", "fimserver pull qwen2.5-coder-1.5b")),
}


@pytest.mark.parametrize(("name", "broken", "parts"), BROKEN.values(), ids=BROKEN)
def test_it_is_refused_in_a_sentence_and_the_old_choice_stays(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    broken: Callable[[Path], None],
    parts: tuple[str, ...],
) -> None:
    path = tmp_path / name
    broken(path)
    code, (out, err) = run(["use", str(path)]), capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    for part in parts:
        assert part in err
    assert not (home / "config" / "settings.toml").exists()


def test_a_chat_model_that_does_not_fit_is_chosen_and_said_not_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "huge.gguf"
    tensor = TensorToWrite("t", (10**12,), "F32", list)
    path.write_bytes(header_bytes({"general.architecture": "llama"}, [tensor]))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + 4 * 10**12)  # a hole
    assert run(["use", "--chat", str(path)]) == 0
    assert "The chat model huge.gguf needs 4000." in capsys.readouterr().out


ADVICE = {
    "trained to chat": (
        *("qwen2.5-coder-instruct.gguf", b"instruct"),
        "trained to chat; the base model of the same family completes better",
    ),
    "unknown": ("mine.gguf", b"whatever", "The model is unknown; its prompts are written as for"),
}


@pytest.mark.parametrize(("file", "name", "advice"), ADVICE.values(), ids=ADVICE)
def test_a_model_that_another_would_outdo_is_used_with_a_word_of_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, name: bytes, advice: str
) -> None:
    path = tmp_path / file
    path.write_bytes(renamed(CONTENT, name))
    assert run(["use", str(path)]) == 0
    assert advice in capsys.readouterr().out
