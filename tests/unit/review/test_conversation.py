"""A buffer is a conversation: its turns, what goes before them, and where the next one is written."""

from pathlib import Path

import pytest

from fimserver.engine.interface import Keep
from fimserver.errors import FimError
from fimserver.prompt.chat import ChatMessage
from fimserver.review.conversation import conversation_of, turns_of, with_answer


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))


BUFFERS = {
    "a text without headings is one question": ("Why?\n", [("user", "Why?")]),
    "turns stand below their headings": (
        ">>> user\n\nWhy?\n\n<<< assistant\n\nBecause.\n\n>>> user\n\nReally?\n",
        [("user", "Why?"), ("assistant", "Because."), ("user", "Really?")],
    ),
    "a system turn may come first": (
        ">>> system\nBe brief.\n>>> user\nWhy?",
        [("system", "Be brief."), ("user", "Why?")],
    ),
    "empty turns are no turns": (">>> system\n\n>>> user\nWhy?", [("user", "Why?")]),
    "carriage returns": (">>> user\r\nWhy?\r\n", [("user", "Why?")]),
    "a heading inside of a line is text": ("Write >>> user there.", [("user", "Write >>> user there.")]),
}


@pytest.mark.parametrize(("text", "turns"), BUFFERS.values(), ids=BUFFERS.keys())
def test_a_buffer_is_read(text: str, turns: list[tuple[str, str]]) -> None:
    assert [(turn.role, turn.text) for turn in turns_of(text)] == turns


NOTHING_ASKED = {
    "an empty buffer": "",
    "the assistant has spoken last": ">>> user\nWhy?\n<<< assistant\nBecause.\n",
    "a heading with nothing below it": ">>> user\nWhy?\n<<< assistant\nBecause.\n>>> user\n\n",
    "a system turn alone": ">>> system\nBe brief.\n",
}


@pytest.mark.parametrize("text", NOTHING_ASKED.values(), ids=NOTHING_ASKED.keys())
def test_where_nothing_is_asked_nothing_is_answered(text: str) -> None:
    with pytest.raises(FimError, match="last turn must be yours"):
        turns_of(text)


def test_a_buffer_with_its_answer_can_be_answered_again() -> None:
    buffer = with_answer("Why?\n", "Because.") + "Really?\n"
    assert [turn.role for turn in turns_of(buffer)] == ["user", "assistant", "user"]
    assert with_answer(buffer, "Yes.").startswith(buffer.rstrip())


def test_the_prompt_stands_before_the_turns_and_the_oldest_go_first() -> None:
    said = conversation_of(turns_of(">>> user\nWhy?\n<<< assistant\nBecause.\n>>> user\nReally?"))
    assert [(turn.role, turn.keep) for turn in said] == [
        ("system", Keep.ALL),
        ("user", Keep.DROP),
        ("assistant", Keep.DROP),
        ("user", Keep.ALL),
    ]
    assert said[0].text.startswith("You help a programmer.")


def test_a_system_turn_of_the_buffer_takes_the_prompts_place() -> None:
    assert conversation_of(turns_of(">>> system\nBe brief.\n>>> user\nWhy?")) == (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Why?"),
    )


def test_turns_of_one_role_in_a_row_are_one() -> None:
    assert [turn.text for turn in conversation_of(turns_of("Hello.\n>>> user\nWhy?"))[1:]] == ["Hello.\n\nWhy?"]
