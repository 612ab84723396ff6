"""`fimserver setup`: what it writes, what it leaves alone, whom it asks, and the suggestion that proves it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fimserver.cli import editor_blocks
from fimserver.cli.choice import choose
from fimserver.cli.consent import Talk
from fimserver.cli.editor_blocks import block, program
from fimserver.cli.editor_steps import Step
from fimserver.cli.editors import EDITORS, Editor
from fimserver.cli.first_suggestion import first_suggestion
from fimserver.cli.setup_editor import State, Taken, set_up_editor
from fimserver.cli.setup_model import set_up_model
from fimserver.errors import FimError
from fimserver.models.store import embedded_model
from tests.cli import commands
from tests.cli.in_process import run_here
from tests.cli.terminal import ENTER, Terminal
from tests.unit.models.hub_server import HubServer

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")

NEOVIM, HELIX = Path(".config/nvim/plugin/fimserver.lua"), Path(".config/helix/languages.toml")
EMACS, VSCODE = Path(".emacs.d/init.el"), Path(".config/Code/User/settings.json")


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user's home without configuration, and a PATH with nothing on it."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "NVIM_APPNAME", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "*")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def scripted(tmp_path: Path) -> str:
    return commands.script(tmp_path, {"text": "rices = {}\n"})


def written(user: Path) -> list[str]:
    return sorted(str(path.relative_to(user)) for path in user.rglob("*") if path.is_file())


def test_a_model_is_fetched_an_editor_connected_and_the_two_answer(user: Path, home: Path, tmp_path: Path) -> None:
    with HubServer({"o/r/m.gguf": embedded_model().read_bytes()}) as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.address)
        ran = commands.run("setup", "--yes", "--json", "--model", "hf:o/r/m.gguf", "--editor", "neovim")
    fetched = home / "models" / "o" / "r" / "m.gguf"
    assert ran.code == 0, ran.err
    assert (ran.code, ran.json["model"], ran.json["failures"]) == (0, str(fetched), [])
    assert str(fetched) in (home / "config" / "settings.toml").read_text("utf-8")
    assert [step["state"] for step in ran.json["editors"]["neovim"]] == ["done"]
    assert (user / NEOVIM).read_text("utf-8") == block("neovim.lua", program())
    assert ran.json["trial"]["suggestion"]


def test_offline_that_is_said_and_what_answered_before_goes_on(
    user: Path, scripted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ran = commands.run(
        "--engine", scripted, "setup", "--yes", "--model", "qwen2.5-coder-0.5b", "--editor", "emacs", "--json"
    )
    assert ran.code == 2
    assert len(ran.json["failures"]) == 1
    assert ran.json["model"] == scripted.removeprefix("scripted:")
    assert ran.json["trial"]["suggestion"] == "rices = {}"
    assert written(user) == [str(EMACS)]


def test_without_a_terminal_and_without_yes_nothing_is_written(user: Path, home: Path, scripted: str) -> None:
    ran = run_here("--engine", scripted, "setup", "--model", "qwen2.5-coder-0.5b", "--editor", "helix")
    assert ran.code == 0
    assert ran.out.count("Not without --yes") == 2
    assert block("helix/languages.toml", program()).splitlines()[3] in ran.out
    assert written(user) == []
    assert not (home / "models").exists()


@pytest.mark.parametrize(
    ("chosen", "answers"),
    [
        pytest.param("", "embedded", id="the embedded model goes on"),
        pytest.param("gone.gguf", "embedded", id="it answers where what was chosen is gone"),
        pytest.param("{mine}", "{mine}", id="what was chosen goes on"),
    ],
)
def test_who_does_not_want_a_download_keeps_what_answers(home: Path, tmp_path: Path, chosen: str, answers: str) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(embedded_model().read_bytes())
    settings = home / "config" / "settings.toml"
    settings.parent.mkdir()
    settings.write_text(f'[model]\ncompletion = "{chosen.format(mine=mine)}"\n')
    talk = Talk(lambda _: None, lambda _: False)
    assert set_up_model(choose(), "qwen2.5-coder-0.5b", talk) == answers.format(mine=mine)
    kept = "" if answers == "embedded" else mine
    assert settings.read_text() == f'[model]\ncompletion = "{kept}"\n'


def test_a_model_that_nobody_knows_is_an_error_before_anything_happens(user: Path) -> None:
    ran = run_here("setup", "--yes", "--model", "gpt-17", "--editor", "neovim")
    assert (ran.code, ran.err.count("\n"), written(user)) == (2, 1, [])
    assert "gpt-17" in ran.err


@pytest.mark.parametrize("editor", EDITORS, ids=lambda editor: editor.name)
def test_print_writes_the_blocks_alone(editor: Editor, user: Path) -> None:
    ran = run_here("setup", "--print", "--editor", editor.name)
    assert (ran.code, written(user)) == (0, [])
    assert ran.out == "".join(step.block for step in editor.steps(program()))
    assert ran.err.startswith(f"{editor.title}: ")
    assert "fimserver" in ran.out


@POSIX
def test_in_a_terminal_each_step_is_shown_and_done_when_agreed_to(user: Path, scripted: str) -> None:
    with Terminal("--engine", scripted, "setup", "--editor", "neovim", "--editor", "emacs") as terminal:
        terminal.wait_for("Write it? [Y/n]")
        assert "setup{ cmd = {" in terminal.shown
        terminal.press("n" + ENTER)
        terminal.wait_for("Write it? [Y/n]")
        assert "eglot-server-programs" in terminal.shown
        terminal.press(ENTER)
        assert terminal.code() == 0
        assert "completed `self.p` to `self.prices = {}`" in terminal.shown
    assert written(user) == [str(EMACS)]


@POSIX
def test_ctrl_c_at_a_question_leaves_everything_as_it_was(user: Path, scripted: str) -> None:
    with Terminal("--engine", scripted, "setup", "--editor", "neovim") as terminal:
        terminal.wait_for("Write it? [Y/n]")
        assert terminal.interrupted() == 130
        assert "Traceback" not in terminal.shown
    assert written(user) == []


def set_up(editor: str, path: str = "fimserver") -> list[Taken]:
    """Set up one editor for somebody who agrees to everything."""
    talk = Talk(lambda _: None, lambda _: True)
    return set_up_editor(next(one for one in EDITORS if one.name == editor), path, talk)


@POSIX
def test_what_the_user_wrote_stays_as_it_is(user: Path) -> None:
    mine = user / "dotfiles" / "init.el"
    mine.parent.mkdir()
    mine.write_bytes(b"(setq a 1)\r\n")
    mine.chmod(0o640)
    (user / ".emacs").symlink_to(mine)
    assert [step.state for step in set_up("emacs")] == [State.DONE, State.ALREADY]
    assert mine.read_bytes().startswith(b"(setq a 1)\r\n\r\n(with-eval-after-load 'eglot\r\n")
    assert mine.stat().st_mode & 0o777 == 0o640
    assert (user / ".emacs").is_symlink()
    assert set_up("emacs")[0] == Taken(says=f"{user / '.emacs'} has it already.", block="", state=State.ALREADY)


@pytest.mark.parametrize(
    ("editor", "file", "text", "state"),
    [
        pytest.param("neovim", NEOVIM, b"-- mine", State.BY_HAND, id="a file where ours would be"),
        pytest.param("neovim", NEOVIM, b"-- fimserver", State.ALREADY, id="a file that speaks of fimserver already"),
        pytest.param("helix", HELIX, b"[[language]", State.BY_HAND, id="a file that is no TOML"),
        pytest.param("emacs", EMACS, b"caf\xe9", State.BY_HAND, id="a file that is no UTF-8"),
        pytest.param("vscode", VSCODE, b'{"a": 1 /* mine */}', State.BY_HAND, id="settings with comments"),
    ],
)
def test_what_cannot_be_merged_is_left_alone_and_the_block_is_shown(
    user: Path, editor: str, file: Path, text: bytes, state: State
) -> None:
    path = user / file
    path.parent.mkdir(parents=True)
    path.write_bytes(text)
    steps = [step for step in set_up(editor, "/opt/fimserver") if "/opt/fimserver" in step.block]
    assert path.read_bytes() == text
    assert [step.state for step in steps] == [state]


@POSIX
@pytest.mark.parametrize(
    ("code", "name"),
    [
        pytest.param(0, "lsp-mode.el", id="lsp-mode where it is installed"),
        pytest.param(1, "eglot.el", id="eglot where it is not: Emacs would not start"),
    ],
)
def test_emacs_gets_the_client_that_it_has(user: Path, tmp_path: Path, code: int, name: str) -> None:
    emacs = tmp_path / "bin" / "emacs"
    emacs.parent.mkdir()
    emacs.write_text(f"#!/bin/sh\nexit {code}\n")
    emacs.chmod(0o700)
    assert set_up("emacs")[0].block == block(name, "fimserver")


@POSIX
@pytest.mark.parametrize(
    ("programs", "state", "ran"),
    [
        pytest.param(("npm", "code"), State.DONE, ["npm ci", "npm run", "code --install-extension"], id="with npm"),
        pytest.param(("code",), State.BY_HAND, [], id="without npm the commands are shown"),
    ],
)
def test_in_a_checkout_the_extension_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, programs: tuple[str, ...], state: State, ran: list[str]
) -> None:
    source = tmp_path / "check out" / "editors" / "vscode"
    source.mkdir(parents=True)
    (source / "package.json").write_text("{}")
    monkeypatch.setattr(editor_blocks.fimserver, "__file__", str(source.parents[1] / "fimserver" / "__init__.py"))
    log = tmp_path / "log"
    log.touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    for name in programs:
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >>{log}\n')
        (tmp_path / "bin" / name).chmod(0o700)
    step = set_up("vscode")[0]
    assert step.state is state
    assert f"cd '{source}'" in step.block
    assert [" ".join(line.split()[:2]) for line in log.read_text().splitlines()] == ran


def test_an_extension_that_is_installed_is_not_installed_again(user: Path) -> None:
    (user / ".vscode" / "extensions" / "fimserver.fimserver-0.1.0").mkdir(parents=True)
    assert set_up("vscode") == [Taken(says="The extension is installed.", block="", state=State.ALREADY)]


def test_the_languages_that_helix_has_lists_for_are_named(user: Path) -> None:
    (user / HELIX).parent.mkdir(parents=True)
    (user / HELIX).write_text('[[language]]\nname = "python"\n')
    written_file, by_hand = set_up("helix")
    assert (written_file.state, by_hand.state) == (State.DONE, State.BY_HAND)
    assert "for python." in by_hand.says


def test_a_file_that_changes_between_the_question_and_the_answer_is_left_alone(user: Path) -> None:
    neovim = next(editor for editor in EDITORS if editor.name == "neovim")

    def write_meanwhile(_question: str) -> bool:
        (user / NEOVIM).parent.mkdir(parents=True)
        (user / NEOVIM).write_text("-- mine")
        return True

    talk = Talk(lambda _: None, write_meanwhile)
    assert [step.state for step in set_up_editor(neovim, "fimserver", talk)] == [State.FAILED]
    assert (user / NEOVIM).read_text() == "-- mine"
    assert "changed meanwhile" in talk.failures[0]


@POSIX
@pytest.mark.parametrize(
    ("code", "state"), [pytest.param(0, State.DONE, id="runs"), pytest.param(1, State.FAILED, id="fails")]
)
def test_a_command_that_is_agreed_to_runs_and_its_failure_is_told(tmp_path: Path, code: int, state: State) -> None:
    command = tmp_path / "code"
    command.write_text(f"#!/bin/sh\necho no room >&2\nexit {code}\n")
    command.chmod(0o700)

    def steps(_program: str) -> Iterator[Step]:
        yield Step(says="The extension would be installed:", command=(str(command), "--install-extension"))

    talk = Talk(lambda _: None, lambda _: True)
    editor = Editor(name="vscode", title="VS Code", programs=(), steps=steps)
    assert [step.state for step in set_up_editor(editor, "fimserver", talk)] == [state]
    assert talk.failures == ([] if code == 0 else [f"{command} failed: no room"])


@pytest.mark.parametrize(
    ("command", "says"),
    [
        pytest.param(("/nowhere/fimserver",), "/nowhere/fimserver cannot be started", id="a program that is not there"),
        pytest.param((sys.executable, "-c", ""), "The language server ended", id="a program that is no server"),
    ],
)
async def test_a_server_that_cannot_answer_is_told_of(command: tuple[str, ...], says: str) -> None:
    with pytest.raises(FimError, match=says):
        await first_suggestion(command)
