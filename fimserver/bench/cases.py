"""Turn fixtures, files of cases and whole repositories into cases: a text with a hole, and what stood there.

Three forms are read: our Markdown fixtures, JSON lines of `{prefix, suffix, middle}`, and those of HumanEval-Infilling
(`task_id`, `prompt`, `suffix`, `canonical_solution`, `entry_point`, `test`). `cut_holes` makes cases from any source
file.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimserver.errors import FimError
from fimserver.syntax.languages import language_of_path
from fimserver.syntax.opening import line_opens_block
from fimserver.text import leading_blanks

CURSOR = "‸"

_LARGEST_FILE_BYTES = 200_000
_SKIPPED_FOLDERS = frozenset({".git", ".venv", "node_modules", "__pycache__", "build", "dist"})

# What a person is likely to have typed of a line when the suggestion comes: nothing, up to a token's end, anywhere.
_WHERE = (("line-start", 0.15), ("token-end", 0.40), ("anywhere", 0.45))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A text with a hole between `prefix` and `suffix`; `middle` is what belongs there."""

    name: str
    kind: str  # "line", "block", or whatever the fixture says
    language: str
    prefix: str
    suffix: str
    middle: str
    path: str = "main.py"
    test: str = ""  # a program that fails unless the hole is filled rightly, for HumanEval-Infilling's cases


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a folder of fixtures, or of a file of JSON lines. Raises FimError naming a wrong line."""
    if path.is_dir():
        return [fixture(entry) for entry in sorted(path.rglob("*.md")) if entry.name != "README.md"]
    if path.suffix == ".md":
        return [fixture(path)]
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FimError(f"The cases {path} cannot be read: {error}.") from error
    return [_from_json(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]


def fixture(path: Path) -> Case:
    """Return the case of a Markdown file: a fenced text with the cursor drawn in it, and one that belongs there."""
    blocks = _fenced(path.read_text("utf-8"))
    if len(blocks) != 2 or blocks[0][1].count(CURSOR) != 1:
        raise FimError(f"{path} must hold two fenced texts, the first with one {CURSOR} in it.")
    (language, text), (_, middle) = blocks
    prefix, _, suffix = text.partition(CURSOR)
    kind = "block" if "\n" in middle.strip("\n") else "line"
    return Case(name=path.stem, kind=kind, language=language, prefix=prefix, suffix=suffix, middle=middle)


def cut_holes(folder: Path, count: int, *, seed: int = 0, languages: Sequence[str] = ()) -> list[Case]:
    """Return so many cases cut from a folder's source files: always the same for the same files and seed."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    files = [path for path in sorted(_source_files(folder)) if not languages or _language(path) in languages]
    if not files:
        raise FimError(f"There are no source files in {folder}.")
    cases: list[Case] = []
    for _ in range(count * 20):
        if len(cases) == count:
            break
        path = chance.choice(files)
        if (case := _one_hole(path, path.relative_to(folder).as_posix(), chance)) is not None:
            cases.append(case)
    return cases


def _one_hole(path: Path, name: str, chance: random.Random) -> Case | None:
    text = path.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    number = chance.randrange(len(lines)) if lines else 0
    if not lines or len(lines[number].strip()) < 4:
        return None
    start = sum(map(len, lines[:number]))
    line = lines[number].rstrip("\n")
    language = _language(path)
    if line_opens_block(line, language_of_path(path)) and chance.random() < 0.5:
        return _block_hole(text, lines, number, start + len(line), name, language)
    column = _column(line, chance)
    cursor, end = start + column, start + len(line)
    return Case(
        name=f"{name}:{number + 1}:{column + 1}",
        kind="line",
        language=language,
        prefix=text[:cursor],
        suffix=text[end:],
        middle=text[cursor:end],
        path=name,
    )


def _block_hole(text: str, lines: list[str], number: int, header_end: int, name: str, language: str) -> Case | None:
    """Return the hole of a whole indented body under its header, up to a dozen lines."""
    width = len(leading_blanks(lines[number]))
    body = 0
    for line in lines[number + 1 :]:
        if line.strip() and len(leading_blanks(line)) <= width:
            break
        body += 1
    block = "".join(lines[number + 1 : number + 1 + body]).rstrip()
    if not block or block.count("\n") >= 12:
        return None
    end = text.index(block, header_end) + len(block)
    return Case(
        name=f"{name}:{number + 1}:block",
        kind="block",
        language=language,
        prefix=text[:header_end],
        suffix=text[end:],
        middle=text[header_end:end],
        path=name,
    )


def _column(line: str, chance: random.Random) -> int:
    first, last = len(leading_blanks(line)), len(line.rstrip()) - 1
    kind = chance.choices([name for name, _ in _WHERE], [share for _, share in _WHERE])[0]
    if kind == "line-start" or last <= first:
        return first
    column = chance.randint(first, last)
    if kind == "token-end":
        while column < last and _in_word(line, column):
            column += 1
    return column


def _in_word(line: str, column: int) -> bool:
    return column > 0 and all(character.isalnum() or character == "_" for character in line[column - 1 : column + 1])


def _source_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if _SKIPPED_FOLDERS & set(path.relative_to(folder).parts[:-1]) or not path.is_file():
            continue
        if _language(path) and path.stat().st_size <= _LARGEST_FILE_BYTES and _is_text(path):
            yield path


def _is_text(path: Path) -> bool:
    try:
        return "\0" not in path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _language(path: Path) -> str:
    language = language_of_path(path)
    return language.id if language else ""


def _fenced(text: str) -> list[tuple[str, str]]:
    """Return language and content of each fenced block."""
    found: list[tuple[str, str]] = []
    inside: list[str] | None = None
    language = ""
    for line in text.split("\n"):
        if line.startswith("```") and inside is None:
            language, inside = line[3:].strip(), []
        elif line.startswith("```") and inside is not None:
            found.append((language, "\n".join(inside)))
            inside = None
        elif inside is not None:
            inside.append(line)
    return found


def _test(row: Mapping[str, Any]) -> str:
    """Return the test as a program: HumanEval's defines `check`, which is for us to call."""
    test: str = row.get("test", "")
    return f"{test}\ncheck({row['entry_point']})" if test and "entry_point" in row else test


def _from_json(line: str, where: str) -> Case:
    try:
        row: Mapping[str, Any] = json.loads(line)
        if "canonical_solution" in row:
            row = {"middle": row["canonical_solution"], "prefix": row["prompt"], "name": row["task_id"], **row}
        middle: str = row["middle"]
        return Case(
            name=str(row.get("name", where)),
            kind="block" if "\n" in middle.strip("\n") else "line",
            language=row.get("language", "python"),
            prefix=row["prefix"],
            suffix=row["suffix"],
            middle=middle,
            test=_test(row),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FimError(f"{where} is no case ({error!r}); it needs prefix, suffix and middle.") from error
