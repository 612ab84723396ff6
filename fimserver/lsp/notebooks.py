"""Keep which documents are the cells of which notebook, from top to bottom."""

from collections.abc import Sequence


class Notebooks:
    """All notebooks of an editor window; notebooks and cells go by their URIs."""

    def __init__(self) -> None:
        self._cells: dict[str, list[str]] = {}

    def open(self, notebook: str, cells: Sequence[str]) -> None:
        """Take in a notebook that was opened."""
        self._cells[notebook] = list(cells)

    def splice(self, notebook: str, start: int, removed: int, added: Sequence[str]) -> None:
        """Put cells in the place of others."""
        self._cells.setdefault(notebook, [])[start : start + removed] = added

    def close(self, notebook: str) -> None:
        """Forget a notebook."""
        self._cells.pop(notebook, None)

    def cells_of(self, notebook: str) -> Sequence[str]:
        """Return the cells of a notebook; none where it is none."""
        return self._cells.get(notebook, ())

    def notebook_of(self, cell: str) -> str | None:
        """Return the notebook that a document is a cell of."""
        return next((notebook for notebook, cells in self._cells.items() if cell in cells), None)
