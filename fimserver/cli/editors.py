"""Turn an editor into the steps that make it start us: a file to write, a command to run, or a block to copy.

Nothing is done here but looking at what is there.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fimserver.cli.editor_blocks import block, plugins_folder
from fimserver.cli.editor_merging import behind, helix_languages, json_object, lists_without_us, new_file
from fimserver.cli.editor_steps import Step, in_file

_EMACS_ANSWERS_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """An editor: the name it is asked for by, its programs on PATH, and what makes its steps."""

    name: str
    title: str
    programs: tuple[str, ...]
    steps: Callable[[str], Iterator[Step]]  # of the program that it is to start


def found_editors() -> list[Editor]:
    """Return the editors that are on PATH, in the order of the table."""
    return [editor for editor in EDITORS if any(map(shutil.which, editor.programs))]


def _neovim(program: str) -> Iterator[Step]:
    # A file of our own that Neovim reads at its start: the user's init stays as it is.
    path = _neovim_folder() / "plugin" / "fimserver.lua"
    yield in_file(path, block("neovim.lua", program), new_file, "Put this into it:")


def _helix(program: str) -> Iterator[Step]:
    path = _folder("APPDATA") / "helix" / "languages.toml"
    languages = block("helix/languages.toml", program)
    step = in_file(path, languages, helix_languages, "Put this into it, as far as it is not there:")
    yield step
    if step.content is not None and (lists := lists_without_us(step.content)):
        says = f'It has language-servers of its own for {", ".join(lists)}. Put "fimserver" first in each of them.'
        yield Step(says=says)


def _emacs(program: str) -> Iterator[Step]:
    """Use lsp-mode, which has ghost text, where it is installed; without it, requiring it would break Emacs's start."""
    name = "lsp-mode.el" if _has_lsp_mode() else "eglot.el"
    yield in_file(_emacs_init(), block(name, program), behind, "Put this into it:")
    if name == "eglot.el":
        advice = "lsp-mode 10 was not found; with it Emacs has ghost text (M-x package-install lsp-mode, then:"
        yield Step(says=f"{advice} fimserver setup --editor emacs). eglot shows suggestions in its menu.", done=True)


def _has_lsp_mode() -> bool:
    if shutil.which("emacs") is None:
        return False
    ask = '(progn (package-initialize) (unless (locate-library "lsp-inline-completion") (kill-emacs 1)))'
    try:
        command = ["emacs", "--batch", "--eval", ask]
        return not subprocess.run(command, capture_output=True, timeout=_EMACS_ANSWERS_S, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


def _vscode(command: str, folder: str, extensions: str = "") -> Callable[[str], Iterator[Step]]:
    """Return the steps of VS Code or one of its kin, by its command and its folders of settings and of extensions."""

    def steps(program: str) -> Iterator[Step]:
        installed = Path(extensions).expanduser() if extensions else _vscode_folder(folder) / "extensions"
        yield _extension(command, installed)
        if program != "fimserver":  # which the extension finds by itself
            settings = json.dumps({"fimserver.server.command": program}, indent=2) + "\n"
            path = _vscode_folder(folder) / "User" / "settings.json"
            yield in_file(path, settings, json_object, "Put this into it, between its braces:")

    return steps


def _extension(command: str, installed: Path) -> Step:
    if any(installed.glob("fimserver.fimserver-*")):
        return Step(says="The extension is installed.", done=True)
    source = plugins_folder() / "vscode"
    vsix = source / "dist" / "fimserver.vsix"
    if vsix.exists():
        run = (command, "--install-extension", str(vsix))
        return Step(says="The extension would be installed:", block=shlex.join(run) + "\n", command=run)
    build = block("vscode.sh", "fimserver").replace("code --install", f"{command} --install")
    if not (source / "package.json").exists():
        return Step(says="The extension is built from a checkout of fimserver, with Node.js 24:", block=build)
    build = build.replace("cd editors/vscode", f"cd {shlex.quote(str(source))}")
    if shutil.which("npm") is None or shutil.which("sh") is None:
        return Step(says="The extension is built with Node.js 24, which was not found:", block=build)
    return Step(says="The extension would be built and installed:", block=build, command=("sh", "-e", "-c", build))


def _by_hand(*blocks: tuple[str, str]) -> Callable[[str], Iterator[Step]]:
    """Return the steps of an editor whose configuration is copied: where each block goes, and its name."""

    def steps(program: str) -> Iterator[Step]:
        for where, name in blocks:
            yield Step(says=where, block=block(name, program))

    return steps


def _folder(windows: str) -> Path:
    """Return the folder of programs' settings; Windows names it by a variable."""
    if sys.platform == "win32":
        return Path(os.environ.get(windows, "~")).expanduser()
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()


def _neovim_folder() -> Path:
    return _folder("LOCALAPPDATA") / os.environ.get("NVIM_APPNAME", "nvim")


def _emacs_init() -> Path:
    """Return the file that Emacs reads at its start: the first that is there of those it looks for."""
    home = Path("~").expanduser()
    known = (home / ".emacs", home / ".emacs.el", home / ".emacs.d" / "init.el", _folder("APPDATA") / "emacs/init.el")
    return next((path for path in known if path.exists()), home / ".emacs.d" / "init.el")


def _vscode_folder(name: str) -> Path:
    if name == "code-server":
        return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / name
    if sys.platform == "darwin":
        return Path("~/Library/Application Support").expanduser() / name
    return _folder("APPDATA") / name


_COC = (("With coc.nvim, in :CocConfig:", "coc.json"), ("and in your vimrc:", "coc.vim"))
_SUBLIME = ("With the package LSP, in Preferences: LSP Settings:", "sublime.json")
_KATE = ("In Settings, Configure Kate, LSP Client, User Server Settings, for each language:", "kate.json")

EDITORS: Sequence[Editor] = (
    Editor(name="vscode", title="VS Code", programs=("code",), steps=_vscode("code", "Code", "~/.vscode/extensions")),
    Editor(
        name="vscodium",
        title="VSCodium",
        programs=("codium",),
        steps=_vscode("codium", "VSCodium", "~/.vscode-oss/extensions"),
    ),
    Editor(
        name="code-server",
        title="code-server",
        programs=("code-server",),
        steps=_vscode("code-server", "code-server"),
    ),
    Editor(name="neovim", title="Neovim", programs=("nvim",), steps=_neovim),
    Editor(name="helix", title="Helix", programs=("hx", "helix"), steps=_helix),
    Editor(name="emacs", title="Emacs", programs=("emacs",), steps=_emacs),
    Editor(name="vim", title="Vim", programs=("vim",), steps=_by_hand(*_COC)),
    Editor(name="sublime", title="Sublime Text", programs=("subl",), steps=_by_hand(_SUBLIME)),
    Editor(name="kate", title="Kate", programs=("kate",), steps=_by_hand(_KATE)),
)
