"""The commands on a part of a file, by name: what they are called, and what becomes of the model's answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Becomes(StrEnum):
    """What the answer is."""

    TEXT = "text"  # for the user to read
    PART = "part"  # the new text of the part
    COMMENT = "comment"  # the documentation comment of the part
    FILE = "file"  # a new file


@dataclass(frozen=True, slots=True)
class Action:
    """One command. Its prompt has its name. `answer_tokens` are granted beside those the part itself has."""

    name: str
    title: str  # as an editor's menu shows it
    becomes: Becomes
    answer_tokens: int


ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Action("explain", "Explain", Becomes.TEXT, 768),
        Action("fix", "Fix what is complained about", Becomes.PART, 256),
        Action("docstring", "Write its documentation", Becomes.COMMENT, 384),
        Action("tests", "Write tests", Becomes.FILE, 1024),
        Action("simplify", "Simplify", Becomes.PART, 128),
        Action("types", "Add types", Becomes.PART, 256),
        Action("instruct", "Change as I say", Becomes.PART, 512),
    )
}
