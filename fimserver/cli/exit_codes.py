"""The exit codes of every command, and what each says to whoever started it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended. A script may rely on these; docs/commands.md lists them."""

    DONE = 0
    FAULT = 1
    REFUSED = 2
    NOTE = 3
    WARNING = 4
    ERROR = 5
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.DONE: "Done. `review`: nothing was found that counts.",
    ExitCode.FAULT: "A fault of fimserver itself, described in the log; or whoever read the output has gone.",
    ExitCode.REFUSED: "It cannot be done as asked: the sentence on standard error says what would mend it. "
    "`doctor`: something needs mending. `setup`: something that you agreed to failed. `bench scorecard`: a target "
    "was missed.",
    ExitCode.NOTE: "`review`: the worst finding is a note. Only with `--fail-on note`.",
    ExitCode.WARNING: "`review`: the worst finding is a warning.",
    ExitCode.ERROR: "`review`: the worst finding is an error.",
    ExitCode.INTERRUPTED: "Interrupted by Ctrl+C. A download goes on where it was the next time; `review` prints what "
    "it has found so far. In a conversation of `chat` Ctrl+C gives up an answer, and `serve` leaves it to its editor.",
}
