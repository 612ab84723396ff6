"""Write one setting into the user's settings file and leave every other line of it as it is."""

import json
import re
import tomllib
from pathlib import Path

from fimserver.errors import SettingsError
from fimserver.files import write_atomically


def write_setting(path: Path, group: str, name: str, value: str) -> None:
    """Set `group.name` in a settings file, which is made if need be. Raises SettingsError."""
    try:
        text = path.read_text("utf-8") if path.exists() else ""
        write_atomically(path, with_setting(text, group, name, value))
    except (OSError, ValueError) as error:
        wanted = f"{name} = {json.dumps(value)}"
        raise SettingsError(f"{path} was not changed: {error}. Write {wanted} below [{group}] in it.") from error


def with_setting(text: str, group: str, name: str, value: str) -> str:
    r"""Return the text of a settings file in which one setting has a value.

    Raises ValueError where the text is not TOML, or writes the setting in a way that is not one line of its table.

    >>> with_setting("[model]\n# mine\ncompletion = 'a'\n", "model", "completion", "b")
    '[model]\n# mine\ncompletion = "b"\n'
    """
    lines, setting = text.rstrip().split("\n"), f"{name} = {json.dumps(value)}"
    header = next((number for number, line in enumerate(lines) if line.strip() == f"[{group}]"), None)
    if header is None:
        lines += [f"[{group}]", setting]
    elif (old := _line_of(lines, header, name)) is not None:
        lines[old] = setting
    else:
        lines.insert(header + 1, setting)
    changed = "\n".join(lines).lstrip("\n") + "\n"
    tomllib.loads(changed)
    return changed


def _line_of(lines: list[str], header: int, name: str) -> int | None:
    """Return where a setting stands in the table that begins at a header."""
    for number in range(header + 1, len(lines)):
        if lines[number].lstrip().startswith("["):
            return None
        if re.match(rf"\s*{name}\s*=", lines[number]):
            return number
    return None
