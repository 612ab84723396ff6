"""Turn a block of docs/editors.md into what stands in a user's configuration on this machine.

The blocks are files: those of `blocks/`, and what `editors/` of the project has for Helix. The documents show them as
they are; here the program and the plug-in's folder get their real paths.
"""

import json
import shutil
import sys
import sysconfig
from pathlib import Path

import fimserver

_BLOCKS = Path(__file__).parent / "blocks"

# Where the documents say that a checkout is.
_DOCUMENTED_FOLDER = "~/src/fimserver/editors"

# How the blocks name the program, and how they do where it is not on PATH.
_NAMED = (
    ('"fimserver", "serve"', '{}, "serve"'),
    ('"fimserver" "serve"', '{} "serve"'),
    ('command = "fimserver"', "command = {}"),
    ('"command": "fimserver"', '"command": {}'),
    ("setup{}", 'setup{{ cmd = {{ {}, "serve" }} }}'),
    ("(require 'fimserver)\n", "(require 'fimserver)\n(setq fimserver-command '({} \"serve\"))\n"),
)


def block(name: str, program: str) -> str:
    r"""Return a block in which editors find the program and its plug-ins here.

    >>> block("eglot.el", "/opt/bin/fimserver").splitlines()[1]
    "  (add-to-list 'eglot-server-programs '(python-mode . (\"/opt/bin/fimserver\" \"serve\"))))"
    """
    text = block_file(name).read_text("utf-8")
    return _with_program(text, program).replace(_DOCUMENTED_FOLDER, plugins_folder().as_posix())


def block_file(name: str) -> Path:
    """Return where a block stands: `helix/languages.toml` and the like among the plug-ins, others in `blocks/`."""
    return plugins_folder() / name if "/" in name else _BLOCKS / name


def plugins_folder() -> Path:
    """Return the folder of the editors' plug-ins: that of the installed package, or of the checkout."""
    package = Path(fimserver.__file__).parent
    installed = package / "editors"
    return installed if installed.is_dir() else package.parent / "editors"


def program() -> str:
    """Return what editors start: the name `fimserver` where PATH has it, else the path of our own."""
    name = "fimserver.exe" if sys.platform == "win32" else "fimserver"
    return "fimserver" if shutil.which("fimserver") else str(Path(sysconfig.get_path("scripts"), name))


def _with_program(text: str, path: str) -> str:
    if path == "fimserver":
        return text
    for documented, real in _NAMED:
        text = text.replace(documented, real.format(json.dumps(path, ensure_ascii=False)))
    return text
