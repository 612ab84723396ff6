"""Turn a command line into one command, and whatever goes wrong into one sentence.

How it ends is told by an exit code of exit_codes.py. A command's module is imported only when that command runs: an
editor that starts `fimserver serve` waits for nothing else.
"""

import io
import logging
import sys
from pathlib import Path

import click

from fimserver import __version__
from fimserver.cli.choice import choose
from fimserver.cli.exit_codes import ExitCode
from fimserver.cli.rows import Row, RowGroup
from fimserver.errors import FimError

COMMANDS = (
    Row("setup", "setup", "Get a model, connect your editors, and try it."),
    Row("serve", "serve", "Run the language server; editors start this."),
    Row("complete", "complete", "Print the suggestion at a position of a file."),
    Row("demo", "demo", "Type a line in a real session and watch the suggestions."),
    Row("doctor", "doctor", "Check this machine; each line is fine or says what mends it."),
    Row("status", "status", "Show the engine that is running, and that of the chat model if one is chosen."),
    Row("stats", "stats", "Show how many suggestions were shown, accepted and kept, and how long they took to come."),
    Row("engine", "engine", "Start, stop or show the engine process."),
    Row("chat", "chat", "Talk with the chat model, about FILE if one is named."),
    Row("edit", "edit", "Explain or change a part of a file with the chat model."),
    Row("fill", "fill", "Fill in a text at its mark."),
    Row("commit-message", "commit_message", "Write the message of what is staged."),
    Row("prompts", "prompts", "List the prompts, or write one as it is."),
    Row("bench", "bench", "Measure quality and speed on this machine; nothing is downloaded."),
    Row("review", "review", "Review files, or without any what is not committed yet, with the chat model."),
    Row("models", "models", "List the models that are installed and those that can be had."),
    Row("recommend", "recommend", "Measure this machine and name the model to use on it, with the reasons."),
    Row("pull", "pull", "Download a model, verified; a download that was cut off goes on where it was."),
    Row("use", "use", "Choose the model that answers from now on."),
    Row("context", "context", "Show what a model would read at a position, and which files are kept out."),
    Row("why", "why", "Say why something is suggested at a position, or why nothing is."),
    Row("completion", "completion", "Print the script by which your shell completes commands, options and models."),
)


@click.group(
    cls=RowGroup, rows=COMMANDS, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="fimserver", message="%(prog)s %(version)s")
@click.option("--settings", type=click.Path(path_type=Path), metavar="FILE", help="Settings file to use.")
@click.option("--model", metavar="ID|FILE", help="Model to use: a catalogue id or a GGUF file.")
@click.option("--engine", metavar="scripted:FILE", help="Answer from a script of replies instead of a model.")
@click.pass_context
def command_line(context: click.Context, settings: Path | None, model: str | None, engine: str | None) -> None:
    """Local, offline code completion for every editor.

    Without a command: what to do next on this machine.
    """
    context.obj = choice = choose(settings_file=settings, model=model, engine=engine)
    for problem in choice.problems:
        click.echo(f"fimserver: {problem}", err=True)
    if context.invoked_subcommand is None:
        from fimserver.cli.first_run import show_first_run

        show_first_run(choice)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code. Nothing that goes wrong leaves more than a sentence on the terminal."""
    _print_whatever_comes()
    try:
        return command_line.main(arguments, prog_name="fimserver", standalone_mode=False) or 0
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except FimError as error:
        click.echo(f"fimserver: {error}", err=True)
        return ExitCode.REFUSED
    except Exception as error:  # noqa: BLE001 - what nobody foresaw is told in one sentence, too
        return _report_fault(error)


def _print_whatever_comes() -> None:
    """Let a terminal that knows fewer characters than a source file show a question mark for the others."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _report_fault(error: Exception) -> int:
    from fimserver.logs import set_up_logging

    log_file = set_up_logging("cli", "ERROR", to_terminal=False)
    logging.getLogger(__name__).error("a command failed", exc_info=error)
    where = f"The details are in {log_file}; please report them." if log_file else "No log file could be written."
    click.echo(f"fimserver: this is a fault of fimserver itself ({type(error).__name__}). {where}", err=True)
    return ExitCode.FAULT
