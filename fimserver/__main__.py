"""Run the command line: `python -m fimserver`, or the program `fimserver`."""

import sys

from fimserver.cli.exit_codes import ExitCode


def main() -> None:
    """Run one command and exit with its code; so does Ctrl+C while the command is still being imported."""
    try:
        from fimserver.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


if __name__ == "__main__":
    main()
