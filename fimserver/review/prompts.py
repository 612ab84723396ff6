r"""Turn `prompts/NAME.md`, ours or the user's own, into the messages that ask a chat model for something.

    ---
    name: explain
    sentence: Explain the selected code.
    needs: code, path
    ---
    # System
    You explain code. …
    # User
    {{path}}:
    {{code}}

The lines between the dashes are the front matter; `needs` names what stands in the text in double braces, each at least
once. Values are put in once and never read again, so a source file that says `{{path}}` keeps saying so. A file of the
same name in the user's folder of prompts is used instead of ours; a workspace can bring none, because a prompt decides
what a model is told to do. A file that is wrong is named with its line, and nothing is used in its place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fimserver.errors import SettingsError
from fimserver.files import config_folder
from fimserver.prompt.chat import ChatMessage

_OURS = Path(str(resources.files("fimserver.review") / "prompts"))
_FIELDS = ("name", "sentence", "needs")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_NAME = re.compile(r"[a-z]+(-[a-z]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """What one file says. `system` may be empty; `needs` are the names of the values that go into the text."""

    name: str
    sentence: str
    needs: tuple[str, ...]
    system: str
    user: str
    path: Path

    @property
    def of_user(self) -> bool:
        """Whether it is the user's own and not the one that comes with the package."""
        return self.path.parent != _OURS


def user_prompts_folder() -> Path:
    """Return the folder whose files are used instead of ours."""
    return config_folder() / "prompts"


def prompt_names() -> tuple[str, ...]:
    """Return the names of all prompts there are, sorted."""
    return tuple(sorted(path.stem for path in _OURS.glob("*.md")))


def prompt_named(name: str) -> PromptFile:
    """Return a prompt. Raises SettingsError, which names file and line, where the user's own is wrong."""
    if name not in prompt_names():
        raise SettingsError(f"There is no prompt {name!r}; there are {', '.join(prompt_names())}.")
    ours, own = _OURS / f"{name}.md", user_prompts_folder() / f"{name}.md"
    usual = read_prompt(ours)
    return _checked(read_prompt(own), usual) if own.exists() else usual


def stray_prompts() -> list[Path]:
    """Return the files in the user's folder that are used for nothing, because no prompt has their name."""
    return sorted(path for path in user_prompts_folder().glob("*.md") if path.stem not in prompt_names())


def asked(prompt: PromptFile, values: Mapping[str, str]) -> tuple[ChatMessage, ...]:
    """Return the messages in which every `{{name}}` is the value of that name. Raises KeyError where one is missing."""
    said = (("system", prompt.system), ("user", prompt.user))
    return tuple(ChatMessage(role, _filled(text, values)) for role, text in said if text)


def fenced(text: str, language: str = "") -> str:
    r"""Return a text in a code fence that is longer than any run of backticks in it, so that it cannot end the fence.

    >>> fenced("a = 1\n", "python")
    '```python\na = 1\n```'
    """
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.removesuffix(chr(10))}\n{fence}"


def read_prompt(path: Path) -> PromptFile:
    """Return what a file says. Raises SettingsError, which names the file and the line that is wrong."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The prompt {path} cannot be read: {error}.") from error
    end = _end_of_front_matter(path, lines)
    fields = _front_matter(path, lines[1:end])
    sections = _sections(path, lines, end + 1)
    needs = tuple(name.strip() for name in fields["needs"].split(",") if name.strip())
    _check_placeholders(path, lines, end + 1, needs)
    return PromptFile(
        name=fields["name"],
        sentence=fields["sentence"],
        needs=needs,
        system=sections.get("System", ""),
        user=sections["User"],
        path=path,
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _end_of_front_matter(path: Path, lines: list[str]) -> int:
    """Return the number, from 0, of the line of dashes that ends it."""
    if not lines or lines[0].rstrip() != "---":
        raise _wrong(path, 1, "a prompt begins with a line `---`, then its name, sentence and needs")
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return number
    raise _wrong(path, len(lines), "the front matter has no second line `---`")


def _front_matter(path: Path, lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, line in enumerate(lines, 2):
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not line.strip():
            continue
        if not colon or key not in _FIELDS:
            raise _wrong(path, number, f"{key!r} is no field of a prompt; its fields are {', '.join(_FIELDS)}")
        if key in fields:
            raise _wrong(path, number, f"{key} is there twice")
        fields[key] = value
    end = len(lines) + 2
    for name in _FIELDS:
        if name not in fields:
            raise _wrong(path, end, f"the front matter has no {name}")
    if fields["name"] != path.stem or not _NAME.fullmatch(path.stem):
        raise _wrong(
            path, end, f"the file is named {path.stem}.md and the prompt {fields['name']!r}; both must be the same"
        )
    return fields


def _sections(path: Path, lines: list[str], first: int) -> dict[str, str]:
    """Return the text below `# System` and `# User`."""
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(lines[first:], first + 1):
        heading = line.removeprefix("# ").strip()
        if line.startswith("# ") and heading in ("System", "User"):
            if heading in sections:
                raise _wrong(path, number, f"there are two headings `# {heading}`")
            current = sections[heading] = []
        elif current is not None:
            current.append(line)
        elif line.strip():
            raise _wrong(path, number, "text stands before the first heading; the headings are `# System` and `# User`")
    texts = {heading: "\n".join(text).strip() for heading, text in sections.items()}
    if not texts.get("User"):
        raise _wrong(path, len(lines), "there is nothing below a heading `# User`")
    return texts


def _check_placeholders(path: Path, lines: list[str], first: int, needs: tuple[str, ...]) -> None:
    used = [(number, name) for number, line in enumerate(lines, 1) for name in _PLACEHOLDER.findall(line)]
    for number, name in used:
        if name not in needs:
            known = ", ".join(needs) or "nothing"
            raise _wrong(path, number, f"{{{{{name}}}}} stands there, and the prompt needs {known}")
    for name in needs:
        if all(name != found for _, found in used):
            raise _wrong(path, first, f"it needs {name}, and {{{{{name}}}}} stands nowhere")


def _checked(own: PromptFile, usual: PromptFile) -> PromptFile:
    for name in own.needs:
        if name not in usual.needs:
            what = ", ".join(usual.needs) or "nothing"
            raise _wrong(own.path, 1, f"it needs {name}, which {own.name} does not get; it gets {what}")
    return own


def _wrong(path: Path, line: int, why: str) -> SettingsError:
    return SettingsError(f"{path}:{line}: {why}. Mend the file or remove it.")
