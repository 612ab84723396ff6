"""Turn the name an editor or a file has for a language into the facts of `languages.toml`.

A grammar is imported by `syntax/parsing.py` when the first document needs it; this module reads one small file.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any

_TABLE = Path(__file__).with_name("languages.toml")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Language:
    """One row of `languages.toml`, where every field is explained. There is one object per language."""

    id: str
    grammar: tuple[str, str]
    also: tuple[str, ...]
    suffixes: tuple[str, ...]
    line_comment: str
    line_comments: str
    block_comment: tuple[str, str] | None
    quotes: tuple[str, ...]
    long_strings: tuple[tuple[str, str], ...]
    opens: str
    terminator: str
    headers: frozenset[str]
    strings: frozenset[str]
    holes: frozenset[str]
    comments: frozenset[str]
    blocks: frozenset[str]
    scopes: frozenset[str]
    compound: frozenset[str]
    prelude: frozenset[str]


def language_named(name: str) -> Language | None:
    """Return the language an editor calls by this id, or None for one we have no grammar for."""
    return _by_name().get(name)


def language_id(name: str) -> str:
    """Return our name of the language an editor calls by this one: its own for one we have no grammar for.

    >>> language_id("cs"), language_id("cobol")
    ('csharp', 'cobol')
    """
    language = language_named(name)
    return language.id if language is not None else name


def language_of_path(path: str | PurePath) -> Language | None:
    """Return the language of a file by the end of its name."""
    return _by_suffix().get(PurePath(path).suffix.lower())


def every_language() -> tuple[Language, ...]:
    """Return all languages, in the order of the table."""
    return tuple(_languages().values())


@cache
def _languages() -> Mapping[str, Language]:
    rows: dict[str, dict[str, Any]] = tomllib.loads(_TABLE.read_text("utf-8"))
    return {name: _language(name, _inherited(rows, row)) for name, row in rows.items()}


@cache
def _by_name() -> Mapping[str, Language]:
    return {name: language for language in every_language() for name in (language.id, *language.also)}


@cache
def _by_suffix() -> Mapping[str, Language]:
    return {suffix: language for language in every_language() for suffix in language.suffixes}


def _inherited(rows: Mapping[str, Mapping[str, Any]], row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**_inherited(rows, rows[row["like"]]), **row} if "like" in row else row


def _language(name: str, row: Mapping[str, Any]) -> Language:
    module, function = row["grammar"]
    return Language(
        id=name,
        grammar=(module, function),
        also=tuple(row.get("also", ())),
        suffixes=tuple(row["suffixes"]),
        line_comment=row["line_comment"],
        line_comments=row.get("line_comments", re.escape(row["line_comment"])),
        block_comment=tuple(row["block_comment"]) if "block_comment" in row else None,
        quotes=tuple(row["quotes"]),
        long_strings=tuple((begin, rest) for begin, rest in row.get("long_strings", ())),
        opens=row["opens"],
        terminator=row.get("terminator", ""),
        headers=frozenset(row["headers"]),
        strings=frozenset(row["strings"]),
        holes=frozenset(row.get("holes", ())),
        comments=frozenset(row["comments"]),
        blocks=frozenset(row["blocks"]),
        scopes=frozenset(row["scopes"]),
        compound=frozenset(row["compound"]),
        prelude=frozenset(row.get("prelude", ())),
    )
