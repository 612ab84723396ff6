"""Turn scripted typing over real code into a trace, and a trace file into the keys an editor would send.

A trace is JSON lines. The first names it and the files it begins with (beside it in `files/`); each other line is a
key, a move of the caret or a pause:

    {"trace": "edit inside a call", "files": ["cart.py"]}
    {"file": "cart.py", "at": [40, 12], "remove": 0, "insert": "(", "then": ")"}    types `(`; the editor closes it
    {"file": "cart.py", "at": [41, 0]}                                              the caret goes there, nothing typed
    {"pause_ms": 900}

Positions are 0-based lines and columns of the text as it then is. The caret stands between `insert` and `then`. The
files are ASCII, so that a column is the same in every encoding.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fimserver.errors import FimError
from fimserver.text import leading_blanks, line_starts, offset_at

# What it takes a person to bring the hand from the mouse to the keys (Card, Moran and Newell: The keystroke-level model
# for user performance time with interactive systems, 1980).
_HOMING_MS = 400

_CLOSER_OF = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: what it does to a file."""

    file: str
    at: tuple[int, int]
    remove: int = 0
    insert: str = ""
    then: str = ""  # what the editor adds behind the caret by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The caret is put somewhere else, with the mouse."""

    file: str
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nobody types."""

    pause_ms: int


Event = Key | Move | Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Some minutes of somebody's editing."""

    name: str
    files: Mapping[str, str]  # file name → the text it begins with
    events: Sequence[Event]


def read_trace(path: Path) -> Trace:
    """Return the trace of a file. Raises FimError naming the line that is wrong."""
    try:
        first, *rest = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        files = {name: (path.parent / "files" / name).read_text("utf-8") for name in first["files"]}
        return Trace(name=first["trace"], files=files, events=[_event(row) for row in rest])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FimError(f"The trace {path} cannot be read: {error!r}.") from error


def as_lines(trace: Trace) -> Iterator[str]:
    """Yield a trace as the lines of its file."""
    yield json.dumps({"trace": trace.name, "files": list(trace.files)})
    for event in trace.events:
        row = {name: value for name, value in asdict(event).items() if value not in ("", 0) or name == "at"}
        yield json.dumps(row)


def event_offset(text: str, event: Key | Move) -> int:
    """Return the offset at which a key does what it does, or to which the caret moves."""
    return offset_at(text, line_starts(text), *event.at)


def in_cold_files(trace: Trace, lines: int = 500) -> Trace:
    """Return the first key, Enter in the middle, in each of the files that a long one can be cut into.

    Nobody has looked at them before, and the caret has not come to rest there: nothing is prepared.
    """
    ((_, text),) = trace.files.items()
    whole = text.splitlines(keepends=True)
    parts = [whole[start : start + lines] for start in range(0, len(whole) - lines + 1, lines)]
    files = {f"cold_{number}.py": "".join(part) for number, part in enumerate(parts)}
    return Trace(name=f"first key in {lines} cold lines", files=files, events=list(map(_enter, files, parts)))


def _enter(file: str, lines: Sequence[str]) -> Key:
    """Return the Enter key behind the first line of the second half that holds a statement."""
    line = next(number for number in range(len(lines) // 2, len(lines)) if lines[number].strip())
    text = lines[line].rstrip("\n")
    return Key(file=file, at=(line, len(text)), insert="\n" + leading_blanks(text))


class Typist:
    """Types as a person does in an editor that indents new lines and closes brackets, and keeps the keys."""

    def __init__(self, name: str, files: Mapping[str, str]) -> None:
        self._name, self._first = name, dict(files)
        self._texts = dict(files)
        self._file, self._caret = next(iter(files)), 0
        self._events: list[Event] = []

    def trace(self) -> Trace:
        """Return what was typed so far."""
        return Trace(name=self._name, files=self._first, events=tuple(self._events))

    def go(self, file: str, after: str) -> None:
        """Put the caret right behind the first place where a file reads so."""
        self._go(file, self._texts[file].index(after) + len(after))

    def go_to_end(self, file: str) -> None:
        """Put the caret behind the last character of a file."""
        self._go(file, len(self._texts[file]))

    def type(self, text: str) -> None:
        """Type a text key by key; a line feed is Enter, and the editor indents as the text's next line is."""
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if number:
                self._press(insert="\n" + leading_blanks(line))
            for character in line.lstrip(" ") if number else line:
                self._type_one(character)

    def delete(self, count: int) -> None:
        """Press backspace so many times."""
        for _ in range(count):
            self._caret -= 1
            self._press(remove=1)

    def paste(self, text: str) -> None:
        """Insert a text at once."""
        self._press(insert=text)

    def pause(self, pause_ms: int = 1_000) -> None:
        """Think."""
        self._events.append(Pause(pause_ms))

    def _go(self, file: str, caret: int) -> None:
        self._file, self._caret = file, caret
        self._events += [Move(file=file, at=self._position()), Pause(_HOMING_MS)]

    def _type_one(self, character: str) -> None:
        following = self._texts[self._file][self._caret : self._caret + 1]
        if character in _CLOSER_OF.values() and following == character:
            self._press(remove=1, insert=character)  # typed over the one the editor added
        elif character in _CLOSER_OF and following in ("", "\n", ")", "]", "}"):
            self._press(insert=character, then=_CLOSER_OF[character])
        else:
            self._press(insert=character)

    def _press(self, remove: int = 0, insert: str = "", then: str = "") -> None:
        self._events.append(Key(file=self._file, at=self._position(), remove=remove, insert=insert, then=then))
        text = self._texts[self._file]
        self._texts[self._file] = text[: self._caret] + insert + then + text[self._caret + remove :]
        self._caret += len(insert)

    def _position(self) -> tuple[int, int]:
        before = self._texts[self._file][: self._caret]
        return before.count("\n"), len(before) - before.rfind("\n") - 1


def _event(row: Mapping[str, Any]) -> Event:
    if "pause_ms" in row:
        return Pause(row["pause_ms"])
    line, column = row["at"]
    kind = Key if len(row) > 2 else Move
    return kind(**{**row, "at": (line, column)})
