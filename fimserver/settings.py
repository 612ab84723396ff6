"""Every setting, once: its default, unit, bounds, meaning, and who may set it.

The editor's settings and the user's `settings.toml` pass through `read_settings`. A value that is wrong is named and
its default used: no setting can stop the server. What a workspace says may only narrow what is sent, so it reaches the
fields marked `workspace=True` and no other. docs/settings.md and the VS Code extension's settings are generated from
this table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, cast

Problem = str


def setting(
    default: Any,
    meaning: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: tuple[str, ...] = (),
    workspace: bool = False,
    machine: bool = False,
) -> Any:
    """Return a dataclass field that knows what it means.

    `workspace` marks what a repository's own file may set; `machine` marks what never comes from a workspace, not even
    through the editor, because it names a file to load, a program to run or a place to send text to.
    """
    metadata = {
        "meaning": meaning,
        "at_least": at_least,
        "at_most": at_most,
        "choices": choices,
        "workspace": workspace,
        "machine": machine,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionSettings:
    """When to suggest, how much, and how sure to be."""

    enabled: bool = setting(True, "Suggest while typing.", workspace=True)
    disabled_languages: tuple[str, ...] = setting((), "Language ids in which nothing is suggested.", workspace=True)
    shape: str = setting("auto", "How much to suggest.", choices=("auto", "line", "block"))
    max_lines: int = setting(12, "Longest suggestion, in lines.", at_least=1, at_most=100)
    deadline_ms: int = setting(
        500, "Show what is ready after this many milliseconds: the first complete line.", at_least=20, at_most=60_000
    )
    quiet_ms: int = setting(
        0, "Quiet time after a key before the model is asked; 0 adapts to your typing.", at_least=0, at_most=5_000
    )
    confidence: str = setting("normal", "How sure the model must be.", choices=("off", "low", "normal", "high"))
    in_strings: bool = setting(True, "Suggest inside strings.", workspace=True)
    in_comments: bool = setting(True, "Suggest inside comments.", workspace=True)
    ahead: bool = setting(True, "Prepare what follows a shown suggestion while you read it.")
    on_battery: str = setting(
        "less",
        "What is prepared on battery: less is nothing behind a suggestion, and nothing where the cursor only rests.",
        choices=("less", "same"),
    )
    menu: str = setting(
        "auto",
        "Offer the suggestion in the completion menu too; auto does where the editor has no ghost text.",
        choices=("auto", "always", "never"),
    )
    copies: bool = setting(True, "Where the model is unsure, show the one line elsewhere that begins as yours does.")
    healing: bool = setting(
        True, "Let the model say the token again that the cursor stands in, in agreement with what is typed."
    )
    layout: str = setting("anchored", "Prompt layout; plain is for comparison.", choices=("anchored", "plain"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which model answers."""

    completion: str = setting(
        "", "Model for completion: a catalogue id or the path of a GGUF file; empty for the embedded one.", machine=True
    )
    chat: str = setting(
        "",
        "Model for review, edit and chat: a catalogue id or a path, or its name on the server of engine.url.",
        machine=True,
    )
    profile: str = setting("", "Prompt profile to use instead of the detected one.", machine=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the engine process runs. What is 0 or `auto` is chosen for the machine; `fimserver doctor` says how."""

    kind: str = setting(
        "local",
        "Who answers: our own engine process, or a server you run.",
        choices=("local", "llama-server", "ollama", "openai"),
        machine=True,
    )
    url: str = setting("", "Address of the server, for every kind but local.", machine=True)
    remote_model: str = setting("", "The model's name on that server.", machine=True)
    api_key_variable: str = setting("FIMSERVER_API_KEY", "Environment variable that holds its key.", machine=True)
    allow_plain_http: bool = setting(False, "Allow http:// to other machines than this one.", machine=True)
    threads: int = setting(0, "Threads for the model; 0 chooses.", at_least=0, at_most=256)
    context_tokens: int = setting(4096, "Size of the KV cache, in tokens.", at_least=512, at_most=262_144)
    gpu_layers: int = setting(-1, "Layers on the GPU; -1 chooses.", at_least=-1, at_most=1_000)
    kv_type: str = setting("f16", "Type of the KV cache.", choices=("f16", "q8_0", "q4_0"))
    flash_attention: str = setting("auto", "Flash attention.", choices=("auto", "on", "off"))
    idle_s: int = setting(600, "Seconds without work after which the engine exits.", at_least=1, at_most=86_400)
    save_state: bool = setting(True, "Keep the KV state of recently edited files across restarts.")
    drafting: str = setting("auto", "Draft by looking up repeated text, where it pays.", choices=("auto", "off"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """What of other files may go into a prompt."""

    other_files: bool = setting(True, "Use other files of the workspace as context.", workspace=True)
    max_tokens: int = setting(1024, "Most tokens of other files in a prompt.", at_least=0, at_most=32_768)
    exclude: tuple[str, ...] = setting(
        (), "Patterns, as in .gitignore, of files that are never used as context.", workspace=True
    )
    exclude_completion: tuple[str, ...] = setting(
        (), "Patterns of files in which nothing is suggested.", workspace=True
    )
    notes: bool = setting(False, "Put the project's .fimserver/context.md into the prompt.", machine=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """What is kept on disk."""

    statistics: bool = setting(True, "Count suggestions shown and accepted, on this machine only; never text.")
    log_level: str = setting("warning", "Level of the log.", choices=("debug", "info", "warning", "error"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, as one value."""

    completion: CompletionSettings = CompletionSettings()
    model: ModelSettings = ModelSettings()
    engine: EngineSettings = EngineSettings()
    context: ContextSettings = ContextSettings()
    privacy: PrivacySettings = PrivacySettings()


def read_settings(
    values: Mapping[str, Any], base: Settings | None = None, *, from_workspace: bool = False
) -> tuple[Settings, list[Problem]]:
    """Return `base` with `values` laid over it, and a sentence for every value that could not be taken.

    `from_workspace`: only what a workspace may set is taken, and only what narrows `base`.

    >>> read_settings({"completion": {"max_lines": 0}})[1]
    ['completion.max_lines must be at least 1, not 0; using 12.']
    """
    settings, problems = base or Settings(), list[Problem]()
    groups = {group.name: group for group in fields(Settings)}
    for name, given in values.items():
        if name not in groups:
            problems.append(f"There is no settings group {name!r}; the groups are {', '.join(groups)}.")
        elif not isinstance(given, Mapping):
            problems.append(f"{name} must be a table of settings, not {given!r}.")
        else:
            current = getattr(settings, name)
            taken, complaints = _read_group(name, given, current, from_workspace=from_workspace)
            settings = replace(settings, **{name: replace(current, **taken)})
            problems += complaints
    return settings, problems


def each_setting() -> Iterator[tuple[str, "Field[Any]"]]:
    """Yield every setting's dotted name and its field, in the order of the documentation."""
    for group in fields(Settings):
        for entry in fields(cast("Any", group.default)):
            yield f"{group.name}.{entry.name}", entry


def _read_group(
    group: str, given: Mapping[str, Any], current: Any, *, from_workspace: bool
) -> tuple[dict[str, Any], list[Problem]]:
    known = {entry.name: entry for entry in fields(current)}
    taken: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in given.items():
        complaint = (
            "is not a setting"
            if name not in known
            else "cannot be set by a workspace"
            if from_workspace and not known[name].metadata["workspace"]
            else _complaint(known[name], value)
        )
        if not complaint:
            wanted = tuple(value) if isinstance(value, list) else value
            taken[name] = _narrower(getattr(current, name), wanted) if from_workspace else wanted
        elif name in known:
            problems.append(f"{group}.{name} {complaint}; using {getattr(current, name)!r}.")
        else:
            problems.append(f"{group}.{name} {complaint}.")
    return taken, problems


def _narrower(current: Any, given: Any) -> Any:
    """Return what two voices both allow.

    Every field that a workspace may set allows something when it is true, or lists what is excluded.
    """
    return current and given if isinstance(given, bool) else tuple(dict.fromkeys((*current, *given)))


def _complaint(entry: "Field[Any]", value: Any) -> str:
    """Say what is wrong with a value, or nothing."""
    facts, wanted = entry.metadata, type(entry.default)
    if wanted is tuple:
        sound = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        return "" if sound else f"must be a list of strings, not {value!r}"
    if type(value) is not wanted:
        return f"must be {_KIND[wanted]}, not {value!r}"
    if facts["choices"] and value not in facts["choices"]:
        return f"must be one of {', '.join(facts['choices'])}, not {value!r}"
    if facts["at_least"] is not None and value < facts["at_least"]:
        return f"must be at least {facts['at_least']}, not {value!r}"
    if facts["at_most"] is not None and value > facts["at_most"]:
        return f"must be at most {facts['at_most']}, not {value!r}"
    return ""


_KIND = {bool: "true or false", int: "a whole number", str: "a text"}
