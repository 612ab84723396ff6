"""What an editor says of its suggestions becomes counts: one suggestion is one, however often it is drawn."""

from typing import Any

import pytest

from fimserver.lsp.documents import Documents
from fimserver.lsp.looking import look_after
from fimserver.lsp.offers import Offered, Offers, model_name
from fimserver.settings import Settings, read_settings
from fimserver.statistics.events import Accepted, Event, Looked, Shown, Taken
from fimserver.values import Completion, Shape, Span, Timings
from tests.drawn import CURSOR

WAITED = Timings(total_ms=12.0)


def offered(drawn: str, text: str, *, tail: int = 0, source: str = "model", from_start: bool = False) -> Offered:
    """Return a suggestion at the cursor; it replaces `tail` characters after it, and from its line's start if asked."""
    cursor = drawn.index(CURSOR)
    replaces = Span(0 if from_start else cursor, cursor + tail)
    completion = Completion(text=text, replaces=replaces, shape=Shape.LINE, source=source, timings=WAITED)
    return Offered(completion, "file:///a.py", "python", cursor, "tiny")


def told() -> tuple[Offers, list[Event]]:
    heard: list[Event] = []
    return Offers(heard.append), heard


def shown(heard: list[Event]) -> list[Shown]:
    return [event for event in heard if isinstance(event, Shown)]


def accepted(heard: list[Event]) -> list[tuple[Taken, int]]:
    return [(event.taken, event.saved_characters) for event in heard if isinstance(event, Accepted)]


def test_an_answer_counts_as_shown_until_the_editor_says_what_it_shows() -> None:
    offers, heard = told()
    offers.note_shown(offers.new_name(offered("a‸", "b")))
    first = offers.new_name(offered("x‸", "y"))
    assert len(shown(heard)) == 1
    offers.note_shown(first)
    offers.note_shown(first)
    assert len(shown(heard)) == 2
    assert (shown(heard)[1].characters, shown(heard)[1].waited_ms, shown(heard)[1].language) == (1, 12.0, "python")


def test_what_is_typed_along_stays_one_suggestion() -> None:
    offers, heard = told()
    offers.new_name(offered("‸", "abc"))
    name = offers.new_name(offered("a‸", "bc", source="cache"))
    offers.note_accepted(name)
    assert len(shown(heard)) == 1
    assert accepted(heard) == [(Taken.WHOLE, 2)]


def test_of_several_to_choose_from_only_the_first_is_shown_until_another_is_taken() -> None:
    offers, heard = told()
    offers.new_name(offered("‸", "abc"))
    other = offers.new_name(offered("‸", "xyz"), on_top=False)
    assert len(shown(heard)) == 1
    offers.note_accepted(other)
    assert len(shown(heard)) == 2


TAKEN: dict[str, tuple[Offered, list[int | None], list[tuple[Taken, int]]]] = {
    "whole": (offered("‸", "abc def"), [None], [(Taken.WHOLE, 7)]),
    "whole, twice said": (offered("‸", "abc def"), [None, None], [(Taken.WHOLE, 7)]),
    "a word": (offered("‸", "abc def"), [3], [(Taken.WORD, 3)]),
    "two words, told with their sum": (offered("‸", "ab cd ef"), [2, 5], [(Taken.WORD, 2), (Taken.WORD, 3)]),
    "a word, then the rest": (offered("‸", "abc def"), [3, None], [(Taken.WORD, 3), (Taken.WHOLE, 4)]),
    "a line": (offered("‸", "abc\ndef"), [3], [(Taken.LINE, 3)]),
    "a line with its end": (offered("‸", "abc\ndef"), [4], [(Taken.LINE, 4)]),
    "what was typed before is not saved": (offered("ab‸", "abc", from_start=True), [None], [(Taken.WHOLE, 1)]),
    "nor is the bracket that the editor closed": (offered("f(‸)", "x)", tail=1), [None], [(Taken.WHOLE, 1)]),
    "a word after what was typed": (offered("ab‸", "abc def", from_start=True), [3], [(Taken.WORD, 1)]),
    "characters of two units count once": (offered("‸", "😀😀 x"), [4], [(Taken.WORD, 2)]),
    "windows line ends are one character": (offered("‸", "a\r\nb"), [2], [(Taken.LINE, 2)]),
    "more than there is": (offered("‸", "abc"), [99], [(Taken.LINE, 3)]),
}


@pytest.mark.parametrize(("suggestion", "said", "counted"), TAKEN.values(), ids=TAKEN)
def test_how_much_was_taken(suggestion: Offered, said: list[int | None], counted: list[tuple[Taken, int]]) -> None:
    offers, heard = told()
    name = offers.new_name(suggestion)
    for units in said:
        if units is None:
            offers.note_accepted(name)
        else:
            offers.note_partly(name, units)
    assert accepted(heard) == counted


def test_a_name_that_is_unknown_counts_for_nothing() -> None:
    offers, heard = told()
    offers.note_shown("c1")
    assert (offers.note_accepted("c1"), offers.note_partly("c1", 3), heard) == (None, None, [])


NAMES = {
    "embedded": {},
    "qwen2.5-coder-1.5b": {"model": {"completion": "qwen2.5-coder-1.5b"}},
    "my-model-Q4_K_M": {"model": {"completion": "/home/ada/secret project/my-model-Q4_K_M.gguf"}},
    "ollama": {"engine": {"kind": "ollama"}},
    "codestral": {"engine": {"kind": "openai", "remote_model": "codestral"}},
}


@pytest.mark.parametrize(("name", "values"), NAMES.items(), ids=NAMES)
def test_a_model_is_named_without_its_folder(name: str, values: dict[str, Any]) -> None:
    assert model_name(read_settings(values)[0]) == name


class Window:
    """What look_after needs of a session, with a clock that is turned by hand."""

    def __init__(self, text: str, settings: dict[str, Any] | None = None) -> None:
        self.settings: Settings = read_settings(settings or {})[0]
        self.documents = Documents("utf-16")
        self.documents.open("file:///a.py", "python", 1, text)
        self.counted: list[Event] = []
        self._later: list[tuple[float, Any]] = []

    def count(self, event: Event) -> None:
        self.counted.append(event)

    def later(self, delay_s: float, look: Any) -> None:
        self._later.append((delay_s, look))

    def pass_s(self, seconds: float) -> None:
        """Let so much time pass since the beginning."""
        for delay_s, look in [one for one in self._later if one[0] <= seconds]:
            self._later.remove((delay_s, look))
            look()


def taken(*pieces: str) -> Any:
    offers, _ = told()
    record = None
    text = "".join(pieces)
    name = offers.new_name(offered("‸", text))
    for end in range(len(pieces)):
        record = offers.note_partly(name, len("".join(pieces[: end + 1])))
    return record


def looks(window: Window) -> list[tuple[int, bool]]:
    return [(event.after_s, event.kept) for event in window.counted if isinstance(event, Looked)]


def test_it_is_looked_three_times_whether_it_still_stands() -> None:
    window = Window("a = 1\n")
    look_after(window, taken("a = 1"))
    window.pass_s(29)
    assert looks(window) == []
    window.pass_s(30)
    window.documents.open("file:///a.py", "python", 2, "a = 2\n")
    window.pass_s(300)
    assert looks(window) == [(30, True), (120, False), (300, False)]


def test_what_is_taken_later_begins_anew() -> None:
    window = Window("a = 1\n")
    record = taken("a ")
    look_after(window, record)
    record.pieces.append("= 1")
    window.pass_s(300)
    assert looks(window) == []


def test_of_a_closed_document_nothing_is_known() -> None:
    window = Window("a = 1\n")
    look_after(window, taken("a = 1"))
    window.documents.close("file:///a.py")
    window.pass_s(300)
    assert looks(window) == []


def test_switched_off_nobody_looks() -> None:
    window = Window("a = 1\n", {"privacy": {"statistics": False}})
    look_after(window, taken("a = 1"))
    window.pass_s(300)
    assert looks(window) == []
