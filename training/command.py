"""Run a command of this folder: what a user can mend is said in one sentence, without a traceback."""

import sys
from collections.abc import Callable

from fimserver.errors import FimError


def run(main: Callable[[], None]) -> None:
    """Call `main`; leave with status 2 and a sentence where it raises FimError."""
    try:
        main()
    except FimError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
