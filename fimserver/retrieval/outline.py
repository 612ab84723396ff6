"""Turn a syntax tree into what the rest of a workspace can see of it: its definitions and its import statements.

    class Shelf(Furniture):          Definition(("Shelf",), owner="")
        def put(self, book): …       Definition(("put",), owner="Shelf")

Bodies of functions are not entered. Which nodes define what is said by outline.toml.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fimserver.syntax.tree import Node, Tree

# A type is shown with its fields up to this length, in characters, and by its first line beyond.
_LONGEST_WHOLE = 400

# Any other definition without a body, say a constant, is shown whole up to this length.
_LONGEST_LINE = 160

# What stands before a body; where it is longer, it is not worth its room.
_LONGEST_HEAD = 600

_WORD = re.compile(r"[^\W\d]\w*\Z")

# What a parser takes for a name where it stumbles over a macro.
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        auto bool break case char const constexpr continue default do double else enum extern final float for goto if
        inline int int16_t int32_t int64_t int8_t long override private protected public register return short signed
        size_t sizeof static struct switch template this throw typedef uint16_t uint32_t uint64_t uint8_t union unsigned
        using virtual void volatile while
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Definition:
    """Something with a name. `start` to `head_end` is enough to use it; `start` to `end` is all of it."""

    names: tuple[str, ...]  # its own first; none for what only holds, such as Rust's `impl`
    owner: str  # the class or type it belongs to, "" at the top
    start: int
    head_end: int
    end: int
    parent: int  # the index of the definition it stands in, -1 at the top


@dataclass(frozen=True, slots=True)
class Outline:
    """What a text defines, in its order, and the statements by which it names other files."""

    definitions: tuple[Definition, ...] = ()
    imports: tuple[str, ...] = ()


def outline_of(tree: Tree) -> Outline:
    """Return the outline of a tree; an empty one for a language that has no rules."""
    rules = _rules_of(tree.language.id)
    return Outline(tuple(_definitions(tree, rules)), tuple(_imports(tree, rules))) if rules else Outline()


@dataclass(frozen=True, slots=True)
class _Rules:
    """One table of outline.toml."""

    definitions: Mapping[str, str]
    holders: frozenset[str]
    unnamed: frozenset[str]
    members: Mapping[str, str]
    types: frozenset[str]
    wrappers: frozenset[str]
    transparent: frozenset[str]
    imports: frozenset[str]
    importing: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Place:
    """A node to look at, with the wrapper it stands in and the definition it belongs to."""

    node: Node
    wrapper: Node | None = None
    owner: str = ""
    parent: int = -1


def _definitions(tree: Tree, rules: _Rules) -> list[Definition]:
    found: list[Definition] = []
    waiting = [_Place(tree.root)]
    while waiting:
        place = waiting.pop()
        if place.node.type in rules.definitions:
            inside = _define(place, tree, rules, found)
        else:
            inside = _look_through(place, rules)
        waiting.extend(reversed(inside))
    return found


def _look_through(place: _Place, rules: _Rules) -> list[_Place]:
    node = place.node
    if node.type not in rules.wrappers and node.type not in rules.transparent:
        return []
    # `const limit = 3` is one definition, and its first word belongs to it; `const (…)` holds several.
    single = node.type.endswith("_declaration") and node.named_child_count == 1
    wrapper = (place.wrapper or node) if single or node.type in rules.wrappers else None
    return [_Place(child, wrapper, place.owner, place.parent) for child in node.named_children]


def _define(place: _Place, tree: Tree, rules: _Rules, found: list[Definition]) -> list[_Place]:
    """Add what a node defines to what was found; return its members, to be looked at next."""
    node = place.node
    owner, names = _names(node, tree, rules)
    unnamed = node.type in rules.unnamed
    if not names or (unnamed and _body(node) is None):
        return []
    span = tree.span(place.wrapper or node)
    own = () if node.type in rules.unnamed else (*names, *_member_names(node, tree, rules))
    found.append(
        Definition(own, owner or place.owner, span.start, _head_end(node, tree, rules), span.end, place.parent)
    )
    body = _body(node)
    holds = body is not None and body.parent is not None and body.parent.type in rules.holders
    members = body.named_children if body is not None and holds else []
    return [_Place(child, None, names[0], len(found) - 1) for child in members]


def _names(node: Node, tree: Tree, rules: _Rules) -> tuple[str, tuple[str, ...]]:
    """Return the owner a definition names itself, if it does, and the names it defines."""
    owner, found = _NAMING[rules.definitions[node.type]](node, tree)
    return owner, tuple(name for name in found if _WORD.match(name) and name not in _RESERVED)


def _named(node: Node, tree: Tree, field: str) -> tuple[str, list[str]]:
    if node.type.endswith("_specifier") and _body(node) is None:
        return "", []  # `struct shelf *first` speaks of the type, and does not define it
    if "require(" in tree.text_of(node)[:200] and node.type == "variable_declarator":
        return "", []
    receiver = node.child_by_field_name("receiver")
    owner = re.findall(r"\w+", tree.text_of(receiver).partition("[")[0])[-1:] if receiver else []
    texts = [tree.text_of(name) for name in node.children_by_field_name(field) if name.is_named]
    return "".join(owner), [re.split(r"\W", text.lstrip("#$"), maxsplit=1)[0] for text in texts]


def _declared(node: Node, tree: Tree) -> tuple[str, list[str]]:
    """Follow C's declarators, and Java's, down to the identifiers."""
    owner, names = "", []
    for declarator in node.children_by_field_name("declarator"):
        name: Node | None = declarator
        while name is not None and name.named_child_count and name.type not in _IDENTIFIERS:
            if name.type == "qualified_identifier":
                scope = name.child_by_field_name("scope")
                owner = tree.text_of(scope) if scope else owner
            name = name.child_by_field_name("declarator") or name.child_by_field_name("name") or name.named_children[0]
        names += [tree.text_of(name).removeprefix("~")] if name is not None else []
    declared_type = node.child_by_field_name("type")
    if declared_type is not None and declared_type.type.endswith("_specifier"):
        names += _named(declared_type, tree, "name")[1]
    return owner, names


def _assigned(node: Node, tree: Tree) -> tuple[str, list[str]]:
    """Return the names of `a, b = 1, 2`, `exports.a = 1` and `Shelf.prototype.put = function () {…}`."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None:
        return "", []
    if left.type != "member_expression":
        return "", [part.strip() for part in re.split(r"[,\[(]", tree.text_of(left))]
    owner, _, name = tree.text_of(left).rpartition(".")
    owner = owner.removesuffix(".prototype")
    named = right.child_by_field_name("name") if right is not None else None
    if owner == "module" and named is not None:
        return "", [tree.text_of(named)]
    if owner in ("exports", "module.exports"):
        return "", [name]
    return (owner, [name]) if right is not None and right.child_by_field_name("body") else ("", [])


def _first(node: Node, tree: Tree) -> tuple[str, list[str]]:
    return "", [tree.text_of(child) for child in node.named_children[:1]]


_NAMING = {
    "name": lambda node, tree: _named(node, tree, "name"),
    "property": lambda node, tree: _named(node, tree, "property"),
    "type": lambda node, tree: _named(node, tree, "type"),
    "declarator": _declared,
    "left": _assigned,
    "first": _first,
}

_IDENTIFIERS = frozenset({"identifier", "field_identifier", "type_identifier", "operator_name", "destructor_name"})


def _body(node: Node) -> Node | None:
    """Return the body of a definition, or that of the function or class it gives a name to."""
    for field in ("value", "right"):
        value = node.child_by_field_name(field)
        if value is not None and (body := value.child_by_field_name("body")) is not None:
            return body
    return node.child_by_field_name("body")


def _member_names(node: Node, tree: Tree, rules: _Rules) -> Iterator[str]:
    declared_type = node.child_by_field_name("type")
    body = _body(declared_type if declared_type is not None and declared_type.named_child_count else node)
    for member in body.named_children if body is not None else ():
        if member.type in rules.members:
            named = member.child_by_field_name(rules.members[member.type]) if rules.members[member.type] else member
            if named is not None:
                yield tree.text_of(named)


def _head_end(node: Node, tree: Tree, rules: _Rules) -> int:
    span, text = tree.span(node), tree.source.text
    if node.type in rules.types and span.end - span.start <= _LONGEST_WHOLE:
        return span.end
    body = _body(node)
    if body is not None:
        end = min(tree.span(body).start, span.start + _LONGEST_HEAD)
    elif span.end - span.start <= _LONGEST_LINE:
        return span.end
    else:
        end = min(text.find("\n", span.start, span.end) % (span.end + 1), span.start + _LONGEST_LINE)
    return span.start + len(text[span.start : end].rstrip())


def _imports(tree: Tree, rules: _Rules) -> Iterator[str]:
    seen = set()
    for found in rules.importing.finditer(tree.source.text):
        node = next((node for node in reversed(tree.path(found.end() - 1)) if node.type in rules.imports), None)
        if node is not None and node.start_byte not in seen:
            seen.add(node.start_byte)
            yield tree.text_of(node)


@cache
def _rules_of(language_id: str) -> _Rules | None:
    tables: dict[str, dict[str, Any]] = tomllib.loads(
        files("fimserver.retrieval").joinpath("outline.toml").read_text("utf-8")
    )
    name = _ALIASES.get(language_id, language_id)
    table = tables.get(name)
    return _rules(table if "like" not in table else {**tables[table["like"]], **table}) if table else None


_ALIASES = {"javascriptreact": "javascript", "typescriptreact": "typescript"}


def _rules(table: Mapping[str, Any]) -> _Rules:
    sets = {
        name: frozenset(table[name]) for name in ("holders", "unnamed", "types", "wrappers", "transparent", "imports")
    }
    importing = re.compile(table["importing"], re.MULTILINE)
    return _Rules(definitions=table["definitions"], members=table["members"], importing=importing, **sets)
