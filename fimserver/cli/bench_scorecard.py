"""`fimserver bench scorecard`: the checks of reliability and privacy, run for real, and what they came to."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from fimserver.bench.scorecard import ROOT, checks, run_check
from fimserver.bench.scorecard_report import merged, read_results, write_results
from fimserver.cli import output
from fimserver.cli.exit_codes import ExitCode
from fimserver.cli.progress import told
from fimserver.errors import FimError


@click.command("scorecard")
@click.argument("names", nargs=-1, metavar="[CHECK]...")
@click.option("--long", is_flag=True, help="Run the whole amounts; all of them take hours.")
@click.option("--write", type=click.Path(file_okay=False, path_type=Path), help="Folder of the documents; else docs.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.pass_context
def bench_scorecard_command(
    context: click.Context, names: tuple[str, ...], long: bool, write: Path | None, as_json: bool
) -> None:
    """Run the checks of reliability, or only those that are named, and write docs/reliability.md and .json.

    Ends with code 2 if a target is not reached.
    """
    if not (ROOT / "tests" / "faults").is_dir():
        raise FimError("The checks are tests of a checkout, and this is none. Clone the project and run it there.")
    order = [check.id for check in checks()]
    if unknown := [name for name in names if name not in order]:
        raise FimError(f"There is no check {unknown[0]!r}; there are {', '.join(order)}.")
    folder, fresh = write or ROOT / "docs", []
    for check in checks():
        if not names or check.id in names:
            with told(partial("{} …".format, check.what)):
                fresh.append(result := run_check(check, long=long))
            if not as_json:
                mark = ("yes", output.GOOD) if result.ok else ("no ", output.BAD)
                output.line(mark, f"  {check.id:<4}{check.what}: {result.value}")
            write_results(folder, merged(read_results(folder / "reliability.json"), fresh, order))
    if as_json:
        output.as_json([asdict(result) for result in fresh])
    else:
        output.line(f"{sum(result.ok for result in fresh)} of {len(fresh)} targets are reached.")
    context.exit(ExitCode.DONE if all(result.ok for result in fresh) else ExitCode.REFUSED)
