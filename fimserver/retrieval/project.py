"""What retrieval can look up in a workspace: the facts of its files, who defines a name, what is like a text.

Every file passes through `facts`, which refuses what is excluded, however it was found. One thread uses a project.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fimserver.retrieval.exclude import Exclusion, Exclusions
from fimserver.retrieval.facts import Facts, FactsKeeper
from fimserver.retrieval.imports import Import, imports_of
from fimserver.retrieval.index import Hit, Index
from fimserver.retrieval.places import root_of
from fimserver.retrieval.resolve import Workspace, files_of
from fimserver.retrieval.terms import terms_of_word
from fimserver.syntax.languages import language_of_path
from fimserver.values import Document

# Through so many files that only pass a name on is it followed to its definition.
_LONGEST_REEXPORT = 3

# Documents whose text is taken from the editor.
_MOST_DOCUMENTS = 24

# Languages that import from one another.
_FAMILIES = {
    "javascript": "script",
    "javascriptreact": "script",
    "typescript": "script",
    "typescriptreact": "script",
    "cpp": "c",
}


class Project:
    """The files of a workspace as retrieval sees them."""

    def __init__(self, roots: Sequence[Path], exclusions: Exclusions, *, notes: bool = False) -> None:
        self.notes = notes  # whether the project's own notes may be used
        self.roots = tuple(dict.fromkeys(root.resolve() for root in roots))
        self.exclusions = exclusions
        self.refused: dict[Path, Exclusion] = {}  # what was wanted and excluded, since it was last emptied
        self._indexes = [Index(root, exclusions) for root in self.roots]
        self._keeper = FactsKeeper(language_of)
        self._documents: OrderedDict[Path, Document] = OrderedDict()
        self._workspace = Workspace(self.roots, self.named)

    def close(self) -> None:
        """Let go of the indexes."""
        for index in self._indexes:
            index.close()

    def refresh(self) -> Iterator[None]:
        """Bring the indexes up to date in small steps."""
        for index in self._indexes:
            yield from index.refresh()

    def refresh_files(self, paths: Sequence[Path]) -> Iterator[None]:
        """Bring the indexes up to date for some files."""
        for index in self._indexes:
            names = [
                path.relative_to(index.root).as_posix() for path in paths if root_of(path, self.roots) == index.root
            ]
            if names:
                yield from index.refresh(names)

    def facts(self, path: Path) -> Facts | None:
        """Return the facts of a file; None where it is excluded, gone or unsuitable."""
        if not self.allows(path):
            return None
        document = self._documents.get(path)
        return self._keeper.of_document(path, document) if document else self._keeper.of_file(path)

    def allows(self, path: Path) -> bool:
        """Tell whether a file may be used; where it may not, `refused` says why."""
        exclusion = self.exclusions.by_name(path)
        if exclusion is not None:
            self.refused[path] = exclusion
        return exclusion is None

    def opened(self, path: Path, document: Document) -> None:
        """Take a file's text from the editor from now on."""
        self._documents[path] = document
        self._documents.move_to_end(path)
        while len(self._documents) > _MOST_DOCUMENTS:
            self._documents.popitem(last=False)

    def closed(self, path: Path) -> None:
        """Take a file's text from the disk again."""
        self._documents.pop(path, None)

    def latest_documents(self) -> list[Path]:
        """Return the files the user looked at last, the last first."""
        return list(reversed(self._documents))

    def defining(self, name: str) -> list[Path]:
        """Return the files that define a name."""
        return [path for index in self._indexes for path in index.defining(name)]

    def named(self, name: str) -> list[Path]:
        """Return the files with this name."""
        return [path for index in self._indexes for path in index.named(name)]

    def similar(self, weights: Mapping[int, float], limit: int) -> list[Hit]:
        """Return the chunks most like a text, best first."""
        hits = [hit for index in self._indexes for hit in index.similar(weights, limit)]
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    def popularity(self, names: Sequence[str]) -> dict[str, int]:
        """Return in how many chunks of the workspace each name stands."""
        terms = {name: terms[0] for name in names if (terms := terms_of_word(name))}
        counts: Counter[int] = Counter()
        for index in self._indexes:
            counts.update(index.frequencies(list(set(terms.values()))))
        return {name: counts[term] for name, term in terms.items()}

    def files_of(self, wanted: Import, path: Path, language: str) -> list[Path]:
        """Return the files that an import in a file may name."""
        return files_of(wanted, path, language, self._workspace)

    def sites(
        self, wanted: Import, name: str, path: Path, language: str, hops: int = _LONGEST_REEXPORT
    ) -> Iterator[tuple[Path, Facts, int]]:
        """Yield where a name that a file imports is defined: the file, its facts, the definition's index.

        Files that only pass the name on, such as a package's `__init__.py`, are followed.
        """
        for file in self.files_of(wanted, path, language):
            facts = self.facts(file)
            if facts is None:
                continue
            found = [index for index, one in enumerate(facts.outline.definitions) if name in one.names]
            if found:
                yield file, facts, found[-1]  # the last: those before it are overloads and forward declarations
                return
            if hops:
                yield from self._passed_on(facts, name, file, hops - 1)

    def _passed_on(self, facts: Facts, name: str, file: Path, hops: int) -> Iterator[tuple[Path, Facts, int]]:
        for again in imports_of(facts.outline.imports, facts.language):
            there = next((there for there, here in again.names if here == name), name if again.star else "")
            if there:
                yield from self.sites(again, there, file, facts.language, hops)


def language_of(path: Path) -> str:
    """Return the id of a file's language, "" for one we have no grammar for."""
    language = language_of_path(path)
    return language.id if language else ""


def are_related(path: Path | None, language: str, other: Path) -> bool:
    """Tell whether another file's code can be of use in a file: its language is one that it shares code with."""
    if other == path:
        return False
    known = language_of(other)
    return family(known) == family(language) if known else path is not None and other.suffix == path.suffix


def family(language: str) -> str:
    """Return the name of the languages that import from one another, to which this one belongs."""
    return _FAMILIES.get(language, language)
