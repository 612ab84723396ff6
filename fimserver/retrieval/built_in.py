"""Turn a path into the built-in rule that keeps it out, if any: secrets, keys, lock files, installed packages.

The rules are rows of excluded.toml, and no setting or repository can switch one off: a file of secrets that was sent
cannot be called back.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal

_Kind = Literal["names", "folders", "paths"]


@dataclass(frozen=True, slots=True)
class BuiltInRule:
    """One pattern of excluded.toml."""

    row: int  # rows stand in order of precedence
    why: str
    pattern: str
    completion: bool  # whether suggestions are still given inside the file
    inside_workspace: bool  # whether only the path below the workspace's root counts


def built_in_rule(parts: Sequence[str], root_depth: int = 0) -> BuiltInRule | None:
    """Return the first rule that matches the parts of a path, of which `root_depth` are the workspace root's own.

    >>> built_in_rule(("home", "me", "project", ".env.local"), 3).pattern
    '.env.*'
    """
    *folders, name = (part.lower() for part in parts)
    hits = [_match("names", name)]
    hits += [_match("paths", "/".join([*folders, name][-length:])) for length in (2, 3)]
    hits += [_match("folders", folder) for folder in folders[root_depth:]]
    hits += [
        rule for folder in folders[:root_depth] if (rule := _match("folders", folder)) and not rule.inside_workspace
    ]
    return min((rule for rule in hits if rule), key=lambda rule: rule.row, default=None)


@cache
def built_in_rules(kind: _Kind) -> tuple[BuiltInRule, ...]:
    """Return the table's patterns of one kind, in order."""
    return tuple(
        BuiltInRule(number, row["why"], pattern, row["completion"], row.get("inside_workspace", False))
        for number, row in enumerate(built_in_rows())
        for pattern in row.get(kind, ())
    )


@lru_cache(maxsize=8192)
def _match(kind: _Kind, text: str) -> BuiltInRule | None:
    found = _expression(kind).match(text)
    return built_in_rules(kind)[int(found.lastgroup[1:])] if found and found.lastgroup else None


@cache
def _expression(kind: _Kind) -> re.Pattern[str]:
    """Return one expression with a group for every pattern: group `p3` is the rule with index 3."""
    rows, rules = built_in_rows(), built_in_rules(kind)
    return re.compile(
        "|".join(
            f"(?P<p{number}>{_sparing(rows[rule.row])}{translate(rule.pattern.lower())})"
            for number, rule in enumerate(rules)
        )
    )


def _sparing(row: dict[str, Any]) -> str:
    return "".join(f"(?!{translate(name.lower())})" for name in row.get("except", ()))


@cache
def built_in_rows() -> tuple[dict[str, Any], ...]:
    """Return the table, in order of precedence; excluded.toml says what stands in a row."""
    text = files("fimserver.retrieval").joinpath("excluded.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["rule"])
