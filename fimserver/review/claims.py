"""Read the claims out of an answer while it is being written.

Our own engine writes one JSON object per line, by a grammar. Other servers write what they like: objects in fences, in
an array, spread over lines, with prose around. Every object that is whole is read; what is none is counted.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fimserver.review.findings import Category, Claim, Severity

# What other models call our categories; anything unheard of is a bug, so that nobody overlooks it.
_CATEGORIES: Mapping[str, Category] = {
    **{category.value: category for category in Category},
    "correctness": Category.BUG,
    "logic": Category.BUG,
    "vulnerability": Category.SECURITY,
    "efficiency": Category.PERFORMANCE,
    "style": Category.READABILITY,
    "maintainability": Category.READABILITY,
    "documentation": Category.READABILITY,
    "testing": Category.TESTS,
    "test": Category.TESTS,
}
_SEVERITIES: Mapping[str, Severity] = {
    **{severity.value: severity for severity in Severity},
    "critical": Severity.ERROR,
    "high": Severity.ERROR,
    "major": Severity.ERROR,
    "low": Severity.NOTE,
    "minor": Severity.NOTE,
    "info": Severity.NOTE,
    "hint": Severity.NOTE,
}

# A diagnostic is a sentence or two.
_LONGEST_MESSAGE = 400

_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]|"', re.DOTALL)
_INVISIBLE = re.compile(r"[^\S ]+|[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class ClaimReader:
    """Reads one answer. `unreadable` counts what looked like a claim and was none, or an answer without any object."""

    def __init__(self) -> None:
        self.objects = 0
        self.unreadable = 0
        self._rest = ""
        self._said_something = False

    def feed(self, text: str) -> list[Claim]:
        """Return the claims that are whole now."""
        self._rest += text
        self._said_something = self._said_something or bool(text.strip())
        claims: list[Claim] = []
        while (end := _object_end(self._rest)) is not None:
            whole, self._rest = self._rest[self._rest.index("{") : end], self._rest[end:]
            claims += self._read(whole)
        return claims

    def finish(self, *, cut: bool = False) -> list[Claim]:
        """Return the claims in what is left. An answer that was `cut` may end within an object."""
        lines = self._rest[self._rest.index("{") :].split("\n") if "{" in self._rest else []
        if cut and lines:
            lines.pop()
        claims = [claim for line in lines if line.strip() for claim in self._read(line.strip())]
        if self._said_something and not self.objects and not self.unreadable and not cut:
            self.unreadable = 1
        return claims

    def _read(self, text: str) -> list[Claim]:
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            self.unreadable += 1
            return []
        found = [_claim(one) for one in _claimed(value)]
        claims = [claim for claim in found if claim is not None]
        self.objects += not (found and not claims)
        self.unreadable += len(found) - len(claims)
        return claims


def _object_end(text: str) -> int | None:
    """Return where the first object in a text ends, None while it is not whole."""
    depth, begin = 0, text.find("{")
    for mark in _MARKS.finditer(text, begin) if begin >= 0 else ():
        if mark.group() == '"':
            return None  # a string that is not closed yet
        depth += {"{": 1, "}": -1}.get(mark.group(), 0)
        if depth == 0:
            return mark.end()
    return None


def _claimed(value: Any) -> Iterator[Any]:
    """Yield what may be claims: the object itself, or those in its lists (`{"findings": […]}`). `{}` claims nothing."""
    if isinstance(value, dict) and value:
        lists = [entry for entry in value.values() if isinstance(entry, list)]
        if "line" not in value and lists:
            yield from (one for entries in lists for one in entries)
        else:
            yield value


def _claim(value: Any) -> Claim | None:
    if not isinstance(value, dict):
        return None
    line, quote, message = value.get("line"), value.get("quote"), value.get("message")
    if isinstance(line, str) and line.strip().isdecimal():
        line = int(line)
    if type(line) is not int or not isinstance(quote, str) or not isinstance(message, str):
        return None
    if not (shown := _one_line(message)):
        return None
    replacement = value.get("replacement")
    return Claim(
        line=line,
        quote=quote,
        category=_CATEGORIES.get(str(value.get("category", "")).lower(), Category.BUG),
        severity=_SEVERITIES.get(str(value.get("severity", "")).lower(), Severity.WARNING),
        message=shown,
        replacement=replacement if isinstance(replacement, str) else None,
    )


def _one_line(message: str) -> str:
    text = " ".join(_INVISIBLE.sub(" ", message).split())
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE].rpartition(" ")[0] + " …"
