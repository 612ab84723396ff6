"""How a hole becomes tokens in each order, and how rows are filled. The vocabulary here is one token a character."""

import random

import pytest

from training.corpus import Source, Split
from training.holes import Hole
from training.layouts import ANSWERED, NOT_LEARNT, ORDERS, Pieces, pieces_of
from training.presets import PRESETS, rate_share, row_tokens
from training.rows import Files, Mixture, related_parts, row, window_of


class Characters:
    """A vocabulary whose tokens are code points; control tokens are negative."""

    end, prefix, middle, suffix, padding, repository, file = range(-7, 0)

    def encode(self, text):
        return [ord(character) for character in text]

    def encode_all(self, texts):
        return [self.encode(text) for text in texts]


WORDS = Characters()
NAMES = {-7: "<END>", -6: "<PRE>", -5: "<MID>", -4: "<SUF>", -3: "_", -2: "<REPO>", -1: "<FILE>"}
FILES = Files(
    Source(f"package{number % 3}", "1", f"{number}.py", Split.TRAIN, f"name_{number} = call(value)\n" * 40)
    for number in range(9)
)


def read(tokens):
    return "".join(NAMES.get(token) or chr(token) for token in tokens)


@pytest.mark.parametrize(
    ("order", "text"),
    [
        pytest.param("SPM-adjacent", "<PRE><SUF>\nc<MID>a\nb = 1<END>", id="the answer goes on from the prefix"),
        pytest.param("PSM", "<PRE>a\n<SUF>\nc<MID>b = 1<END>", id="what was typed stands behind the middle token"),
    ],
)
def test_order(order, text):
    pieces = Pieces(*map(WORDS.encode, ("a\n", "b =", " 1")), WORDS.encode("\nc"))
    pieces = Pieces(pieces.prefix, pieces.typed, [*pieces.answer, WORDS.end], pieces.suffix)
    example = ORDERS[order](pieces, WORDS)
    assert read(example.tokens) == text
    assert [role for role in example.roles if role == ANSWERED] == [ANSWERED] * 3
    assert (
        read(token for token, role in zip(example.tokens, example.roles, strict=True) if role == ANSWERED) == " 1<END>"
    )


TEXT = "one\ntwo\nthree\nfour = five\nsix\nseven\n"
HOLE = Hole(TEXT.index("= five"), TEXT.index("five") + 4, "rest of line")


def splits(count=200):
    return [pieces_of(random.Random(seed), TEXT, HOLE, WORDS, 1000) for seed in range(count)]


def test_the_parts_make_up_the_text():
    for pieces in splits():
        assert read(pieces.prefix + pieces.typed + pieces.answer) == TEXT[: HOLE.end] + "<END>"


def test_the_split_stands_at_the_cursor_at_its_lines_start_or_some_lines_above():
    assert {"", "four ", "three\nfour ", "two\nthree\nfour "} <= {read(pieces.typed) for pieces in splits()}


def test_the_suffix_may_be_empty():
    assert {read(pieces.suffix) for pieces in splits()} == {"", "\n", TEXT[HOLE.end :]}


@pytest.mark.parametrize("most", [12, 20, 30])
def test_a_prompt_keeps_to_its_length_and_loses_its_far_ends(most):
    pieces = pieces_of(random.Random(1), TEXT, HOLE, WORDS, most)
    assert len(pieces.prefix) + len(pieces.typed) + len(pieces.answer) + len(pieces.suffix) + 3 <= most + 8
    assert TEXT[: HOLE.start].endswith(read(pieces.prefix + pieces.typed))
    assert TEXT[HOLE.end :].startswith(read(pieces.suffix)) or read(pieces.suffix) == ""


@pytest.mark.parametrize("length", [64, 200, 512])
@pytest.mark.parametrize("order", ORDERS)
def test_a_row_is_exactly_as_long_as_asked_and_ends_in_padding(order, length):
    mixture = Mixture(orders={order: 1.0}, other_files=0.5)
    for seed in range(20):
        made = row(f"{seed}", FILES, WORDS, mixture, length)
        assert len(made.tokens) == len(made.roles) == length + 1
        padding = made.tokens.count(WORDS.padding)
        assert padding <= 64
        assert made.tokens[len(made.tokens) - padding :] == [WORDS.padding] * padding
        assert made.roles[len(made.roles) - padding :] == [NOT_LEARNT] * padding


@pytest.mark.parametrize(
    ("order", "ends_with_line", "role"),
    [
        pytest.param("SPM-adjacent", True, NOT_LEARNT, id="not where a line feed says the same"),
        pytest.param("SPM-adjacent", False, ANSWERED, id="after a block"),
        pytest.param("PSM", True, ANSWERED, id="where the cursor can be seen"),
    ],
)
def test_that_an_answer_ends_is_learnt(order, ends_with_line, role):
    pieces = Pieces([97], [98], [99, WORDS.end], [100], ends_with_line)
    made = ORDERS[order](pieces, WORDS)
    assert made.tokens[-1] == WORDS.end
    assert made.roles[-2:] == [ANSWERED, role]


def test_the_same_seed_makes_the_same_row():
    assert row("3", FILES, WORDS, Mixture(), 300) == row("3", FILES, WORDS, Mixture(), 300)


def test_without_holes_a_row_is_plain_text():
    made = row("3", FILES, WORDS, Mixture(holes=0.0), 300)
    assert ANSWERED not in made.roles
    assert not {WORDS.prefix, WORDS.middle, WORDS.suffix} & set(made.tokens)


@pytest.mark.parametrize(
    ("mixture", "files"),
    [
        pytest.param(Mixture(holes=1.0, short=0.0), [0], id="nothing stands before the prompt"),
        pytest.param(Mixture(holes=1.0, short=0.0, headers=1.0), [1], id="the file's own path"),
        pytest.param(Mixture(holes=1.0, short=0.0, other_files=1.0), [2, 3, 4], id="up to three others before it"),
    ],
)
def test_before_the_prompt_stand_the_packages_name_and_its_files(mixture, files):
    for seed in range(20):
        before = read(row(f"{seed}", FILES, WORDS, mixture, 600).tokens).split("<PRE>")[0]
        assert before.startswith("<REPO>package") == (files != [0])
        assert before.count("<FILE>") in files


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        pytest.param(
            "total = invoice_total(lines)\n", "def invoice_total(lines): ...\n", id="a part that shares a word"
        ),
        pytest.param("ship(parcel_of(order))\n", "def parcel_of(order): ...\n", id="of any file"),
    ],
)
def test_shown_of_other_files_is_what_shares_most_words(window, shown):
    texts = {
        "billing.py": "import decimal\nROUNDING = decimal.ROUND_HALF_EVEN\n" + "def invoice_total(lines): ...\n",
        "own.py": "total = invoice_total(lines)\nship(parcel_of(order))\n",
        "shipping.py": "LARGEST_WEIGHT_KG = 30\n" * 3 + "def parcel_of(order): ...\n",
    }
    others = [Source("shop", "1", path, Split.TRAIN, text) for path, text in texts.items()]
    for seed in range(10):
        parts = related_parts(random.Random(seed), window, others[1], others, 300)
        assert shown in parts[-1][1]
        assert "own.py" not in {path for path, _ in parts}


def test_a_window_begins_with_a_line():
    text = "".join(f"line {number}\n" for number in range(100))
    for seed in range(50):
        window, is_end = window_of(random.Random(seed), text, 80)
        assert window.startswith("line ")
        assert is_end == text.endswith(window)


@pytest.mark.parametrize(
    ("step", "time_share", "share"),
    [
        pytest.param(0, 0.0, 0.01, id="warms up"),
        pytest.param(100, 0.1, 1.0, id="then level"),
        pytest.param(100, 0.7, 0.5, id="then falls"),
        pytest.param(100, 1.0, 0.0, id="to zero"),
        pytest.param(100, 1.2, 0.0, id="and no further"),
    ],
)
def test_rate_share(step, time_share, share):
    assert rate_share(PRESETS["gpu"], step, time_share) == pytest.approx(share)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_rows_grow_from_phase_to_phase_and_the_last_lasts(preset):
    lengths = [row_tokens(preset, share / 10) for share in range(12)]
    assert lengths == sorted(lengths)
    assert lengths[-1] == preset.phases[-1][1]
