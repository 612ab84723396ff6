"""What the completer wants to know of the workspace's other files; `retrieval/` knows it."""

from pathlib import Path
from typing import Protocol

from fimserver.values import CursorContext, Snippet


class OtherFiles(Protocol):
    """The rest of the workspace."""

    async def snippets(self, context: CursorContext, limit_tokens: int) -> tuple[Snippet, ...]:
        """Return what may help at a cursor, within a budget. Never an excluded file's text, and never an error.

        It may take long: nobody waits for it but a prompt that is prepared in the background.
        """
        ...

    def rule_against_completion(self, path: Path) -> str:
        """Return the rule that forbids suggestions in a file, as `.aiignore:3`; empty where none does."""
        ...
