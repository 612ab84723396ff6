"""Gather what of other files should stand in a prompt: looked up in the background, read off here.

A request never waits for a file to be read. The thread behind `Gatherer` keeps the index, follows the edits and works
out the best snippets for the place of the last request; `snippets` returns what is ready and settled.
"""

import logging

_log = logging.getLogger(__name__)
