"""A documentation comment is written where its language and its file want it, and nothing of it becomes code."""

import pytest

from fimserver.errors import EditRefused
from fimserver.review.docstrings import bare_lines, convention_of, documented, place_of
from fimserver.values import Document
from tests.drawn import drawn

CONVENTIONS = {
    "Google's where a Python file shows none": ("python", "def f(): ...\n", "google"),
    "Google's where sections say so": ("python", '"""A.\n\nArgs:\n    a: b\n"""\n', "google"),
    "NumPy's where sections are underlined": ("python", '"""A.\n\nParameters\n----------\na : int\n"""\n', "numpy"),
    "Sphinx's where fields say so": ("python", '"""A.\n\n:param a: b\n:returns: c\n"""\n', "sphinx"),
    "plain sentences where there are only such": ("python", 'def f():\n    """Add."""\n', "plain"),
    "the commoner of two": ("python", "Args:\nArgs:\n\n:param a: b\n", "google"),
    "JSDoc": ("javascript", "f();\n", "jsdoc"),
    "TSDoc": ("typescript", "f();\n", "tsdoc"),
    "Javadoc": ("java", "class A {}\n", "javadoc"),
    "C#'s XML": ("csharp", "class A {}\n", "xmldoc"),
    "PHPDoc": ("php", "<?php\n", "phpdoc"),
    "rustdoc": ("rust", "fn f() {}\n", "rustdoc"),
    "Go's": ("go", "package p\n", "godoc"),
    "Doxygen's blocks where a C file shows none": ("c", "int f(void);\n", "doxygen"),
    "Doxygen's slashes where a C file has them": ("cpp", "/// Adds.\nint f(void);\n", "doxygen-slashes"),
}


@pytest.mark.parametrize(("language", "text", "expected"), CONVENTIONS.values(), ids=CONVENTIONS.keys())
def test_the_convention_is_that_of_the_language_and_the_file(language: str, text: str, expected: str) -> None:
    assert convention_of(Document.of(text, language=language)).id == expected


def test_a_language_without_a_convention_says_so() -> None:
    with pytest.raises(EditRefused, match="plaintext"):
        convention_of(Document.of("", language="plaintext"))


WRITTEN = {
    "one line in Python": (
        "python",
        "def f(a):\n    return ‸a\n",
        "Return a.",
        'def f(a):\n    """Return a."""\n    return a\n',
    ),
    "more lines in Python": (
        "python",
        "class A:\n    def f(self):\n        return ‸1\n",
        "Return one.\n\nReturns:\n    One.",
        (
            'class A:\n    def f(self):\n        """Return one.\n\n        Returns:\n            One.\n        """\n'
            "        return 1\n"
        ),
    ),
    "in place of the docstring that is there": (
        "python",
        'def f(a):\n    """Old.\n\n    More.\n    """\n    return ‸a\n',
        "New.",
        'def f(a):\n    """New."""\n    return a\n',
    ),
    "in a class below its decorator": (
        "python",
        "@final\nclass ‸A:\n    x = 1\n",
        "An A.",
        '@final\nclass A:\n    """An A."""\n    x = 1\n',
    ),
    "a backslash makes the docstring raw": (
        "python",
        "def f():\n    ‸pass\n",
        "Split at \\n.",
        'def f():\n    r"""Split at \\n."""\n    pass\n',
    ),
    "carriage returns stay": (
        "python",
        "def f():\r\n    ‸pass\r\n",
        "Do\nnothing.",
        'def f():\r\n    """Do\r\n    nothing.\r\n    """\r\n    pass\r\n',
    ),
    "a signature of several lines": (
        "python",
        "def f(\n    a,‸\n):\n    return a\n",
        "Return a.",
        'def f(\n    a,\n):\n    """Return a."""\n    return a\n',
    ),
    "JSDoc above an exported function": (
        "javascript",
        "export function f(a) {\n  return ‸a;\n}\n",
        "Returns a.\n\n@param {number} a - It.",
        "/**\n * Returns a.\n *\n * @param {number} a - It.\n */\nexport function f(a) {\n  return a;\n}\n",
    ),
    "JSDoc in place of JSDoc": (
        "javascript",
        "a();\n/**\n * Old.\n */\nfunction f() {\n  ‸b();\n}\n",
        "New.",
        "a();\n/**\n * New.\n */\nfunction f() {\n  b();\n}\n",
    ),
    "JSDoc below a plain comment": (
        "javascript",
        "/* licence */\nfunction f() {\n  ‸b();\n}\n",
        "New.",
        "/* licence */\n/**\n * New.\n */\nfunction f() {\n  b();\n}\n",
    ),
    "Javadoc above annotations": (
        "java",
        "class A {\n    @Override\n    int f() {\n        return ‸1;\n    }\n}\n",
        "Returns one.",
        "class A {\n    /**\n     * Returns one.\n     */\n    @Override\n    int f() {\n        return 1;\n    }\n}\n",
    ),
    "C#'s XML above attributes": (
        "csharp",
        "class A\n{\n    [Pure]\n    int F()\n    {\n        return ‸1;\n    }\n}\n",
        "<summary>Returns one.</summary>\n<returns>One.</returns>",
        (
            "class A\n{\n    /// <summary>Returns one.</summary>\n    /// <returns>One.</returns>\n    [Pure]\n"
            "    int F()\n    {\n        return 1;\n    }\n}\n"
        ),
    ),
    "PHPDoc above attributes": (
        "php",
        "<?php\n\n#[Pure]\nfunction f(): int\n{\n    return ‸1;\n}\n",
        "Returns one.",
        "<?php\n\n/**\n * Returns one.\n */\n#[Pure]\nfunction f(): int\n{\n    return 1;\n}\n",
    ),
    "rustdoc above attributes": (
        "rust",
        "use a;\n\n#[inline]\nfn f() -> u8 {\n    ‸1\n}\n",
        "Returns one.\n\n# Errors\n\nNone.",
        "use a;\n\n/// Returns one.\n///\n/// # Errors\n///\n/// None.\n#[inline]\nfn f() -> u8 {\n    1\n}\n",
    ),
    "Go's above a method": (
        "go",
        "package p\n\n// Old.\nfunc (a *A) F() int {\n\treturn ‸1\n}\n",
        "F returns one.",
        "package p\n\n// F returns one.\nfunc (a *A) F() int {\n\treturn 1\n}\n",
    ),
    "Doxygen above a C function": (
        "c",
        "#include <a.h>\n\nint f(void)\n{\n    return ‸1;\n}\n",
        "Returns one.",
        "#include <a.h>\n\n/**\n * Returns one.\n */\nint f(void)\n{\n    return 1;\n}\n",
    ),
    "the comment of a whole definition in Python": (
        "python",
        "def f(a):\n    return ‸a\n",
        'def f(a):\n    """Return a.\n\n    Always.\n    """\n    return evil(a)',
        'def f(a):\n    """Return a.\n\n    Always.\n    """\n    return a\n',
    ),
    "the comment of a whole definition in JavaScript": (
        "javascript",
        "function f() {\n  ‸b();\n}\n",
        "/**\n * Does it.\n */\nfunction f() {\n  evil();\n}",
        "/**\n * Does it.\n */\nfunction f() {\n  b();\n}\n",
    ),
    "the comment of a whole definition in Go": (
        "go",
        "package p\n\nfunc F() {\n\ta‸()\n}\n",
        "// F does it.\n// Well.\nfunc F() {\n\tevil()\n}",
        "package p\n\n// F does it.\n// Well.\nfunc F() {\n\ta()\n}\n",
    ),
    "what would end a Python comment does not": (
        "python",
        "def f():\n    ‸pass\n",
        'A.\n"""\nimport os\nos.system("x")\n',
        'def f():\n    """A.\n    \'\'\'\n    import os\n    os.system("x")\n    """\n    pass\n',
    ),
    "what would end a block comment does not": (
        "javascript",
        "function f() {\n  ‸b();\n}\n",
        "A. */ evil(); /* B",
        "/**\n * A. * / evil(); /* B\n */\nfunction f() {\n  b();\n}\n",
    ),
}


@pytest.mark.parametrize(("language", "text", "comment", "after"), WRITTEN.values(), ids=WRITTEN.keys())
def test_the_comment_stands_where_it_belongs(language: str, text: str, comment: str, after: str) -> None:
    document, offset = drawn(text, language=language)
    convention = convention_of(document)
    edit = documented(document, place_of(document, offset, convention), comment, convention)
    assert (edit.result, edit.new_errors) == (after, 0)


NAMES = {
    "python": ("def price(a):\n    ‸pass\n", "price"),
    "go": ("package p\n\nfunc (a *A) Price() int {\n\treturn ‸1\n}\n", "Price"),
    "c": ("int *price(void)\n{\n    return ‸0;\n}\n", "price"),
}


@pytest.mark.parametrize("language", NAMES)
def test_the_place_knows_its_name(language: str) -> None:
    document, offset = drawn(NAMES[language][0], language=language)
    assert place_of(document, offset, convention_of(document)).name == NAMES[language][1]


NOWHERE = {
    "no definition": ("a = ‸1\n", "no function or class"),
    "a body on the header's line": ("def f(): ‸pass\n", "no room"),
}


@pytest.mark.parametrize(("text", "why"), NOWHERE.values(), ids=NOWHERE.keys())
def test_where_a_comment_cannot_stand_the_reason_is_said(text: str, why: str) -> None:
    document, offset = drawn(text)
    with pytest.raises(EditRefused, match=why):
        place_of(document, offset, convention_of(document))


BARE = {
    "quotation marks": ('"""Adds."""', ["Adds."]),
    "quotation marks and indentation": (
        '    """Adds.\n\n    Args:\n        a: b\n    """',
        ["Adds.", "", "Args:", "    a: b"],
    ),
    "a block": ("/**\n * Adds.\n *\n * @param a b\n */", ["Adds.", "", "@param a b"]),
    "three slashes": ("/// Adds.\n///\n/// More.", ["Adds.", "", "More."]),
    "two slashes": ("// Adds.\n// More.", ["Adds.", "More."]),
    "a list stays one": ("Adds:\n\n* a\n* b", ["Adds:", "", "* a", "* b"]),
    "nothing": ('""""""', []),
}


@pytest.mark.parametrize(("text", "lines"), BARE.values(), ids=BARE.keys())
def test_comment_signs_that_a_model_wrote_are_taken_away(text: str, lines: list[str]) -> None:
    assert bare_lines(text) == lines


def test_an_empty_comment_is_refused() -> None:
    document, offset = drawn("def f():\n    ‸pass\n")
    convention = convention_of(document)
    with pytest.raises(EditRefused, match="no documentation"):
        documented(document, place_of(document, offset, convention), ' """ """', convention)
