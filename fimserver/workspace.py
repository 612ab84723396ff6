"""Turn the `.fimserver.toml` files of a workspace's folders into narrower settings.

Such a file comes with the repository, from whoever wrote that. So it can switch things off and add exclusions, and
nothing else; where it cannot be understood, no other file of the workspace is used, for it may have excluded any.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fimserver.errors import SettingsError
from fimserver.settings import Problem, Settings, read_settings

SETTINGS_FILE = ".fimserver.toml"

# Nobody writes so many settings by hand.
_LARGEST_FILE_BYTES = 100_000


def narrowed(settings: Settings, roots: Iterable[Path]) -> tuple[Settings, list[Problem]]:
    """Return the settings as the folders' own files narrow them, and a sentence for whatever was not taken."""
    problems: list[Problem] = []
    for path in (root / SETTINGS_FILE for root in roots):
        try:
            settings, complaints = read_settings(_values(path), settings, from_workspace=True)
        except SettingsError as error:
            settings, complaints = replace(settings, context=replace(settings.context, other_files=False)), []
            problems.append(str(error))
        problems += [f"{path}: {complaint}" for complaint in complaints]
    return settings, problems


def _values(path: Path) -> Mapping[str, Any]:
    """Return what a file says, nothing where there is none. Raises SettingsError."""
    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > _LARGEST_FILE_BYTES:
            raise SettingsError(f"{path} is longer than {_LARGEST_FILE_BYTES:,} bytes. {_UNTIL_MENDED}")
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}. {_UNTIL_MENDED}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}. {_UNTIL_MENDED}") from error


_UNTIL_MENDED = "Until it is mended, no other file of the workspace is used."
