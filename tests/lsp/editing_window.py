"""An editor for commands that edit: it answers what a server asks of it, and makes the edits as editors do."""

import itertools
from collections.abc import Mapping
from typing import Any

from fimserver.text import line_starts, position_at
from tests.lsp.raw_client import Message, RawClient

BEGIN, END = "«", "»"

CAPABILITIES = {
    "window": {"workDoneProgress": True, "showMessage": {"messageActionItem": {}}, "showDocument": {"support": True}},
    "workspace": {"workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]}},
}

_numbers = itertools.count(100)


class EditingWindow:
    """One document with a selection drawn as «…», in an editor that makes versioned edits in one step.

    `pressed` is the button the user presses when asked; `shown` are the documents that were shown, `created` the files
    that were made, `seen` the kinds of progress.
    """

    def __init__(
        self, client: RawClient, drawn: str, *, uri: str = "file:///shop/till.py", language: str = "python"
    ) -> None:
        self.client, self.uri = client, uri
        begin, end = drawn.index(BEGIN), drawn.index(END) - 1
        self.text = drawn.replace(BEGIN, "").replace(END, "")
        self.range = {"start": self._position(begin), "end": self._position(end)}
        self.version, self.steps = 1, 0
        self.pressed: str | None = None
        self.shown: list[str] = []
        self.created: dict[str, str] = {}
        self.seen: list[str] = []
        self.asked: list[str] = []
        document = {"uri": uri, "languageId": language, "version": 1, "text": self.text}
        client.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def run(self, command: str, **options: Any) -> Message:
        """Run a command on the selection and return the server's answer, whatever it asks meanwhile."""
        return self.finish(self.begin(command, **options))

    def begin(self, command: str, **options: Any) -> int:
        """Send a command on the selection and return the request's number."""
        number = next(_numbers)
        arguments = [self.uri, self.range, options]
        self.client.send(
            {"id": number, "method": "workspace/executeCommand", "params": {"command": command, "arguments": arguments}}
        )
        return number

    def finish(self, number: int) -> Message:
        """Serve the server until it has answered a request, and return the answer."""
        while not ((message := self.client.receive()).get("id") == number and "method" not in message):
            self._serve(message)
        return message

    def wait_for(self, method: str) -> None:
        """Serve the server until it has asked for something."""
        while (message := self.client.receive()).get("method") != method:
            self._serve(message)
        self._serve(message)

    def wait_for_progress(self, kind: str) -> Any:
        """Serve the server until a progress of a kind has come, and return its token."""
        while True:
            message = self.client.receive()
            self._serve(message)
            if message.get("method") == "$/progress" and message["params"]["value"]["kind"] == kind:
                return message["params"]["token"]

    def actions(self, **context: Any) -> list[Message]:
        """Return the code actions for the selection."""
        params = {"textDocument": {"uri": self.uri}, "range": self.range, "context": {"diagnostics": [], **context}}
        answer = self.client.request(next(_numbers), "textDocument/codeAction", params)
        return list(answer["result"])

    def type_at_end(self, text: str) -> None:
        """Type at the document's end."""
        self.version += 1
        end = self._position(len(self.text))
        self.text += text
        change = {"range": {"start": end, "end": end}, "text": text}
        params = {"textDocument": {"uri": self.uri, "version": self.version}, "contentChanges": [change]}
        self.client.send({"method": "textDocument/didChange", "params": params})

    def _serve(self, message: Message) -> None:
        method, params = message.get("method"), message.get("params")
        if method == "$/progress":
            self.seen.append(params["value"]["kind"])
        if method is None or "id" not in message:
            return
        self.asked.append(method)
        answers: Mapping[str, Any] = {
            "window/workDoneProgress/create": lambda: None,
            "window/showMessageRequest": lambda: {"title": self.pressed} if self.pressed else None,
            "window/showDocument": lambda: self.shown.append(params["uri"]) or {"success": True},
            "workspace/applyEdit": lambda: self._apply(params["edit"]),
        }
        self.client.send({"id": message["id"], "result": answers[method]()})

    def _apply(self, edit: Message) -> Message:
        for change in edit["documentChanges"]:
            if change.get("kind") == "create":
                self.created[change["uri"]] = ""
            elif change["textDocument"]["uri"] in self.created:
                self.created[change["textDocument"]["uri"]] = change["edits"][0]["newText"]
            elif change["textDocument"]["version"] != self.version:
                return {"applied": False, "failureReason": "the version is another"}
            else:
                [only] = change["edits"]
                start, end = (self._offset(only["range"][side]) for side in ("start", "end"))
                self.text = self.text[:start] + only["newText"] + self.text[end:]
                self.version, self.steps = self.version + 1, self.steps + 1
        return {"applied": True}

    def _position(self, offset: int) -> Message:
        line, column = position_at(line_starts(self.text), offset)
        return {"line": line, "character": column}

    def _offset(self, position: Message) -> int:
        return int(line_starts(self.text)[position["line"]] + position["character"])
