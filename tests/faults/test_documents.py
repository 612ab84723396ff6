"""The server's text is the editor's text after every edit, in every encoding, with every character that confuses."""

import random

import pytest

from fimserver.lsp.client import Encoding
from fimserver.values import Document
from tests.faults.conftest import Figure
from tests.faults.forms import forms
from tests.lsp.test_documents import URI, Edit, Reference, change, opened

PIECES = (
    "a",
    "b ",
    "\n",
    "\r",
    "\r\n",
    "\f",
    "\v",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    "é",
    "漢",
    "😀",
    "e\u0301",
    "👩\u200d👩",
)
HALVES = ("\ud83d", "\ude00")  # JSON can carry half a character, and editors that count in UTF-16 send it

# Ever longer texts would only make the same edits slower.
LONGEST_UNITS = 400


@pytest.mark.parametrize("edits", forms(2_000, 200_000, 1800))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_no_edit_brings_the_text_out_of_step(encoding: Encoding, edits: int, figure: Figure) -> None:
    chance = random.Random(f"{encoding} {edits}")
    documents, reference = opened("", encoding), Reference("", encoding)
    version = 1
    while version <= edits:
        edit = _edit(chance, reference, encoding)
        if reference.cuts_character(edit):
            continue
        version += 1
        reference.apply(edit)
        documents.change(URI, version, [change(edit.start, edit.end, edit.text)])
        document = documents.get(URI)
        assert isinstance(document, Document)
        assert document.text == reference.text
    figure("edits", edits)


def _edit(chance: random.Random, reference: Reference, encoding: Encoding) -> Edit:
    """Return an edit anywhere: most places are in the text, some past the end of a line or of the text."""
    pieces = PIECES + HALVES if encoding == "utf-16" else PIECES
    if len(reference.text) > LONGEST_UNITS:
        return Edit((chance.randrange(9), 0), (99, 0), "")
    text = "".join(chance.choices(pieces, k=chance.randrange(6)))
    start = (chance.randrange(30), chance.randrange(14))
    end = (start[0] + chance.choice((0, 0, 0, 1)), chance.randrange(14))
    return Edit(start, max(start, end) if chance.random() < 0.5 else start, text)
