"""Turn how this environment was made into the command that installs a package into it.

`uv tool` makes environments without pip, and pipx keeps its own to itself.
"""

import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

# What the tools leave behind in an environment of theirs.
_PIPX_MARK, _UV_TOOL_MARK = "pipx_metadata.json", "uv-receipt.toml"


def install_command(prefix: Path | None = None) -> str:
    """Return the beginning of the command; packages and pip's usual options go behind it."""
    prefix = prefix or Path(sys.prefix)
    if (prefix / _PIPX_MARK).exists():
        return "pipx runpip fimserver install"
    if (prefix / _UV_TOOL_MARK).exists() or find_spec("pip") is None:
        return f"uv pip install --python {sys.executable}"
    return f"{sys.executable} -m pip install"


def build_llama() -> str:
    """Return the command that installs llama.cpp, built for this machine."""
    return f"{install_command()} 'fimserver[llama]'"


def build_llama_again(cmake_options: str = "") -> str:
    """Return the command that builds the installed version anew, with other options if some are given."""
    setting = f'CMAKE_ARGS="{cmake_options}" ' if cmake_options else ""
    again = "--force-reinstall --no-cache-dir --no-binary llama-cpp-python"
    return f"{setting}{install_command()} {again} {_requirement('llama-cpp-python')}"


def _requirement(package: str) -> str:
    try:
        return f"{package}=={version(package)}"
    except PackageNotFoundError:
        return package
