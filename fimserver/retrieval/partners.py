"""Find the files that belong to a file by their names: its test or what it tests, its header or its source.

cart.py       test_cart.py, cart_test.py
Cart.java     CartTest.java, CartTests.java, CartIT.java
cart.ts       cart.test.ts, cart.spec.ts
cart.c        cart.h
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

# How a test is named after what it tests; the name stands for `{}`.
_TEST_NAMES = (
    "test_{}",
    "{}_test",
    "{}_tests",
    "{}Test",
    "{}Tests",
    "{}IT",
    "{}.test",
    "{}.spec",
    "{}-test",
    "{}-spec",
)
_TEST_FORMS = tuple(re.compile(re.escape(form).replace(r"\{\}", "(.+)") + r"\Z") for form in _TEST_NAMES)

# Endings that stand for each other.
_ENDINGS = (
    (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx"),
    (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs"),
    (".py", ".pyi"),
)

_MOST_PARTNERS = 3


def partners(path: Path, named: Callable[[str], Sequence[Path]]) -> list[Path]:
    """Return the partners of a file, those in its own folder first. `named` returns the files with a name."""
    found = [candidate for name in _partner_names(path) for candidate in (path.with_name(name), *named(name))]
    existing = (candidate for candidate in dict.fromkeys(found) if candidate != path and candidate.is_file())
    return list(islice(sorted(existing, key=lambda candidate: _distance(candidate, path)), _MOST_PARTNERS))


def _partner_names(path: Path) -> Iterator[str]:
    stem, ending = path.name.removesuffix(path.suffix), path.suffix
    endings = next((group for group in _ENDINGS if ending in group), (ending,))
    yield from (stem + other for other in endings if other != ending)
    tested = next((found[1] for form in _TEST_FORMS if (found := form.match(stem))), None)
    if tested is not None:
        yield from (tested + other for other in endings)
    else:
        yield from (form.format(stem) + ending for form in _TEST_NAMES)


def _distance(one: Path, other: Path) -> int:
    """Return how many steps between folders lead from one file to the other."""
    common = sum(1 for _ in _shared(one.parts, other.parts))
    return len(one.parts) + len(other.parts) - 2 * common


def _shared(parts: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    for part, other in zip(parts, others, strict=False):
        if part != other:
            return
        yield part
