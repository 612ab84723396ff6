"""An editor window for tests: types into documents as an editor does, with the cursor drawn as `‸`."""

import itertools

from lsprotocol import types
from pytest_lsp import LanguageClient

from fimserver.lsp.client import Encoding
from fimserver.lsp.convert import units_of
from fimserver.text import line_starts, position_at
from tests.drawn import CURSOR

_numbers = itertools.count(1)


class Buffer:
    """One document of an editor, kept in step with the server by incremental changes."""

    def __init__(
        self,
        client: LanguageClient,
        drawn: str,
        *,
        uri: str | None = None,
        encoding: Encoding = "utf-16",
        language: str = "python",
    ) -> None:
        self.client, self.encoding = client, encoding
        self.uri = uri or f"file:///{next(_numbers)}.py"
        self.offset = drawn.index(CURSOR)
        self.text = drawn.replace(CURSOR, "")
        self.version = 1
        document = types.TextDocumentItem(self.uri, language, self.version, self.text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(document))

    @property
    def drawn(self) -> str:
        """The text with its cursor."""
        return self.text[: self.offset] + CURSOR + self.text[self.offset :]

    def type(self, text: str, *, replacing: int = 0) -> None:
        """Put text in place of so many characters before the cursor."""
        start = self.offset - replacing
        self._replace(start, self.offset, text)

    def _replace(self, start: int, end: int, text: str) -> None:
        change = types.TextDocumentContentChangePartial(types.Range(self.position(start), self.position(end)), text)
        self.version += 1
        self.text = self.text[:start] + text + self.text[end:]
        self.offset = start + len(text)
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def position(self, offset: int | None = None) -> types.Position:
        """Return the position of an offset, the cursor's by default."""
        starts = line_starts(self.text)
        line, column = position_at(starts, self.offset if offset is None else offset)
        return types.Position(line, units_of(self.text[starts[line] : starts[line] + column], self.encoding))

    async def ghost(
        self, *, invoked: bool = False, selected: types.SelectedCompletionInfo | None = None
    ) -> list[types.InlineCompletionItem]:
        """Ask for ghost text at the cursor."""
        kind = types.InlineCompletionTriggerKind
        answer = await self.client.text_document_inline_completion_async(
            types.InlineCompletionParams(
                types.InlineCompletionContext(kind.Invoked if invoked else kind.Automatic, selected),
                types.TextDocumentIdentifier(self.uri),
                self.position(),
            )
        )
        assert isinstance(answer, types.InlineCompletionList)
        return list(answer.items)

    async def menu(self) -> list[types.CompletionItem]:
        """Ask for the completion menu at the cursor."""
        answer = await self.client.text_document_completion_async(
            types.CompletionParams(types.TextDocumentIdentifier(self.uri), self.position())
        )
        assert isinstance(answer, types.CompletionList)
        assert answer.is_incomplete
        return list(answer.items)

    def accept(self, item: types.InlineCompletionItem) -> None:
        """Put an item into the text, as an editor does."""
        assert item.range is not None
        assert isinstance(item.insert_text, str)
        self._replace(self._offset(item.range.start), self._offset(item.range.end), item.insert_text)

    def _offset(self, position: types.Position) -> int:
        """Return the offset of a position by searching for it: the other way round than the server computes it."""
        start = line_starts(self.text)[position.line]
        return next(
            offset
            for offset in range(start, len(self.text) + 1)
            if units_of(self.text[start:offset], self.encoding) == position.character
        )
