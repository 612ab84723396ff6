"""What reaches the terminal."""

import pytest

from fimserver.cli import output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("def f():\n\treturn 1", "def f():\n\treturn 1", id="tabs and line feeds pass"),
        pytest.param("naïve 日本 😀", "naïve 日本 😀", id="letters of every script pass"),
        pytest.param("a\x1b[2Jb", "a\ufffd[2Jb", id="an escape sequence does not"),
        pytest.param("a\x9b2Jb", "a\ufffd2Jb", id="nor its one-byte form"),
        pytest.param("a\r\x07b", "a\ufffd\ufffdb", id="nor a carriage return or a bell"),
        pytest.param("a\u202eb\u2066c", "a\ufffdb\ufffdc", id="nor what reorders text"),
        pytest.param("a\u200bb\ufeff", "a\ufffdb\ufffd", id="nor what cannot be seen"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    assert output.harmless(text) == shown


def test_columns_align_by_what_is_seen_and_long_lines_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    output.columns([["日本", ("x", output.GOOD), "a" * 200], ["abc", "yz", "b"]])
    assert capsys.readouterr().out == f"日本  x   {'a' * 200}\nabc   yz  b\n"


def test_square_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.line("x[bold]", ("[/]y", output.FAINT))
    assert capsys.readouterr().out == "x[bold][/]y\n"


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    output.as_json({"text": "é\u202e"})
    assert capsys.readouterr().out == '{\n  "text": "\\u00e9\\u202e"\n}\n'
