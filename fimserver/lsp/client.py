"""Turn the parameters of `initialize` into what the server has to know of its client.

They are read from plain JSON and leniently: an editor newer than this server, which announces values nobody here has
heard of, must still be served.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_ENCODINGS = ("utf-8", "utf-16", "utf-32")

_WORKSPACE_EDIT = ("capabilities", "workspace", "workspaceEdit")

# lsp-mode asks for inline completions without announcing it; this is the name it gives.
_INLINE_WITHOUT_SAYING = frozenset({"emacs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An editor, as it introduced itself."""

    name: str = ""
    process_id: int | None = None
    encoding: Encoding = "utf-16"
    inline_completion: bool = False
    pulls_configuration: bool = False  # it answers workspace/configuration
    registers_configuration: bool = False  # didChangeConfiguration must be registered with it
    registers_watched_files: bool = False  # it watches files for those who register
    wants_status: bool = False  # it understands fimserver/status
    shows_progress: bool = False  # a server may begin a progress by itself
    shows_markdown: bool = False  # its plug-in shows the text that a command returns
    shows_documents: bool = False  # window/showDocument
    asks_questions: bool = False  # window/showMessageRequest with buttons
    versioned_edits: bool = False  # workspace edits name the version they are for
    previews_edits: bool = False  # it shows an edit that wants to be confirmed before it makes it
    creates_files: bool = False  # … and may create files
    roots: tuple[str, ...] = ()  # URIs of the workspace folders
    options: Mapping[str, Any] = field(default_factory=dict)


def read_client(params: Any) -> Client:
    """Return the client that sent these parameters.

    >>> read_client({"capabilities": {"general": {"positionEncodings": ["utf-7", "utf-8"]}}}).encoding
    'utf-8'
    """
    options = _found(params, "initializationOptions")
    name = _found(params, "clientInfo", "name")
    pid = _found(params, "processId")
    inline = _found(params, "capabilities", "textDocument", "inlineCompletion") is not None
    return Client(
        name=name if isinstance(name, str) else "",
        process_id=pid if isinstance(pid, int) and not isinstance(pid, bool) else None,
        encoding=_chosen_encoding(_found(params, "capabilities", "general", "positionEncodings")),
        inline_completion=inline or name in _INLINE_WITHOUT_SAYING,
        pulls_configuration=_found(params, "capabilities", "workspace", "configuration") is True,
        registers_configuration=_registers(params, "didChangeConfiguration"),
        registers_watched_files=_registers(params, "didChangeWatchedFiles"),
        wants_status=_found(params, "capabilities", "experimental", "fimserver", "status") is True,
        shows_progress=_found(params, "capabilities", "window", "workDoneProgress") is True,
        shows_markdown=_found(params, "capabilities", "experimental", "fimserver", "markdown") is True,
        shows_documents=_found(params, "capabilities", "window", "showDocument", "support") is True,
        asks_questions=_found(params, "capabilities", "window", "showMessage", "messageActionItem") is not None,
        versioned_edits=_found(params, *_WORKSPACE_EDIT, "documentChanges") is True,
        previews_edits=_found(params, *_WORKSPACE_EDIT, "changeAnnotationSupport") is not None,
        creates_files="create" in (_found(params, *_WORKSPACE_EDIT, "resourceOperations") or ()),
        roots=_workspace_roots(params),
        options=options if isinstance(options, dict) else {},
    )


def _registers(params: Any, what: str) -> bool:
    return _found(params, "capabilities", "workspace", what, "dynamicRegistration") is True


def _chosen_encoding(offered: Any) -> Encoding:
    """Return the client's first choice among those we know; UTF-16 is what every client must understand."""
    known = [name for name in offered if name in _ENCODINGS] if isinstance(offered, list) else []
    return cast("Encoding", known[0]) if known else "utf-16"


def _workspace_roots(params: Any) -> tuple[str, ...]:
    folders = _found(params, "workspaceFolders")
    uris = [_found(folder, "uri") for folder in folders] if isinstance(folders, list) else []
    known = tuple(uri for uri in uris if isinstance(uri, str))
    root = _found(params, "rootUri")
    return known or ((root,) if isinstance(root, str) else ())


def _found(value: Any, *path: str) -> Any:
    """Return what stands at a path of keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
