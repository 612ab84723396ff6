"""Turn what is staged into the message of its commit.

The diff is shown as far as the context has room, each file its share; of files that are kept out of prompts only the
name is told. What the model writes is a text for the user to read and change: nothing is committed here.
"""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from fimserver.engine.interface import Engine
from fimserver.errors import EditRefused, GitUnusable
from fimserver.retrieval.exclude import Exclusions
from fimserver.review.asking import answer, loaded
from fimserver.review.changes import recent_subjects, staged_diff, top_folder
from fimserver.review.diff import parse_diff
from fimserver.review.edits import check_characters
from fimserver.review.prompts import asked, fenced, prompt_named
from fimserver.settings import ContextSettings
from fimserver.text import with_line_ending
from fimserver.values import Document, Span

# A subject and a few lines of reasons.
_ANSWER_TOKENS = 320

# The prompt around the diff, and what a chat template writes between the messages.
_OTHER_TOKENS = 480
_CHARACTERS_PER_TOKEN = 3

# A reader takes in no more at once, and a CPU reads a few hundred tokens a second at best.
_MOST_CHARACTERS = 12_000

_FILE = re.compile(r"^(?=diff --git |\* Unmerged path )", re.MULTILINE)


async def commit_message(engine: Engine, folder: Path, exclude: ContextSettings) -> AsyncGenerator[str, None]:
    """Stream the message; closing the iterator cancels.

    Raises GitUnusable without a repository, EditRefused where nothing is staged, and whatever asking raises.
    """
    top = await top_folder(folder)
    files = [part for part in _FILE.split(await staged_diff(top)) if part.strip()]
    if not files:
        raise EditRefused("Nothing is staged, so there is nothing to describe. Stage it first: git add FILE")
    facts = await loaded(engine)
    room = (facts.context_tokens - _ANSWER_TOKENS - _OTHER_TOKENS) * _CHARACTERS_PER_TOKEN
    shown = shortened(visible(files, top, exclude), max(0, min(room, _MOST_CHARACTERS)))
    recent = "\n".join(await recent_subjects(top))
    messages = asked(prompt_named("commit-message"), {"diff": fenced(shown, "diff"), "recent": fenced(recent)})
    async with aclosing(answer(engine, messages, max_tokens=_ANSWER_TOKENS)) as pieces:
        async for piece in pieces:
            yield piece


def message_of(text: str) -> str:
    r"""Return the message in an answer: without fence, quotation marks and headings. Raises EditRefused.

    >>> message_of("Commit message:\n```\nAdd a till\n```")
    'Add a till'
    """
    text = re.sub(r"\s*<think>.*?(?:</think>|\Z)", "", with_line_ending(text, "\n"), count=1, flags=re.DOTALL)
    fence = re.search(r"^```[^\n]*\n(.*?)(?:^```|\Z)", text, re.MULTILINE | re.DOTALL)
    text = (fence[1] if fence else text).strip()
    text = re.sub(r"\A(?:\*{0,2}commit message:?\*{0,2}|subject:)\s*", "", text, flags=re.IGNORECASE)
    lines = [line.rstrip() for line in text.strip('"`').split("\n")]
    if not lines[0]:
        raise EditRefused("The model wrote no message. Ask again, or choose a larger model.")
    check_characters(text, Document.of("", language="plaintext"), Span(0, 0))
    return "\n".join(lines)


def visible(files: Sequence[str], top: Path, exclude: ContextSettings) -> list[str]:
    """Return the diffs of files, of those that are kept out of prompts only their names.

    Raises GitUnusable where one has conflicts.
    """
    exclusions, shown = Exclusions((top,), exclude), list[str]()
    for text in files:
        change = next(iter(parse_diff(text)), None)
        if change is None:
            continue
        if "conflict" in change.why_not:
            raise GitUnusable(f"{change.path} {change.why_not}. Resolve them first.")
        excluded = exclusions.by_name(top / change.path)
        shown.append(f"{change.path} (not shown: {excluded})\n" if excluded else text)
    return shown


def shortened(files: Sequence[str], characters: int) -> str:
    r"""Return the diffs in at most so many characters: short ones whole, the others cut to equal shares, at line ends.

    >>> shortened(["one\n", "two\nthree\nfour\n"], 16)
    'one\ntwo\nthree\n…\n'
    """
    shares, left = dict[int, int](), characters
    for count, number in enumerate(sorted(range(len(files)), key=lambda number: len(files[number]))):
        shares[number] = min(len(files[number]), left // (len(files) - count))
        left -= shares[number]
    return "".join(_cut(text, shares[number]) for number, text in enumerate(files))


def _cut(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    end = text.rfind("\n", 0, max(0, characters - 1)) + 1
    return f"{text[:end]}…\n" if end else ""
