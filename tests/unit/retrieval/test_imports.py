"""What each language's import statements name."""

import pytest

from fimserver.retrieval.imports import Import, imports_of

ROWS = [
    ("python", "import os", [Import("os", local="os")]),
    ("python", "import numpy as np, sys", [Import("numpy", local="np"), Import("sys", local="sys")]),
    ("python", "from .a import b as c, d", [Import(".a", (("b", "c"), ("d", "d")))]),
    ("python", "from a.b import (\n    c,  # why\n    d,\n)", [Import("a.b", (("c", "c"), ("d", "d")))]),
    ("python", "from a import *", [Import("a", star=True)]),
    ("python", "from . import a", [Import(".", (("a", "a"),))]),
    ("javascript", 'import a, { b as c } from "./d"', [Import("./d", (("b", "c"), ("default", "a")))]),
    ("javascript", 'import * as a from "b"', [Import("b", local="a")]),
    ("javascript", 'export * from "./a"', [Import("./a", star=True)]),
    ("javascript", 'const { a, b: c } = require("d")', [Import("d", (("a", "a"), ("b", "c")))]),
    ("javascript", 'const a = require("b")', [Import("b", local="a")]),
    ("typescript", 'import type { A } from "../b"', [Import("../b", (("A", "A"),))]),
    ("go", 'import "a/b"', [Import("a/b", local="b")]),
    ("go", 'c "a/b"', [Import("a/b", local="c")]),
    ("go", '"github.com/x/go-yaml/v3"', [Import("github.com/x/go-yaml/v3", local="yaml")]),
    ("go", '_ "a/b"', [Import("a/b")]),
    ("rust", "use crate::a::B;", [Import("crate::a", (("B", "B"),))]),
    ("rust", "pub use a::{b, c::*, d as e};", [
        Import("a", (("b", "b"),)), Import("a::c", star=True), Import("a", (("d", "e"),)),
    ]),
    ("rust", "use a::b::{self, C};", [Import("a::b", local="b"), Import("a::b", (("C", "C"),))]),
    ("rust", "mod a;", [Import("self::a", local="a")]),
    ("java", "import a.b.C;", [Import("a.b.C", (("C", "C"),))]),
    ("java", "import a.b.*;", [Import("a.b", star=True)]),
    ("java", "import static a.B.c;", [Import("a.B", (("c", "c"),))]),
    ("java", "package a.b;", [Import("a.b", star=True)]),
    ("csharp", "using A.B;", [Import("A.B", star=True)]),
    ("csharp", "global using static A.B.C;", [Import("A.B.C", star=True)]),
    ("csharp", "using D = A.B.C;", [Import("A.B", (("C", "D"),))]),
    ("csharp", "using var file = Open();", []),
    ("csharp", "using (var file = Open()) {", []),
    ("php", "use A\\B;", [Import("A\\B", (("B", "B"),))]),
    ("php", "use A\\B as C, D;", [Import("A\\B", (("B", "C"),)), Import("D", (("D", "D"),))]),
    ("php", "use A\\{B, C\\D as E};", [Import("A\\B", (("B", "B"),)), Import("A\\C\\D", (("D", "E"),))]),
    ("php", "use function A\\b;", []),
    ("c", '#include "a/b.h"', [Import("a/b.h", star=True)]),
    ("cpp", "# include <a>", [Import("a", star=True)]),
    ("haskell", "import A", []),
]  # fmt: skip


@pytest.mark.parametrize(("language", "statement", "named"), ROWS, ids=[f"{row[0]}: {row[1]}" for row in ROWS])
def test_names(language: str, statement: str, named: list[Import]) -> None:
    assert list(imports_of([statement], language)) == named


@pytest.mark.parametrize("language", sorted({row[0] for row in ROWS}))
@pytest.mark.parametrize(
    "statement", ["", "import", "from", "use {{{", "import {{ from", "#include", '"', "a" * 10_000]
)
def test_what_is_no_statement_names_nothing_and_raises_nothing(language: str, statement: str) -> None:
    assert all(isinstance(one, Import) for one in imports_of([statement], language))
