"""Every row of docs/protocol-faults.md has a test that begins with its name."""

import re
from pathlib import Path

import pytest

from tests.faults.conftest import Figure

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| ([PS]\d+) \|", (ROOT / "docs" / "protocol-faults.md").read_text("utf-8"), re.MULTILINE)
TESTS = "".join(path.read_text("utf-8") for path in (ROOT / "tests" / "lsp").glob("test_*.py"))


def test_the_table_is_whole() -> None:
    expected = [f"P{number}" for number in range(1, 35)] + [f"S{number}" for number in range(1, 15)]
    assert expected == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_each_row_has_a_test(row: str, figure: Figure) -> None:
    assert re.search(rf'"{row}[: ]|\btest_{row.lower()}_', TESTS), row
    figure("rows", 1)
