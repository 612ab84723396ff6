"""Turn results of the scorecard into docs/reliability.json and docs/reliability.md, and read the former back."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from fimserver.bench.report import markdown_table
from fimserver.bench.scorecard import Result
from fimserver.files import write_atomically

_HEAD = """\
# Reliability

What a completer must withstand, as checks with a target, and what they came to on the machine that ran them last. A row
is only `yes` where every test of it passed, none was skipped, and its whole amount was run. `make scorecard` runs the
quick form of all, `fimserver bench scorecard --long` the long one, and either writes this page and
[reliability.json](reliability.json) anew; names of checks after it run only those. The tests stand in `tests/faults/`
and in the folders that the commands name. What is answered to input that is wrong stands in
[protocol-faults.md](protocol-faults.md), what is stored where in [privacy.md](privacy.md), and what is defended against
whom in [SECURITY.md](../SECURITY.md).

"""


def read_results(path: Path) -> list[Result]:
    """Return the results that stand in a file; none where there is no file."""
    return [Result(**row) for row in json.loads(path.read_text("utf-8"))] if path.exists() else []


def merged(before: Sequence[Result], fresh: Sequence[Result], order: Sequence[str]) -> list[Result]:
    """Return the fresh results and, for checks that were not run now, those from before, in the scorecard's order."""
    known = {result.id: result for result in (*before, *fresh)}
    return [known[name] for name in order if name in known]


def write_results(folder: Path, results: Sequence[Result]) -> None:
    """Write both documents, readable by everybody: they are published."""
    written = {
        "reliability.json": json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False) + "\n",
        "reliability.md": markdown(results),
    }
    for name, text in written.items():
        write_atomically(folder / name, text)
        (folder / name).chmod(0o644)


def markdown(results: Sequence[Result]) -> str:
    """Return the page."""
    reached = sum(result.ok for result in results)
    rows = [
        [result.id, result.what, result.target, result.value.replace("|", "\\|"), "yes" if result.ok else "**no**"]
        for result in results
    ]
    table = markdown_table(["", "check", "target", "value", "reached"], rows)
    commands = markdown_table(["", "command"], [[result.id, f"`{result.command}`"] for result in results])
    return f"{_HEAD}{reached} of {len(results)} targets are reached.\n\n{table}\n\n## Run one\n\n{commands}\n"
