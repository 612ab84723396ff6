"""Turn this machine into a list of checks: each is fine, or names what mends it.

Nothing is started and nothing is changed. llama.cpp is asked in a process of its own, for a build that does not fit
this processor ends the process that loads it.
"""

import asyncio
import importlib.util
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

from fimserver.cli import output
from fimserver.cli.chat_model import chat_model_here
from fimserver.cli.choice import Choice
from fimserver.cli.engines import ask_status, engine_name, engine_options
from fimserver.cli.exit_codes import ExitCode
from fimserver.cli.gpu_hint import gpu_hint
from fimserver.cli.installing import build_llama, build_llama_again, install_command
from fimserver.cli.progress import told
from fimserver.engine.interface import EngineState
from fimserver.engine.wire import encode
from fimserver.errors import FimError

_OLDEST_PYTHON = (3, 11)

_COMPILERS = ("c++", "g++", "clang++", "cl")

# What installs a compiler, by the name of the system.
_GET_COMPILER = {
    "Linux": "sudo apt install g++   (Debian, Ubuntu; Fedora: sudo dnf install gcc-c++; Arch: sudo pacman -S gcc)",
    "Darwin": "xcode-select --install",
    "Windows": "winget install Microsoft.VisualStudio.2022.BuildTools",
}

# Prints the version and what the processor offers that the build uses.
_ASK_LLAMA = """
import json
from llama_cpp import __version__, llama_cpp
print(json.dumps([__version__, llama_cpp.llama_print_system_info().decode()]))
"""
_LLAMA_ANSWERS_S = 60


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and the command that mends it; empty where nothing needs mending.

    `hint` is a command that would make something better that is fine as it is.
    """

    name: str
    found: str
    mend: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is fine as it is."""
        return not self.mend


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as a JSON list.")
@click.pass_context
def doctor_command(context: click.Context, as_json: bool) -> None:
    """Check this machine; each line is fine or says what mends it.

    Ends with code 2 if anything needs mending.
    """
    checks: list[Check] = []
    with told(lambda: f"{len(checks)} of {len(CHECKS)} checks are done."):
        for check in CHECKS:
            checks.append(_checked(check, context.obj))  # noqa: PERF401 - how many are done is told meanwhile
    if as_json:
        output.as_json([{**asdict(check), "ok": check.ok} for check in checks])
    else:
        output.columns([_row(check) for check in checks])
    context.exit(ExitCode.DONE if all(check.ok for check in checks) else ExitCode.REFUSED)


def check_python(_choice: Choice) -> Check:
    """Look at the interpreter this runs on."""
    found = f"{platform.python_version()} at {sys.executable}"
    mend = "" if sys.version_info >= _OLDEST_PYTHON else "install Python 3.11 or newer"
    return Check("Python", found, mend)


def check_compiler(_choice: Choice) -> Check:
    """Look for what llama.cpp is compiled with; none is needed once it is."""
    found = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if found is None and _has_llama():
        return Check("C++ compiler", "none, and none needed: llama.cpp is built")
    return Check("C++ compiler", found or "none", "" if found else _GET_COMPILER[platform.system()])


def check_llama(_choice: Choice) -> Check:
    """Load llama.cpp, and say which features of the processor its build uses."""
    if not _has_llama():
        return Check("llama.cpp", "not installed", build_llama())
    asked = subprocess.run(
        [sys.executable, "-P", "-c", _ASK_LLAMA], capture_output=True, text=True, timeout=_LLAMA_ANSWERS_S, check=False
    )
    if asked.returncode:
        last_line = asked.stderr.strip().rpartition("\n")[2]
        return Check("llama.cpp", f"cannot be loaded here: {last_line or 'it crashed'}", build_llama_again())
    version, features = json.loads(asked.stdout.splitlines()[-1])
    return Check("llama.cpp", f"llama-cpp-python {version}: {_features(features)}")


def check_model(choice: Choice) -> Check:
    """Read the header of the model that is chosen."""
    from fimserver.models.gguf import read_gguf
    from fimserver.models.store import resolve

    if choice.script is not None:
        return Check("model", f"none, the script {choice.script} answers")
    if choice.settings.engine.kind != "local":
        return Check("model", f"that of {engine_name(choice.settings, None)}")
    gguf = read_gguf(resolve(choice.settings.model.completion))
    return Check("model", f"{gguf.path} ({gguf.file_bytes / 1e6:.1f} MB, {gguf.architecture})")


def check_gpu(_choice: Choice) -> Check:
    """Look for a GPU that llama.cpp could compute with if it were built for it."""
    if not _has_llama():
        return Check("GPU", "not looked for, as there is no llama.cpp")
    found, command = gpu_hint()
    return Check("GPU", found, hint=command)


def check_chat_model(choice: Choice) -> Check:
    """Say which model reviews, edits and chats."""
    found, command = chat_model_here(choice)
    if command and choice.settings.model.chat:  # the one that is chosen is not there
        return Check("chat model", found, command)
    return Check("chat model", found, hint=command)


def check_engine_options(choice: Choice) -> Check:
    """Say how the engine runs here, and why: what the settings leave open is chosen for the machine."""
    if choice.script is not None or choice.settings.engine.kind != "local" or not _has_llama():
        return Check("engine runs with", "nothing to choose: no engine of ours runs a model here")
    try:
        options = json.dumps(encode(engine_options(choice.settings)))
    except FimError:  # which `check_model` has said
        return Check("engine runs with", "nothing to choose: there is no model")
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "fimserver.engine.chosen", options],
        capture_output=True,
        text=True,
        timeout=_LLAMA_ANSWERS_S,
        check=False,
    )
    if asked.returncode:
        return Check("engine runs with", "not known, as llama.cpp cannot be loaded", build_llama_again())
    return Check("engine runs with", "; ".join(json.loads(asked.stdout.splitlines()[-1])))


def check_grammars(_choice: Choice) -> Check:
    """Load the grammar of every language."""
    from fimserver.syntax.languages import every_language
    from fimserver.syntax.tree import parse_text

    languages = every_language()
    missing = [language.id for language in languages if parse_text("", language) is None]
    if missing:
        return Check(
            "grammars",
            f"not usable: {', '.join(missing)}",
            f"{install_command()} --force-reinstall fimserver",
        )
    return Check("grammars", ", ".join(language.id for language in languages))


def check_settings(choice: Choice) -> Check:
    """Say where the user's settings stand, and what in them was not taken."""
    if choice.problems:
        return Check("settings", " ".join(choice.problems), f"mend {choice.settings_file}")
    there = choice.settings_file.exists()
    return Check("settings", f"{choice.settings_file}{'' if there else ' (not there, so all defaults)'}")


def check_folders(_choice: Choice) -> Check:
    """Say where sockets and logs are."""
    from fimserver.files import runtime_folder, state_folder

    return Check("folders", f"sockets in {runtime_folder()}, logs in {state_folder()}")


def check_engine(choice: Choice) -> Check:
    """Ask the engine, where one runs."""
    if choice.script is not None:
        return Check("engine", "none, the script answers")
    status = asyncio.run(ask_status(choice.settings, choice.script))
    if status.state is EngineState.FAILED:
        return _to_mend("engine", status.message)
    if status.state is EngineState.ABSENT:
        return Check("engine", "not running; it starts with the first suggestion")
    if not status.pid:
        return Check("engine", f"{engine_name(choice.settings, None)} answers")
    return Check("engine", f"{status.state}, process {status.pid}, {status.memory_bytes / 1e6:.0f} MB")


CHECKS: tuple[Callable[[Choice], Check], ...] = (
    check_python,
    check_compiler,
    check_llama,
    check_gpu,
    check_model,
    check_chat_model,
    check_engine_options,
    check_grammars,
    check_settings,
    check_folders,
    check_engine,
)


def _checked(check: Callable[[Choice], Check], choice: Choice) -> Check:
    """Return what a check found; an error's text says what happened and what mends it."""
    try:
        return check(choice)
    except FimError as error:
        return _to_mend(check.__name__.removeprefix("check_"), str(error))


def _to_mend(name: str, message: str) -> Check:
    """Return a check of which an error's text says what happened and, in its second sentence, what mends it."""
    happened, _, mend = message.partition(". ")
    return Check(name, happened, mend or happened)


def _has_llama() -> bool:
    return importlib.util.find_spec("llama_cpp") is not None


def _features(system_info: str) -> str:
    """Return the names of what is switched on.

    >>> _features("CPU : SSE3 = 1 | AVX2 = 1 | AVX512 = 0 | ")
    'SSE3 AVX2'
    """
    pairs = (part.rpartition(":")[2].partition("=") for part in system_info.split("|"))
    return " ".join(name.strip() for name, _, value in pairs if value.strip() == "1")


def _row(check: Check) -> list[output.Part]:
    shown = "\n      ".join(filter(None, (check.found, check.mend or check.hint)))
    return [("ok", output.GOOD) if check.ok else ("mend", output.BAD), check.name, shown]
