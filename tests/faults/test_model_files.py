"""A model file that somebody has made to do harm costs an engine at most, and is named together with what is wrong."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest

from fimserver.engine.interface import ModelFacts
from fimserver.errors import ModelBroken
from fimserver.models.gguf import read_gguf
from fimserver.prompt.chat import ChatMessage, chat_prompt
from tests.cli.commands import run
from tests.faults.conftest import Figure
from tests.faults.editor import EMBEDDED, Editor
from tests.faults.forms import forms
from tests.faults.gguf_corpus import CRAFTED, SOUND, TEMPLATES, flipped, truncated

ROOT = Path(__file__).parents[2]
LOADER = (sys.executable, str(Path(__file__).with_name("loader.py")))

# A process that only loads this model takes a tenth of that.
MOST_MEGABYTES = 2_000


class Loader:
    """Loads files in processes of their own; see loader.py."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.outcomes: Counter[str] = Counter()
        self.most_megabytes = 0

    def load(self, path: Path) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        outcome, _, megabytes = self._process.stdout.readline().split()
        self.outcomes[outcome] += 1
        self.most_megabytes = max(self.most_megabytes, int(megabytes))


@contextmanager
def loader(home: Path) -> Iterator[Loader]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FIMSERVER_HOME": str(home)}
    with subprocess.Popen(LOADER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield Loader(process)


def passes_the_header_check(path: Path) -> bool:
    """Return whether the check lets a file through. It may refuse, and name the file; it may not fail otherwise."""
    refusal = ""
    try:
        read_gguf(path)
    except ModelBroken as error:
        refusal = str(error)
    assert not refusal or str(path) in refusal
    return not refusal


@pytest.mark.parametrize("content", CRAFTED.values(), ids=CRAFTED)
def test_a_crafted_file_is_refused_before_llama_cpp_sees_it(tmp_path: Path, content: bytes, figure: Figure) -> None:
    path = tmp_path / "crafted.gguf"
    path.write_bytes(content)
    assert not passes_the_header_check(path)
    figure("crafted", 1)


def test_what_they_were_crafted_from_passes(tmp_path: Path) -> None:
    path = tmp_path / "sound.gguf"
    path.write_bytes(SOUND)
    assert passes_the_header_check(path)


@pytest.mark.parametrize("flips", forms(30, 10_000, 3600))
def test_damaged_files_end_in_a_refusal_or_a_model(home: Path, flips: int, figure: Figure) -> None:
    sound, cuts = EMBEDDED.read_bytes(), flips // 10
    header_length = len(sound) - sum(-(-tensor.size_bytes // 32) * 32 for tensor in read_gguf(EMBEDDED).tensors)
    path, folder = home / "damaged.gguf", home / "folder"
    folder.mkdir()
    with loader(home) as loads:
        for content in chain(flipped(sound, header_length, flips), truncated(sound, header_length, cuts)):
            path.write_bytes(content)
            if passes_the_header_check(path):
                loads.load(path)
    assert loads.outcomes["hung"] == 0
    assert loads.most_megabytes < MOST_MEGABYTES
    assert list(folder.iterdir()) == []
    figure("flips", flips)
    figure("truncations", cuts)
    figure("reached llama.cpp", sum(loads.outcomes.values()))
    figure("of these killed their process", loads.outcomes["died"])
    figure("MB at most", float(loads.most_megabytes))


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_can_do_nothing(
    tmp_path: Path, template: str, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    monkeypatch.chdir(tmp_path)
    facts = ModelFacts(name="x", path="", architecture="llama", context_tokens=64, chat_template=template)
    prompt = chat_prompt([ChatMessage("user", "Hello?")], facts)
    assert "Hello?" in "".join(segment.text for segment in prompt.segments)
    assert list(tmp_path.iterdir()) == []
    figure("templates", 1)


def test_the_command_line_names_the_file_and_what_is_wrong(home: Path) -> None:
    model = home / "hostile.gguf"
    model.write_bytes(CRAFTED["tensor: lengths whose product overflows"])
    source = home / "a.py"
    source.write_text("x = 1\n")
    ran = run("--model", model, "complete", f"{source}:1:2")
    assert ran.code == 2
    assert str(model) in ran.err
    assert "impossible shape" in ran.err


def test_the_server_names_a_file_that_only_llama_cpp_refuses(home: Path) -> None:
    model = home / "odd.gguf"
    model.write_bytes(EMBEDDED.read_bytes().replace(b"qwen2", b"qwenX"))
    with Editor(home, (sys.executable, "-m", "fimserver", "serve"), model={"completion": str(model)}) as editor:
        while not editor.told:
            assert editor.suggestion() == ""
        assert str(model) in editor.told[0]
        assert "architecture" in editor.told[0]
        assert editor.suggestion() == ""
        assert len(editor.told) == 1
