"""`fimserver chat`: in a terminal line by line, and as a filter of a buffer."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from fimserver.models.store import embedded_model
from tests.cli import commands
from tests.cli.in_process import run_here


def chat(text: str, *arguments: str | Path, folder: Path | None = None) -> commands.Ran:
    """Type a text into `fimserver … chat …`."""
    return run_here(*arguments, text=text, folder=folder)


def test_the_next_turn_of_a_buffer_is_written(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"when": "Because.", "text": "Yes, really."}, {"text": "Because."})
    assert chat("Why?\n", "--engine", engine, "chat", "-").out == "Because.\n"
    buffer = ">>> user\n\nWhy?\n\n<<< assistant\n\nBecause.\n\n>>> user\n\nReally?\n"
    assert chat(buffer, "--engine", engine, "chat", "-").out == "Yes, really.\n"


def test_the_whole_buffer_is_written_and_goes_on(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"when": "Because.", "text": "Yes, really."}, {"text": "Because."})
    once = chat("Why?\n", "--engine", engine, "chat", "--whole", "-").out
    assert once == ">>> user\n\nWhy?\n\n<<< assistant\n\nBecause.\n\n>>> user\n\n"
    assert chat(once + "Really?", "--engine", engine, "chat", "--whole", "-").out.endswith(
        "\n\n<<< assistant\n\nYes, really.\n\n>>> user\n\n"
    )


def test_the_turn_is_written_while_it_comes(tmp_path: Path) -> None:
    go = tmp_path / "go"
    engine = commands.script(tmp_path, {"pieces": ["first", {"wait_for": str(go)}, " last"]})
    command = [*commands.FIMSERVER, "--engine", engine, "chat", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"Why?")
        process.stdin.close()
        assert os.read(process.stdout.fileno(), 5) == b"first"
        go.touch()
        assert process.stdout.read() == b" last\n"


def test_a_cut_answer_is_kept_and_told(tmp_path: Path) -> None:
    ran = chat("Why?", "--engine", commands.script(tmp_path, {"text": "a b c d"}), "chat", "--max-tokens", "2", "-")
    assert (ran.code, ran.out) == (2, "a b")
    assert "cut off after 2 tokens" in ran.err


def test_where_nothing_is_asked_nothing_is_written(tmp_path: Path) -> None:
    ran = chat(">>> user\n", "--engine", commands.script(tmp_path, {"text": "x"}), "chat", "--whole", "-")
    assert (ran.code, ran.out) == (2, "")
    assert ">>> user" in ran.err


def test_questions_are_answered_in_turn_and_remembered(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"when": "Because.", "text": "Yes, really."}, {"text": "Because."})
    ran = chat("Why?\nReally?\n/clear\nWhy?\n/quit\nnever\n", "--engine", engine, "chat")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert [line for line in lines if line in ("Because.", "Yes, really.")] == ["Because.", "Yes, really.", "Because."]


def test_a_question_may_have_several_lines(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"when": "one\ntwo", "text": "Both."}, {"text": "One."})
    assert "Both." in chat('"""\none\ntwo\n"""\n', "--engine", engine, "chat").out


def test_a_file_goes_along_with_the_next_question_only(tmp_path: Path) -> None:
    path = commands.file(tmp_path, "limit = 42\n", "till.py")
    engine = commands.script(
        tmp_path, {"when": "```python\nlimit = 42\n```\n\nWhat?", "text": "A limit."}, {"text": "?"}
    )
    for typed, arguments in ((f"/file {path}\nWhat?\n", ()), ("What?\n", (path,))):
        assert "A limit." in chat(typed, "--engine", engine, "chat", *arguments).out


def test_a_diff_goes_along(tmp_path: Path) -> None:
    for arguments in (("init", "-q"), ("add", ".")):
        commands.file(tmp_path, "limit = 42\n", "till.py")
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    engine = commands.script(tmp_path, {"when": "+limit = 42", "text": "A limit."}, {"text": "?"})
    for which in ("/diff", "/diff staged"):
        assert "A limit." in chat(f"{which}\nWhat?\n", "--engine", engine, "chat", folder=tmp_path).out


REFUSED = {
    "an unknown command": ("/fly", "There is no /fly; there are /file"),
    "a file that is not there": ("/file none.py", "none.py"),
    "a word that /diff does not know": ("/diff tomorrow", "the word staged"),
    "no repository": ("/diff", "git refuses"),
}


@pytest.mark.parametrize(("line", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_said_and_the_conversation_goes_on(tmp_path: Path, line: str, why: str) -> None:
    engine = commands.script(tmp_path, {"text": "Still here."})
    ran = chat(f"{line}\nHello?\n", "--engine", engine, "chat", folder=tmp_path)
    assert why in ran.out
    assert "Still here." in ran.out


def test_help_lists_every_command(tmp_path: Path) -> None:
    out = chat("/help\n", "--engine", commands.script(tmp_path, {"text": "x"}), "chat").out
    assert all(f"/{name} " in out for name in ("file", "diff", "model", "clear", "help", "quit"))


def test_the_model_is_shown_and_one_that_is_missing_changes_nothing(tmp_path: Path) -> None:
    ran = run_here("use", "--chat", "embedded")
    assert ran.code == 0
    ran = chat(f"/model\n/model {tmp_path}/none.gguf\n/model\n", "chat", "--max-tokens", "8")
    assert ran.out.count("tiny-fim") >= 2
    assert "none.gguf" in ran.out


def test_interrupting_gives_up_the_answer_and_not_the_conversation(tmp_path: Path) -> None:
    engine = commands.script(
        tmp_path, {"when": "slow", "pieces": ["begun", {"wait_for": "/nonexistent"}]}, {"text": "Still here."}
    )
    command = [*commands.FIMSERVER, "--engine", engine, "chat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("slow\nHello?\n")
        process.stdin.flush()
        seen = ""
        while not seen.endswith("begun"):
            seen += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=200)
    assert "Still here." in rest
    assert process.returncode == 0


def test_the_embedded_model_answers_a_buffer() -> None:
    ran = chat("Why?", "chat", "--model", "embedded", "--max-tokens", "8", "-")
    assert ran.code in (0, 2)
    assert ran.out.strip() or "repeat" in ran.err


def test_the_chat_models_engine_is_its_own_and_is_stopped_with_the_other(home: Path) -> None:
    model = home / "chat.gguf"
    shutil.copyfile(embedded_model(), model)
    assert run_here("use", "--chat", model).code == 0
    assert run_here("engine", "start").code == 0
    chat("Why?", "chat", "--max-tokens", "4", "-")
    assert len(list((home / "run").glob("*.door"))) == 2
    assert run_here("engine", "stop").out == "The engine has stopped.\n"
    assert not list((home / "run").glob("*.door"))


def test_without_a_chat_model_it_says_at_once_what_gets_one() -> None:
    for arguments in (("chat",), ("chat", "-")):
        ran = chat("Why?\n", *arguments)
        assert (ran.code, ran.out) == (2, "")
        assert "fimserver pull qwen2.5-coder-7b-instruct" in ran.err
