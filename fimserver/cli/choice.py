"""Turn the global options and the user's settings file into the settings, and the engine, a command works with."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fimserver.errors import SettingsError
from fimserver.files import config_folder
from fimserver.settings import Problem, Settings, read_settings

_SCRIPTED = "scripted:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line and the settings file ask for.

    `problems` are sentences about values that were not taken. `options` are the global options as they would be written
    to ask for the same again, for a server started on the user's behalf.
    """

    settings: Settings
    settings_file: Path
    model: str | None = None  # that the command line names; the settings hold it already
    problems: tuple[str, ...] = ()
    script: Path | None = None  # replies to answer from, instead of a model
    options: tuple[str, ...] = ()


def choose(*, settings_file: Path | None = None, model: str | None = None, engine: str | None = None) -> Choice:
    """Return the choice. Raises SettingsError where a file that was named cannot be read."""
    settings, problems = _named_settings(settings_file) if settings_file else _own_settings()
    model, script = absolute_model(model), _script(engine)
    options = {
        "--settings": settings_file and settings_file.absolute(),
        "--model": model,
        "--engine": script and f"{_SCRIPTED}{script}",
    }
    return Choice(
        settings=_with_model(settings, model),
        settings_file=(settings_file or user_settings_file()).absolute(),
        model=model,
        problems=tuple(problems),
        script=script,
        options=tuple(str(word) for option, value in options.items() if value for word in (option, value)),
    )


def chosen_now(choice: Choice) -> tuple[Settings, list[Problem]]:
    """Return what the settings file says now, for the same options. Raises SettingsError where it cannot be read."""
    settings, problems = _named_settings(choice.settings_file) if choice.settings_file.exists() else (Settings(), [])
    return _with_model(settings, choice.model), problems


def user_settings_file() -> Path:
    """Return where the user's own settings stand."""
    return config_folder() / "settings.toml"


def _with_model(settings: Settings, model: str | None) -> Settings:
    return settings if model is None else replace(settings, model=replace(settings.model, completion=model))


def _own_settings() -> tuple[Settings, list[Problem]]:
    """Return the user's own settings; a file that cannot be read is a problem, and stops no editor."""
    path = user_settings_file()
    try:
        return _named_settings(path) if path.exists() else (Settings(), [])
    except SettingsError as error:
        return Settings(), [str(error)]


def _named_settings(path: Path) -> tuple[Settings, list[Problem]]:
    settings, problems = read_settings(_toml(path))
    return settings, [f"{path}: {problem}" for problem in problems]


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"There is no settings file {path}.") from error
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is not TOML: {error}. Mend that line or remove it.") from error


def absolute_model(model: str | None) -> str | None:
    """Return a path as one that other processes understand too; an id of the catalogue as it is."""
    if model is None or not (model.endswith(".gguf") or Path(model).is_file()):
        return model
    return str(Path(model).expanduser().absolute())


def _script(engine: str | None) -> Path | None:
    if engine is None:
        return None
    if not engine.startswith(_SCRIPTED):
        raise SettingsError(f"--engine takes scripted:FILE, not {engine!r}; other engines are chosen by settings.")
    path = Path(engine.removeprefix(_SCRIPTED)).expanduser().absolute()
    if not path.is_file():
        raise SettingsError(f"There is no script {path}.")
    return path
