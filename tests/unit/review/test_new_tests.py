"""Tests go into a file that is named and placed as the language and the project do it, and never over another file."""

from pathlib import Path

import pytest

from fimserver.errors import EditRefused
from fimserver.review.new_tests import file_for_tests

PLACES = {
    "Python beside the source": ("src/cart.py", [], "src/test_cart.py", "pytest"),
    "Python in the project's folder of tests": ("src/cart.py", ["tests/a.py"], "tests/test_cart.py", "pytest"),
    "Python where there are tests of another function": (
        "cart.py",
        ["test_cart.py"],
        "test_cart_total.py",
        "pytest",
    ),
    "Go": ("cart.go", [], "cart_test.go", "Go's testing package"),
    "Java in Maven's layout": (
        "src/main/java/shop/Cart.java",
        [],
        "src/test/java/shop/CartTest.java",
        "JUnit 5",
    ),
    "C#": ("src/Cart.cs", [], "src/CartTests.cs", "xUnit"),
    "PHP": ("src/Cart.php", ["tests/ATest.php"], "tests/CartTest.php", "PHPUnit"),
    "TypeScript": ("src/cart.ts", [], "src/cart.test.ts", "node:test"),
    "JavaScript in its folder": ("src/cart.js", ["src/__tests__/a.js"], "src/__tests__/cart.test.js", "node:test"),
    "Rust": ("src/cart.rs", ["tests/a.rs"], "tests/cart_test.rs", "Rust's #[test]"),
    "C": ("cart.c", [], "test_cart.c", "assert.h and a main function"),
}


@pytest.mark.parametrize(("source", "there", "expected", "framework"), PLACES.values(), ids=PLACES.keys())
def test_a_test_file_has_its_place(
    tmp_path: Path, source: str, there: list[str], expected: str, framework: str
) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = file_for_tests(tmp_path / source, "total", tmp_path)
    assert (found.path.relative_to(tmp_path).as_posix(), found.framework) == (expected, framework)


@pytest.mark.parametrize(
    ("package", "framework"), [('{"devDependencies": {"vitest": "1"}}', "Vitest"), ("{", "node:test")]
)
def test_the_projects_own_framework_is_used(tmp_path: Path, package: str, framework: str) -> None:
    (tmp_path / "package.json").write_text(package)
    assert file_for_tests(tmp_path / "src/cart.ts", "total", tmp_path).framework == framework


@pytest.mark.parametrize(
    ("source", "why"), [("cart.py", "tests of total"), ("notes.txt", "not known")], ids=["all names taken", "no rule"]
)
def test_where_there_is_no_place_the_reason_is_said(tmp_path: Path, source: str, why: str) -> None:
    (tmp_path / "test_cart.py").touch()
    (tmp_path / "test_cart_total.py").touch()
    with pytest.raises(EditRefused, match=why):
        file_for_tests(tmp_path / source, "total", tmp_path)
