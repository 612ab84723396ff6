"""Turn what an editor says of its texts, alone or as the cells of a notebook, into the documents of now."""

from enum import Enum

from lsprotocol import types

from fimserver.lsp.findings import follow
from fimserver.lsp.review import stop_review_of
from fimserver.lsp.session import Session
from fimserver.lsp.surroundings import note_edit, note_visit
from fimserver.syntax.languages import language_id


def did_open(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """Take in a document."""
    session.follow_settings_file()
    _open(session, params.text_document)
    note_visit(session, params.text_document.uri)
    session.start_engine()


def did_change(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """Follow edits of a document."""
    uri = params.text_document.uri
    session.documents.change(uri, params.text_document.version, params.content_changes)
    note_edit(session, uri)
    follow(session, uri)


def did_close(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """Let go of a document and of all that was kept for it."""
    _close(session, params.text_document.uri)


def did_open_notebook(session: Session, params: types.DidOpenNotebookDocumentParams) -> None:
    """Take in a notebook with its cells."""
    session.follow_settings_file()
    notebook = params.notebook_document
    session.documents.notebooks.open(notebook.uri, [cell.document for cell in notebook.cells])
    for opened in params.cell_text_documents:
        _open(session, opened)
    session.start_engine()


def did_change_notebook(session: Session, params: types.DidChangeNotebookDocumentParams) -> None:
    """Follow cells that were added, removed or moved, and edits inside of cells."""
    cells = params.change.cells
    if cells is None:
        return
    if cells.structure is not None:
        _restructure(session, params.notebook_document.uri, cells.structure)
    for content in cells.text_content or ():
        did_change(session, types.DidChangeTextDocumentParams(content.document, content.changes))


def did_close_notebook(session: Session, params: types.DidCloseNotebookDocumentParams) -> None:
    """Let go of a notebook and its cells."""
    notebook, cells = params.notebook_document.uri, [cell.uri for cell in params.cell_text_documents]
    session.documents.notebooks.close(notebook)
    for uri in (*cells, notebook):
        _close(session, uri)


def _restructure(session: Session, notebook: str, structure: types.NotebookDocumentCellChangeStructure) -> None:
    array = structure.array
    added = [cell.document for cell in array.cells or ()]
    session.documents.notebooks.splice(notebook, array.start, array.delete_count, added)
    for closed in structure.did_close or ():  # first: a cell that is moved may be closed and opened in one breath
        _close(session, closed.uri)
    for opened in structure.did_open or ():
        _open(session, opened)


def _open(session: Session, opened: types.TextDocumentItem) -> None:
    session.documents.open(opened.uri, _language_id(opened), opened.version, opened.text)


def _language_id(opened: types.TextDocumentItem) -> str:
    """Return our name of the editor's language, which lsprotocol makes a member of an enumeration where it knows it."""
    return language_id(opened.language_id.value if isinstance(opened.language_id, Enum) else opened.language_id)


def _close(session: Session, uri: str) -> None:
    stop_review_of(session, uri)
    session.documents.close(uri)
    session.completer.forget(uri)
    session.workspace.other_files.closed(uri)
