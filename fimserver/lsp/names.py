"""The names of fimserver's additions to the protocol. docs/protocol.md shows their JSON.

All are optional, and shaped like Copilot's, which plug-in authors know.
"""

# Server to client, for those who understand it (see status.py).
DID_CHANGE_STATUS = "fimserver/didChangeStatus"

# Client to server.
DID_SHOW_COMPLETION = "fimserver/didShowCompletion"
DID_PARTIALLY_ACCEPT_COMPLETION = "fimserver/didPartiallyAcceptCompletion"
DID_FOCUS = "fimserver/didFocus"

# Commands. The client libraries of VS Code make an editor command of each, so a plug-in's own need other names.
ACCEPTED = "fimserver.accepted"
STATUS = "fimserver.status"
WHY = "fimserver.why"
JOURNAL = "fimserver.journal"
RESTART_ENGINE = "fimserver.restartEngine"
SET_ENABLED = "fimserver.setEnabled"
SET_SNOOZE = "fimserver.setSnooze"

LIST_MODELS = "fimserver.listModels"
PULL_MODEL = "fimserver.pullModel"

COMMIT_MESSAGE = "fimserver.commitMessage"

REVIEW = "fimserver.review"
REVIEW_CANCEL = "fimserver.review.cancel"
REVIEW_CLEAR = "fimserver.review.clear"
REVIEW_DISMISS = "fimserver.review.dismiss"
REVIEW_DISMISS_KIND = "fimserver.review.dismissKind"
REVIEW_EXPLAIN = "fimserver.review.explain"

# The commands on a part of a file, as review/actions.py names them.
EDITS = ("explain", "fix", "docstring", "tests", "simplify", "types", "instruct")


def edit_command(action: str) -> str:
    """Return the name of the command for an action."""
    return f"fimserver.{action}"


COMMAND_NAMES = (
    *(ACCEPTED, STATUS, WHY, JOURNAL, RESTART_ENGINE, SET_ENABLED, SET_SNOOZE),
    *(LIST_MODELS, PULL_MODEL, COMMIT_MESSAGE, *map(edit_command, EDITS)),
    *(REVIEW, REVIEW_CANCEL, REVIEW_CLEAR, REVIEW_DISMISS, REVIEW_DISMISS_KIND, REVIEW_EXPLAIN),
)
