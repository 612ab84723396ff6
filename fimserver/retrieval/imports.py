r"""Turn import statements into what they name.

    from .shelves import Shelf as S        Import(".shelves", names=(("Shelf", "S"),))
    import * as path from "./path"         Import("./path", local="path")
    use crate::a::{b, c::*};               Import("crate::a", names=(("b", "b"),)), Import("crate::a::c", star=True)

The statements come from the syntax tree, so their text is sound; what they name is read from the text, language by
language. `resolve.py` finds the files.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Import:
    """A module, and what is taken from it. `local` is the name the module itself goes by here."""

    module: str
    names: tuple[tuple[str, str], ...] = ()  # (name there, name here)
    local: str = ""
    star: bool = False  # everything it exports


def imports_of(statements: Iterable[str], language: str) -> tuple[Import, ...]:
    """Return what import statements name; nothing for a language whose statements are not known."""
    read = _READERS.get(language)
    return tuple(found for statement in statements for found in read(statement)) if read else ()


def _python(statement: str) -> Iterator[Import]:
    text = re.sub(r"#[^\n]*|\\\n", "", statement)
    if found := re.match(r"\s*from\s*(\.*\s*[\w.]*)\s*import\s*\(?([^)]*)", text):
        module = re.sub(r"\s", "", found[1])
        yield Import(module, tuple(_aliases(found[2], " as ")), star="*" in found[2])
    elif found := re.match(r"\s*import\s+(.*)", text, re.DOTALL):
        for module, local in _aliases(found[1], " as ", word=r"[\w.]+"):
            yield Import(module, local=local)


def _javascript(statement: str) -> Iterator[Import]:
    for clause, module in _FROM_CLAUSE.findall(statement):
        names = tuple(_aliases("".join(re.findall(r"\{([^}]*)\}", clause)), " as "))
        outside = re.sub(r"\{[^}]*\}|\btype\b", "", clause)
        space = re.search(r"\*\s*as\s+(\w+)", outside)
        default = re.match(r"\s*(?:import|export)\s+(?!from\b)(\w+)", outside)
        names += (("default", default[1]),) if default else ()
        yield Import(module, names, local=space[1] if space else "", star="*" in outside and not space)
    for names, local, module in _REQUIRED.findall(statement):
        taken = tuple(_aliases(names, ":"))
        yield Import(module, taken, local=local)


# `import … from "m"`, `export … from "m"`, `import "m"`.
_FROM_CLAUSE = re.compile(r"""((?:\bimport|\bexport)\b[^'"();]*?\bfrom)\s*['"]([^'"\n]+)['"]""")
# `{a, b: c} = require("m")`, `m = require("m").part`, `m = await import("m")`. No name is tried from its middle on: a
# file of one endless word would take seconds.
_REQUIRED = re.compile(
    r"""(?:(?:\{([^}]*)\}|(?<![\w$.])([\w$.]+))\s*[=:]\s*)?(?:await\s+)?\b(?:require|import)\(\s*['"]([^'"\n]+)['"]\s*\)"""
)


def _go(statement: str) -> Iterator[Import]:
    if found := re.match(r"""\s*(?:import\s+)?([\w.]+\s+)?["`]([^"`]+)["`]""", statement):
        given, module = (found[1] or "").strip(), found[2]
        local = given or re.sub(r"^go-|[.-]go$|\.v\d+$", "", re.sub(r"/v\d+$", "", module).rpartition("/")[2])
        yield Import(module, local="" if given in (".", "_") else local, star=given == ".")


def _rust(statement: str) -> Iterator[Import]:
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", statement, flags=re.DOTALL)
    if found := re.match(r"\s*(?:pub(?:\([^)]*\))?\s+)?use\s+(.*?);?\s*$", text, re.DOTALL):
        yield from _rust_use("", re.sub(r"\s+", " ", found[1]))
    elif found := re.match(r"\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;", text):
        yield Import(f"self::{found[1]}", local=found[1])


def _rust_use(path: str, tree: str) -> Iterator[Import]:
    """Read one tree of a `use` declaration that stands below a path."""
    before, brace, inside = tree.partition("{")
    if brace:
        below = _joined(path, before.strip().removesuffix("::"))
        for part in _split_at_commas(inside.strip().removesuffix("}")):
            yield from _rust_use(below, part)
        return
    whole, _, alias = _joined(path, tree.strip()).partition(" as ")
    module, _, name = whole.rpartition("::")
    if name == "*":
        yield Import(module, star=True)
    elif name == "self":
        yield Import(module, local=alias or module.rpartition("::")[2])
    elif name:
        yield Import(module, ((name, alias.strip() or name),))


def _joined(path: str, part: str) -> str:
    return f"{path}::{part}" if path and part else path or part


def _split_at_commas(text: str) -> Iterator[str]:
    """Yield the parts between commas that stand in no braces."""
    depth, start = 0, 0
    for index, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            yield text[start:index]
            start = index + 1
    if text[start:].strip():
        yield text[start:]


def _java(statement: str) -> Iterator[Import]:
    text = re.sub(r"\s+", " ", statement).strip().removesuffix(";").strip()
    if found := re.match(r"package ([\w.]+)", text):
        yield Import(found[1], star=True)  # what stands in the same package needs no import
    elif found := re.match(r"import (static )?([\w.]+)\.(\w+|\*)", text):
        static, module, name = found[1], found[2], found[3]
        if static or name == "*":
            yield Import(module, () if name == "*" else ((name, name),), star=name == "*")
        else:
            yield Import(f"{module}.{name}", ((name, name),))


def _csharp(statement: str) -> Iterator[Import]:
    text = re.sub(r"\s+", " ", statement).strip()
    if found := re.match(r"(?:global )?using (?:static )?(?:(\w+) ?= ?)?([\w.]+) ?;", text):
        module, _, name = found[2].rpartition(".")
        yield Import(module, ((name, found[1]),)) if found[1] else Import(found[2], star=True)


def _php(statement: str) -> Iterator[Import]:
    found = re.match(r"use (?!function |const )([^{;]*)(?:\{([^}]*)\})?", re.sub(r"\s+", " ", statement).strip())
    before, listed = (found[1], found[2]) if found else ("", None)
    for part in (before if listed is None else listed).split(","):
        there, _, here = part.strip().partition(" as ")
        module = (there if listed is None else before + there).strip().lstrip("\\")
        if re.fullmatch(r"[\w\\]+", module):
            name = module.rpartition("\\")[2]
            yield Import(module, ((name, here.strip() or name),))


def _c(statement: str) -> Iterator[Import]:
    if found := re.match(r"""\s*#\s*include\s*(["<])([^">\n]+)[">]""", statement):
        yield Import(found[2], star=True)


def _aliases(text: str, word_between: str, word: str = r"[\w$]+") -> Iterator[tuple[str, str]]:
    """Yield (name there, name here) for each name of a list such as `a, b as c`."""
    for part in text.split(","):
        there, _, here = re.sub(r"\s+", " ", part.removeprefix("type ")).partition(word_between)
        if name := re.fullmatch(rf"\s*(?:type )?({word})\s*", there):
            local = re.match(rf"\s*({word})", here)
            yield name[1], local[1] if local else name[1]


_READERS: dict[str, Callable[[str], Iterator[Import]]] = {
    "python": _python,
    "javascript": _javascript,
    "javascriptreact": _javascript,
    "typescript": _javascript,
    "typescriptreact": _javascript,
    "go": _go,
    "rust": _rust,
    "java": _java,
    "csharp": _csharp,
    "php": _php,
    "c": _c,
    "cpp": _c,
}
