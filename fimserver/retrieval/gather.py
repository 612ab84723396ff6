"""Gather what of other files should stand in a prompt: a thread works it out, and whoever asks awaits it.

The thread behind a `Gatherer` keeps the index, follows the edits and finds the best snippets for a cursor. No file is
read and no rule is looked up on the caller's side, but one: whether suggestions are allowed in a document at all, which
is decided once and then again in the background.
"""

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fimserver.retrieval.background import Background
from fimserver.retrieval.candidate import estimated_tokens
from fimserver.retrieval.exclude import IGNORE_FILES, Exclusion, Exclusions
from fimserver.retrieval.query import Diagnostic
from fimserver.retrieval.search import Found, Searcher
from fimserver.retrieval.settle import settled, within
from fimserver.settings import ContextSettings
from fimserver.uris import path_of
from fimserver.values import CursorContext, Document, Snippet

# A search that takes longer comes too late for the pause it was asked in; the next one finds more in memory.
_PATIENCE_S = 3.0

# Whoever asks for an explanation waits as long as it takes, within reason.
_EXPLANATION_S = 10.0

# Documents of which it is kept what was found for them.
_MOST_DOCUMENTS = 32

# Budgets follow the engine's pace, which is measured anew with each answer: without steps the snippets would flicker.
_LIMIT_STEP_TOKENS = 128

# Files change without anybody telling: the disk is looked at again after so long.
_LOOK_AGAIN_S = 900.0

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would stand in a prompt, with its estimated tokens, and what was wanted and is excluded."""

    segments: tuple[tuple[Snippet, int], ...] = ()
    excluded: tuple[tuple[Path, Exclusion], ...] = ()


class Gatherer:
    """Finds context for all documents of one workspace. No method raises; all but `explain` and `close` are quick."""

    def __init__(self, roots: Sequence[Path], settings: ContextSettings) -> None:
        self.indexed = threading.Event()  # set when the index is up to date for the first time
        self._background = Background("fimserver-retrieval")
        self._searcher: Searcher | None = None
        self._held: OrderedDict[str, tuple[Snippet, ...]] = OrderedDict()  # what stands in each document's prompts
        self._forbidding: dict[Path, str] = {}  # the rule against suggestions in each document
        self._edited: dict[str, Document] = {}  # as the user left them since the background thread last looked
        self._changed: deque[Path] = deque()
        self._looked_s = 0.0
        self.use(roots, settings)

    def use(self, roots: Sequence[Path], settings: ContextSettings) -> None:
        """Follow changed folders or settings; what is open stays known."""
        self._settings = settings
        self._roots = tuple(dict.fromkeys(root.resolve() for root in roots))
        self._exclusions = Exclusions(roots, settings)
        self._forbidding.clear()
        self._background.submit("open", self._open)

    def close(self) -> None:
        """Stop the background thread, after the job under way, and let go of the index."""
        self._background.close(self._close)

    async def snippets(self, context: CursorContext, limit_tokens: int) -> tuple[Snippet, ...]:
        """Return what of other files should stand in the prompt at a cursor, the best last.

        It is what was returned for the document before, unless something else is clearly better by now.
        """
        limit_tokens -= limit_tokens % _LIMIT_STEP_TOKENS
        if not self._settings.other_files or limit_tokens <= 0:
            return ()
        found = self._submit(f"search {context.document.uri}", lambda one: self._gather(one, context, limit_tokens))
        await asyncio.wait([asyncio.wrap_future(found)], timeout=_PATIENCE_S)
        return _result_of(found) or ()

    def rule_against_completion(self, path: Path) -> str:
        """Return the rule by which nothing is suggested inside a file, "" where there is none."""
        if path not in self._forbidding:
            self._judge(path)
        return self._forbidding[path]

    def changed(self, document: Document) -> None:
        """Take note of an edit; the index rests while the user types, and looks at it when it is next asked."""
        self._background.rest()
        self._edited.pop(document.uri, None)  # the one edited last stands last
        self._edited[document.uri] = document

    def visited(self, document: Document) -> None:
        """Take note that the user looks at a document; whether suggestions are allowed there is decided at once."""
        path = path_of(document.uri)
        if path is not None and path not in self._forbidding:
            self._background.submit(f"judge {path}", lambda: self._judge(path))
        self._submit(f"see {document.uri}", lambda searcher: self._see(searcher, document))

    def diagnosed(self, document: Document, diagnostics: Sequence[Diagnostic]) -> None:
        """Take note of what is said of a document."""
        self._submit(f"diagnosed {document.uri}", lambda searcher: searcher.diagnosed(document, diagnostics))

    def closed(self, uri: str) -> None:
        """Take note that a document was closed: its file is what is on disk."""
        path = path_of(uri)
        self._edited.pop(uri, None)
        self._submit(f"forget {uri}", lambda searcher: self._forget(searcher, uri))
        if path is not None:
            self._forbidding.pop(path, None)
            self.files_changed([path])

    def files_changed(self, paths: Iterable[Path]) -> None:
        """Take note that files were written, made or removed."""
        changed = list(paths)
        if any(path.name in IGNORE_FILES for path in changed):
            self._exclusions.forget()
            self._submit("refresh all", self._refresh_all)
        self._changed.extend(changed)
        self._submit("refresh", self._refresh_changed)

    def explain(self, context: CursorContext, limit_tokens: int = 0) -> Explanation:
        """Return what would stand in the prompt at a cursor, and why, and what is excluded by which rule."""
        limit_tokens = limit_tokens or self._settings.max_tokens
        search = self._submit("explain", lambda searcher: searcher.search(context, limit_tokens))
        wait([search], timeout=_EXPLANATION_S)
        found = _result_of(search) or Found()
        return Explanation(
            tuple((snippet, estimated_tokens(snippet.text)) for snippet in found.snippets), found.refused
        )

    # What follows runs in the background thread.

    def _open(self) -> None:
        """Begin with a new index for the roots and rules of now."""
        previous, self._searcher = self._searcher, None
        if previous is not None:
            previous.project.close()
        searcher = self._searcher = Searcher(self._roots, self._exclusions, notes=self._settings.notes)
        self._held.clear()
        for document in previous.documents() if previous is not None else ():
            searcher.see(document)
        if self._settings.other_files:
            self._refresh_all(searcher)
        self._judge_again()

    def _refresh_all(self, searcher: Searcher) -> None:
        self._looked_s = time.monotonic()
        self._work_through(searcher, self._refreshing(searcher))

    def _refreshing(self, searcher: Searcher) -> Iterator[None]:
        yield from searcher.project.refresh()
        self.indexed.set()

    def _refresh_changed(self, searcher: Searcher) -> None:
        paths = [_resolved(self._changed.popleft()) for _ in range(len(self._changed))]
        self._outdate(searcher, paths)
        self._judge_again()
        if self._settings.other_files:
            self._work_through(searcher, searcher.project.refresh_files(paths))

    def _work_through(self, searcher: Searcher, task: Iterator[None]) -> None:
        """Have a long task done as long as the searcher is in use."""
        self._background.work_through(self._while_used(searcher, task))

    def _while_used(self, searcher: Searcher, task: Iterator[None]) -> Iterator[None]:
        while self._searcher is searcher and next(task, _END) is not _END:
            yield

    def _see(self, searcher: Searcher, document: Document) -> None:
        searcher.see(document)
        if (path := path_of(document.uri)) is not None:
            self._outdate(searcher, [_resolved(path)], apart_from=document.uri)

    def _forget(self, searcher: Searcher, uri: str) -> None:
        searcher.forget(uri)
        self._held.pop(uri, None)

    def _outdate(self, searcher: Searcher, paths: Sequence[Path], apart_from: str = "") -> None:
        """Choose anew, at the next pause, where a changed file's text is in use."""
        names = {searcher.name_of(path) for path in paths}
        for uri, held in list(self._held.items()):
            if uri != apart_from and any(snippet.path in names for snippet in held):
                del self._held[uri]

    def _gather(self, searcher: Searcher, context: CursorContext, limit_tokens: int) -> tuple[Snippet, ...]:
        """Search, and decide between what is found and what is in use; only what is allowed at this moment is told."""
        uri = context.document.uri
        self._judge_again()
        if time.monotonic() - self._looked_s > _LOOK_AGAIN_S:
            self._refresh_all(searcher)
        held = settled(self._held.get(uri, ()), searcher.search(context, limit_tokens).snippets)
        self._held[uri] = held
        self._held.move_to_end(uri)
        while len(self._held) > _MOST_DOCUMENTS:
            self._held.popitem(last=False)
        return within([snippet for snippet in held if self._is_allowed(snippet)], limit_tokens)

    def _is_allowed(self, snippet: Snippet) -> bool:
        """Tell whether the file of a snippet is still not excluded: the rules may have changed since it was found."""
        return any(self._exclusions.by_name(root / snippet.path) is None for root in self._roots)

    def _judge(self, path: Path) -> None:
        self._forbidding[path] = self._rule_against(path)

    def _judge_again(self) -> None:
        """Look again whether suggestions are allowed in the documents that were asked for."""
        for path in list(self._forbidding):
            self._judge(path)

    def _rule_against(self, path: Path) -> str:
        """Return the rule against suggestions. What git ignores is only kept out of prompts, so git is not asked."""
        exclusion = self._exclusions.by_name(path, listed_by_git=True)
        return exclusion.rule if exclusion is not None and exclusion.completion else ""

    def _close(self) -> None:
        if self._searcher is not None:
            self._searcher.project.close()

    def _submit(self, key: str, job: Callable[[Searcher], _Result]) -> Future[_Result | None]:
        """Have something done with the searcher, which the first job made, once it knows of all edits."""
        return self._background.submit(
            key, lambda: job(self._knowing_edits(self._searcher)) if self._searcher is not None else None
        )

    def _knowing_edits(self, searcher: Searcher) -> Searcher:
        for uri in list(self._edited):
            if (document := self._edited.pop(uri, None)) is not None:  # it may be closed meanwhile
                self._see(searcher, document)
        return searcher


_END = object()


def _result_of(done: Future[_Result]) -> _Result | None:
    """Return what a job came to; None where it is not done, was replaced, or failed."""
    failed = not done.done() or done.cancelled() or done.exception() is not None
    return None if failed else done.result()


def _resolved(path: Path) -> Path:
    """Return where a path leads; of one that was removed, its folder still counts."""
    try:
        return path.parent.resolve() / path.name
    except (OSError, RuntimeError):  # a loop of links
        return path
