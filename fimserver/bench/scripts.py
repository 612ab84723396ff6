"""The typing that the traces of `fixtures/traces` record: one function per trace, over our own code as it once was.

`python -m fimserver.bench.scripts FOLDER` writes them again; a test fails when the files and this script differ.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fimserver.bench.traces import Trace, Typist, as_lines

Files = Mapping[str, str]


def append_a_function(files: Files) -> Trace:
    """Write a new function at the end of a module, line by line, with a thought between its parts."""
    typist = Typist("append a function", {"cache.py": files["cache.py"]})
    typist.go_to_end("cache.py")
    typist.type("\n\ndef newest_first(entries: list[Remembered]) -> list[Remembered]:\n")
    typist.type('    """Return the entries, the newest first."""\n')
    typist.pause()
    typist.type("    ordered = list(reversed(entries))\n    return [entry for entry in ordered if entry.whole]\n")
    return typist.trace()


def edit_inside_a_call(files: Files) -> Trace:
    """Add arguments to calls in the middle of a module."""
    typist = Typist("edit inside a call", {"completer.py": files["completer.py"]})
    typist.go("completer.py", "return replace(landing, context=context, outcome=doubtful or outcome")
    typist.type(", steps=tuple(landing.steps)")
    typist.pause()
    typist.go("completer.py", "landing = await flight.land(")
    typist.type("timeout=")
    typist.pause()
    typist.go("completer.py", "self._cache.remember(context, landing.outcome")
    typist.type(", at=self._clock()")
    return typist.trace()


def insert_in_a_long_file(files: Files) -> Trace:
    """Insert lines in the middle of a file of 2,000 lines."""
    typist = Typist("insert lines in a long file", {"long.py": files["long.py"]})
    typist.go("long.py", "class SuggestionCache:")
    typist.pause()
    typist.type('\n    """Keeps what was suggested, newest first."""\n\n    most_entries = 250\n')
    typist.type("\n    def size(self) -> int:\n        return len(self._entries)\n")
    typist.pause()
    typist.type("\n    def is_empty(self) -> bool:\n        return not self._entries\n")
    return typist.trace()


def switch_between_two_files(files: Files) -> Trace:
    """Change a module and its user in turn."""
    typist = Typist("switch between two files", {name: files[name] for name in ("cache.py", "completer.py")})
    for number in range(3):
        typist.go("cache.py", "    def forget(self, uri: str) -> None:")
        typist.type(f"\n        count_{number} = len(self._entries)")
        typist.pause()
        typist.go("completer.py", "        self._cache.forget(uri)")
        typist.type(f"\n        self._forgotten_{number} = uri")
        typist.pause()
    return typist.trace()


def delete_and_retype(files: Files) -> Trace:
    """Change one's mind: delete what was typed, undo, type something else."""
    typist = Typist("delete and retype", {"cache.py": files["cache.py"]})
    typist.go("cache.py", "        self._entries.move_to_end(key)")
    for first, second in (("print(len(self._entries))", "assert key in self._entries"), ("x = ent", "entries")):
        typist.type("\n        " + first)
        typist.delete(len(first))
        typist.type(second)
    typist.type("\n")
    typist.paste("        self._count += 1")
    typist.type("\n        return entry")
    return typist.trace()


def jump_away_and_back(files: Files) -> Trace:
    """Begin a line, look something up elsewhere in the file, add an import, come back and go on."""
    typist = Typist("jump away and back", {"completer.py": files["completer.py"]})
    typist.go("completer.py", "        self._turns = Turns()")
    typist.type("\n        self._started_s = ")
    typist.pause()
    typist.go("completer.py", "import asyncio")
    typist.type("\nimport math")
    typist.go("completer.py", "        self._started_s = ")
    typist.type("math.floor(clock())")
    typist.go("completer.py", "import math")
    typist.type("\nimport os")
    typist.go("completer.py", "math.floor(clock())")
    typist.type("\n        self._pid = os.getpid()")
    return typist.trace()


SCRIPTS: Mapping[str, Callable[[Files], Trace]] = {
    "append-a-function": append_a_function,
    "edit-inside-a-call": edit_inside_a_call,
    "insert-in-a-long-file": insert_in_a_long_file,
    "switch-between-two-files": switch_between_two_files,
    "delete-and-retype": delete_and_retype,
    "jump-away-and-back": jump_away_and_back,
}


def write_traces(folder: Path) -> None:
    """Write every trace into the folder, from the files in its folder `files`."""
    files = {path.name: path.read_text("utf-8") for path in (folder / "files").iterdir()}
    for name, script in SCRIPTS.items():
        (folder / f"{name}.jsonl").write_text("\n".join(as_lines(script(files))) + "\n", "utf-8")


if __name__ == "__main__":
    write_traces(Path(sys.argv[1]))
