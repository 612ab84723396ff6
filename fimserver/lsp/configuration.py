"""Turn what an editor says of settings, by three different ways, into settings and the sentences about wrong ones.

Lowest to highest: the defaults and the user's `settings.toml` (both come from the command line), then
`initializationOptions`, then what `workspace/configuration` or `workspace/didChangeConfiguration` brought last. The
last two may have come from a workspace's own files (.dir-locals.el, coc-settings.json), so they cannot choose a model,
a program or an address.
"""

from collections.abc import Mapping
from typing import Any

from fimserver.lsp.client import Client
from fimserver.lsp.following import SettingsFile
from fimserver.settings import Problem, Settings, each_setting, read_settings

SECTION = "fimserver"

_MACHINE = {name: entry.default for name, entry in each_setting() if entry.metadata["machine"]}


def settings_at_start(base: Settings, options: Mapping[str, Any]) -> tuple[Settings, list[Problem]]:
    """Return the settings that `initializationOptions` make of the user's own; the options may stand in a section."""
    return read_settings(_section(options), base)


def settings_while_running(at_start: Settings, values: Any) -> tuple[Settings, list[Problem]]:
    """Return the settings that a configuration makes of those at the start."""
    kept, problems = _without_machine_settings(_section(values), at_start)
    settings, more = read_settings(kept, at_start)
    return settings, problems + more


class Wishes:
    """What each of the three ways said last: the user's file and the configuration change while a server runs."""

    def __init__(self, at_start: Settings, file: SettingsFile | None, options: Mapping[str, Any]) -> None:
        """Begin with the settings that `options`, those of `initialize`, made of the user's own."""
        self._at_start, self._file, self._options = at_start, file, options
        self._configured: Any = None

    def configure(self, values: Any) -> tuple[Settings, list[Problem]]:
        """Return the settings that a new configuration makes of those at the start."""
        self._configured = values
        return settings_while_running(self._at_start, values)

    def reread(self) -> tuple[Settings, list[Problem]] | None:
        """Return the settings if the user's file was written since; None where it was not. Raises SettingsError."""
        news = self._file.news() if self._file else None
        if news is None:
            return None
        users, of_file = news
        self._at_start, of_options = settings_at_start(users, self._options)
        settings, of_configuration = self.configure(self._configured)
        return settings, [*of_file, *of_options, *of_configuration]


def offers_menu(client: Client, settings: Settings) -> bool:
    """Return whether suggestions go into the completion menu, too."""
    menu = settings.completion.menu
    return menu == "always" or (menu == "auto" and not client.inline_completion)


def _section(values: Any) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        return {}
    inner = values.get(SECTION)
    return inner if isinstance(inner, dict) else values


def _without_machine_settings(values: Mapping[str, Any], current: Settings) -> tuple[dict[str, Any], list[Problem]]:
    kept: dict[str, Any] = {}
    problems: list[Problem] = []
    for group, given in values.items():
        if not isinstance(given, dict):
            kept[group] = given
            continue
        refused = [name for name in given if f"{group}.{name}" in _MACHINE]
        kept[group] = {name: value for name, value in given.items() if name not in refused}
        problems += [
            f"{group}.{name} is only taken when the server starts: set it in settings.toml or in the editor's "
            "initialization options, and restart."
            for name in refused
            if given[name] not in (getattr(getattr(current, group), name), _MACHINE[f"{group}.{name}"])
        ]
    return kept, problems
