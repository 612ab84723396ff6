"""Run the command line: `python -m fimserver`."""

from fimserver.cli.main import main

main()
