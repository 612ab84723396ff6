"""Turn a package's metadata into its licence, if that lets its source be learnt from: permissive, without copyleft.

An SPDX expression counts before classifiers, and those before the free text. Of alternatives (`OR`) one must be
permissive, of parts (`AND`, several classifiers) every one. What is not understood is refused.
"""

import re
from collections.abc import Callable
from email.message import Message

# As SPDX writes them, in lower case. The lesser ones stand beside MIT or BSD in the metadata of numpy and of others.
_PERMISSIVE = frozenset(
    (
        *("mit", "mit-0", "mit-cmu", "bsd", "bsd-1-clause", "bsd-2-clause", "bsd-3-clause", "0bsd"),
        *("apache-2.0", "isc", "psf-2.0", "python-2.0", "cnri-python"),
        *("zlib", "cc0-1.0", "unlicense", "bsl-1.0"),
    )
)

# What packages wrote before SPDX: classifiers, and the free text. Compared in lower case, without "the" and "license".
_WRITTEN_OUT = {
    "mit": "mit",
    "expat": "mit",
    "bsd": "bsd",
    "new bsd": "bsd-3-clause",
    "modified bsd": "bsd-3-clause",
    "bsd 3-clause": "bsd-3-clause",
    "3-clause bsd": "bsd-3-clause",
    "bsd 2-clause": "bsd-2-clause",
    "apache": "apache-2.0",
    "apache software": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "apache 2": "apache-2.0",
    "apache, version 2.0": "apache-2.0",
    "apache version 2.0": "apache-2.0",
    "isc": "isc",
    "iscl": "isc",
    "isc (iscl)": "isc",
    "python software foundation": "psf-2.0",
    "psf": "psf-2.0",
}


def permissive_licence(metadata: Message) -> str:
    """Return the licence as the package words it, or nothing where it is absent, unknown or not permissive."""
    expression = metadata.get("License-Expression", "")
    if expression:
        return expression if _expression_is_permissive(expression) else ""
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    named = [name for line in classifiers if (name := line.split("::")[-1].strip()) != "OSI Approved"]
    if not named:
        named = metadata.get("License", "").strip().split("\n")[:1]
    return "; ".join(named) if named and all(map(_is_permissive, named)) else ""


def _expression_is_permissive(expression: str) -> bool:
    """Judge an SPDX expression.

    >>> _expression_is_permissive("(MIT OR GPL-3.0-only) AND Apache-2.0")
    True
    >>> _expression_is_permissive("MIT AND LGPL-2.1-or-later")
    False
    """
    without_exceptions = re.sub(r"(?i)\s+with\s+[\w.-]+", "", expression)
    words = re.findall(r"[()]|[^\s()]+", without_exceptions)
    judged, rest = _joined("or", words)
    return judged and not rest


def _joined(operator: str, words: list[str]) -> tuple[bool, list[str]]:
    """Judge a chain of operands; `or` binds more loosely than `and`. Returns the words behind it too."""
    operand = _one if operator == "and" else _all_of
    judge: Callable[[list[bool]], bool] = all if operator == "and" else any
    found, words = operand(words)
    every = [found]
    while words and words[0].lower() == operator:
        found, words = operand(words[1:])
        every.append(found)
    return judge(every), words


def _all_of(words: list[str]) -> tuple[bool, list[str]]:
    return _joined("and", words)


def _one(words: list[str]) -> tuple[bool, list[str]]:
    if not words:
        return False, [""]  # a word that is missing is as wrong as one too many
    if words[0] != "(":
        return _is_permissive(words[0]), words[1:]
    found, rest = _joined("or", words[1:])
    return found and rest[:1] == [")"], rest[1:]


def _is_permissive(name: str) -> bool:
    plain = re.sub(r"\b(the|license|licence)\b|[\"']", "", name.lower())
    plain = re.sub(r"\s+", " ", plain).strip(" .,")
    return _WRITTEN_OUT.get(plain, plain) in _PERMISSIVE
