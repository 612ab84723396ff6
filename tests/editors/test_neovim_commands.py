"""Real Neovim: the commands on a selection change the buffer in one undo step, show what they say, and review."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.drive_neovim import Neovim
from tests.editors.servers import FIMSERVER, scripted
from tests.editors.waiting import until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

TOTAL = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result"
SHORT = "def total(items):\n    return sum(items)"

REPLIES = [
    {"when": "make the part simpler", "text": f"```python\n{SHORT}\n```"},
    {"when": "use a set", "text": "```python\ndef total(items):\n    return sum(set(items))\n```"},
    {"when": "Write the text of its documentation comment", "text": "```\nReturn the sum.\n```"},
    {"when": "Explain the part", "text": "It adds **items**."},
    {"ends": "return <FILL_ME>", "text": ""},
    {"text": "a + b\n"},
]

FLOATING = """
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if vim.api.nvim_win_get_config(window).relative ~= "" then
    return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), "\\n")
  end
end
return ""
"""


@pytest.fixture(scope="module")
def shared_neovim(programs: Path, home: Path) -> Iterator[Neovim]:
    """One Neovim for all tests."""
    (home / "project" / ".git").mkdir(parents=True)
    editor = Neovim(programs, home, scripted(home, REPLIES))
    yield editor
    editor.close()


@pytest.fixture
def neovim(shared_neovim: Neovim, home: Path, request: pytest.FixtureRequest) -> Iterator[Neovim]:
    """The Neovim in a file with one function."""
    file = home / "project" / f"{request.node.name}.py"
    file.write_text(f"{TOTAL}\n", "utf-8")
    shared_neovim.open(file)
    yield shared_neovim
    shared_neovim.forget()


def test_a_function_is_simplified_and_one_undo_takes_it_back(neovim: Neovim) -> None:
    neovim.keys("jj:FimEdit simplify<CR>")
    neovim.wait_for_text(SHORT)
    neovim.keys("u")
    neovim.wait_for_text(TOTAL)


def test_lines_are_changed_as_one_says(neovim: Neovim) -> None:
    neovim.keys(":1,5FimEdit use a set<CR>")
    neovim.wait_for_text("def total(items):\n    return sum(set(items))")


def test_a_docstring_is_written(neovim: Neovim) -> None:
    neovim.keys(":FimEdit docstring<CR>")
    neovim.wait_for_text(TOTAL.replace(":\n", ':\n    """Return the sum."""\n', 1))


def test_an_explanation_is_shown(neovim: Neovim) -> None:
    neovim.keys(":FimEdit explain<CR>")
    until(lambda: "It adds" in neovim.lua(FLOATING), "the explanation", neovim.messages)


def test_the_actions_are_completed(neovim: Neovim) -> None:
    assert neovim.lua("return vim.fn.getcompletion('FimEdit s', 'cmdline')") == ["simplify"]


def test_a_filter_fills_in_the_buffer(neovim: Neovim, home: Path) -> None:
    neovim.keys("ggVGcdef add(a, b):<CR>return <lt>FILL_ME><Esc>")
    until(lambda: "FILL_ME" in neovim.text(), "the mark")
    neovim.keys(f":%!{FIMSERVER} --engine scripted:{home / 'replies.jsonl'} fill --whole --path % -<CR>")
    until(lambda: "return a + b" in neovim.text(), "what was filled in", neovim.text)
