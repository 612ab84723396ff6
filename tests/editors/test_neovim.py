"""Real Neovim: what is drawn, what is accepted, and what then stands in the file."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.drive_neovim import Neovim
from tests.editors.servers import scripted
from tests.editors.waiting import until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

BLOCK = "    result = 0\n    for item in items:\n        result += item\n    return result"
TOTAL = f"def total(items):\n{BLOCK}"

REPLIES = [
    {"ends": "def add(", "text": "a, b):\n"},
    {"ends": "def total(items):", "text": f"{BLOCK}\n"},
    {"ends": "if ready:\n    start()", "text": "else:\n"},
    {"ends": 'greeting = "héé 😀" + ', "text": "name + mark\n"},
]


@pytest.fixture(scope="module")
def shared_neovim(programs: Path, home: Path) -> Iterator[Neovim]:
    """One Neovim, whose server answers from the script, for all tests that do not disturb it."""
    (home / "project" / ".git").mkdir(parents=True)
    editor = Neovim(programs, home, scripted(home, REPLIES))
    yield editor
    editor.close()


@pytest.fixture
def file(home: Path, request: pytest.FixtureRequest) -> Path:
    """A Python file that is not there yet, named like the test."""
    return home / "project" / f"{request.node.name}.py"


@pytest.fixture
def neovim(shared_neovim: Neovim, file: Path) -> Iterator[Neovim]:
    """The Neovim in an empty Python file, of which it knows nothing more afterwards."""
    shared_neovim.open(file)
    yield shared_neovim
    complaints = shared_neovim.complaints()
    shared_neovim.forget()
    assert not complaints


def test_typed_through_and_accepted_it_is_in_the_file(neovim: Neovim, file: Path) -> None:
    neovim.keys("idef add(")
    neovim.wait_for_ghost("a, b):")
    neovim.keys("a, ")
    neovim.wait_for_ghost("b):")
    neovim.keys("<Tab>")
    neovim.wait_for_text("def add(a, b):")
    assert neovim.saved(file) == "def add(a, b):\n"


def test_a_bracket_closed_by_the_editor_is_not_doubled(neovim: Neovim) -> None:
    neovim.keys("idef add()<Left>")
    neovim.wait_for_ghost("a, b):")
    neovim.keys("<Tab>")
    neovim.wait_for_text("def add(a, b):")


def test_a_word_and_a_line_leave_the_closed_bracket_until_it_is_their_turn(neovim: Neovim) -> None:
    neovim.keys("idef add()<Left>")
    neovim.wait_for_ghost("a, b):")
    neovim.keys("<C-Right>")
    neovim.wait_for_text("def add(a)")
    neovim.wait_for_ghost(", b):")
    neovim.keys("<C-Down>")
    neovim.wait_for_text("def add(a, b):")


def test_a_block_is_suggested_whole(neovim: Neovim) -> None:
    neovim.keys("idef total(items):<CR>")
    until(lambda: "return result" in neovim.ghost(), "the block", neovim.ghost)
    neovim.keys("<Tab>")
    neovim.wait_for_text(TOTAL)


def test_a_dedent_takes_the_indentation_away(neovim: Neovim) -> None:
    neovim.keys("iif ready:<CR>start()<CR>")
    neovim.wait_for_ghost("else:")
    neovim.keys("<Tab>")
    neovim.wait_for_text("if ready:\n    start()\nelse:")


def test_a_file_with_windows_line_ends_keeps_them(neovim: Neovim, file: Path) -> None:
    windows = file.with_stem("windows")
    windows.write_bytes(b"x = 1\r\n\r\n")
    neovim.open(windows)
    neovim.keys("Godef total(items):<CR>")
    until(lambda: "return result" in neovim.ghost(), "the block", neovim.ghost)
    neovim.keys("<Tab>")
    neovim.wait_for_text(f"x = 1\n\n{TOTAL}")
    assert neovim.saved(windows) == f"x = 1\n\n{TOTAL}\n".replace("\n", "\r\n")


def test_characters_of_several_bytes_before_the_cursor_shift_nothing(neovim: Neovim) -> None:
    neovim.keys('igreeting = "héé 😀" + ')
    neovim.wait_for_ghost("name + mark")
    neovim.keys("<Tab>")
    neovim.wait_for_text('greeting = "héé 😀" + name + mark')


def test_one_undo_takes_the_suggestion_and_leaves_what_was_typed(neovim: Neovim) -> None:
    neovim.keys("idef add(")
    neovim.wait_for_ghost("a, b):")
    neovim.keys("<Tab>")
    neovim.wait_for_text("def add(a, b):")
    neovim.leave_insert()
    neovim.keys("u")
    neovim.wait_for_text("def add(")


def test_a_key_with_nothing_to_accept_is_typed(neovim: Neovim) -> None:
    neovim.keys("ix<Tab>y")
    neovim.wait_for_text("x   y")  # as many blanks as the language indents by


HEARD = """
local client = vim.lsp.get_clients({ name = "fimserver", bufnr = 0 })[1]
local notify = client.notify
client.notify = function(self, method, params)
  if method == "fimserver/didFocus" then _G.heard = params end
  return notify(self, method, params)
end
"""


def test_the_server_hears_where_the_cursor_has_come_to_rest(neovim: Neovim) -> None:
    neovim.lua(HEARD)
    neovim.keys("ifirst<CR>second")
    neovim.leave_insert()
    neovim.keys("gg0ll")
    there = {"line": 0, "character": 2}
    until(lambda: neovim.lua("return _G.heard and _G.heard.position") == there, "a cursor that rests there")


def test_switched_off_nothing_is_drawn_and_the_status_line_says_so(neovim: Neovim) -> None:
    neovim.command("FimToggle")
    assert neovim.lua("return require('fimserver').statusline()") == "fim off"
    neovim.command("FimToggle python")
    neovim.command("FimToggle")
    assert neovim.lua("return require('fimserver').statusline()") == "fim off"
    neovim.command("FimToggle python")
    neovim.command("FimSnooze")
    assert neovim.lua("return require('fimserver').statusline()") == "fim off"
    neovim.command("FimSnooze")
    neovim.keys("idef add(")
    neovim.wait_for_ghost("a, b):")


def test_the_menus_sources_offer_what_would_be_ghost_text(neovim: Neovim) -> None:
    neovim.keys("idef add(")
    neovim.wait_for_ghost("a, b):")
    neovim.lua("require('fimserver.cmp').new():complete({}, function(list) _G.offered = list.items end)")
    until(lambda: neovim.lua("return _G.offered"), "an answer")
    (item,) = neovim.lua("return _G.offered")
    assert item["label"] == "a, b):"
    assert item["textEdit"]["newText"] == "a, b):"


def test_without_ghost_text_the_menu_has_it(programs: Path, tmp_path: Path, project: Path) -> None:
    editor = Neovim(programs, tmp_path, scripted(tmp_path, REPLIES), ghost_text=False)
    editor.open(project / "code.py")
    editor.command("set completeopt=menuone,noinsert")
    editor.keys("idef add(")
    until(lambda: editor.lua("return vim.fn.pumvisible()") == 1, "the menu", editor.text)
    editor.keys("<C-y>")
    editor.wait_for_text("def add(a, b):")
    editor.close()


def test_checkhealth_finds_the_program_and_the_server(neovim: Neovim) -> None:
    neovim.command("checkhealth fimserver")
    report = neovim.text()
    assert "fimserver 0." in report
    assert "serves 1 buffers" in report
    assert "ERROR" not in report


def test_why_and_status_are_told(neovim: Neovim) -> None:
    neovim.keys("idef add(")
    neovim.wait_for_ghost("a, b):")
    neovim.leave_insert()
    neovim.command("FimWhy")
    until(lambda: "The last suggestion was shown" in neovim.messages(), "why", neovim.messages)
    neovim.command("FimStatus")
    until(lambda: "scripted" in neovim.messages(), "the model's name", neovim.messages)


# Neovim waits 0.2 s before it asks, each time. The long form, a thousand, takes some minutes.
ACCEPTS = int(os.environ.get("FIMSERVER_ACCEPTS", "10"))


@pytest.mark.timeout(3600)
def test_no_character_is_left_over_however_fast_one_accepts(programs: Path, tmp_path: Path, project: Path) -> None:
    dice = random.Random(1)
    replies = [{"ends": f"value_{n} = call(", "text": f"a{n}, b{n})\n"} for n in range(ACCEPTS)]
    editor = Neovim(programs, tmp_path, scripted(tmp_path, replies))
    editor.open(project / "code.py")
    expected = ""
    for number in range(ACCEPTS):
        suggestion = f"a{number}, b{number})"
        opened = dice.choice(["call(", "call()<Left>"])
        editor.keys(f"{'i' if number == 0 else '<End><CR>'}value_{number} = {opened}")
        editor.wait_for_ghost(suggestion)
        editor.keys(suggestion[: dice.randrange(4)] + "<Tab>")
        expected += f"value_{number} = call({suggestion}\n"
        editor.wait_for_text(expected.rstrip("\n"))
    assert editor.saved(project / "code.py") == expected
    editor.close()
