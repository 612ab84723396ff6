"""Turn a prompt's segments into the tokens a model reads, trimmed to its context.

Only segments marked as control become control tokens: a file that contains `<|fim_middle|>` stays text. The same prefix
and suffix come at every key, so the tokens of a segment are kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from fimserver.engine.interface import Keep, Prompt, Segment
from fimserver.errors import EngineRefused, PromptTooLong

# What is cut off comes in blocks. Were it cut to the token, the prompt would begin one token later at every key, and
# nothing of it would be found in the KV cache.
CUT_TOKENS = 64

# An eighth of the context is kept free for the answer. It does not depend on what a request asks for, so that a warmed
# prompt is trimmed exactly as the request that follows it.
ANSWER_SHARE = 8

# Two windows with all their segments and what was typed in the last minutes.
_KEPT_SEGMENTS = 256

_Part = tuple[Keep, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What encoding needs of a model: its tokeniser, which tokens are controls, and which text must never become."""

    tokenise: Callable[[str, bool], list[int]]  # the flag says whether names of control tokens become those tokens
    is_control: Callable[[int], bool]
    guarded: frozenset[int]  # control tokens that text must not turn into
    name: str = "the model"


class Encoded(NamedTuple):
    """A prompt as the model reads it. The first `stable` tokens are all but its last segment, which changes most."""

    tokens: list[int]
    stable: int


class Encoder:
    """Encodes prompts, and remembers the segments it has seen."""

    def __init__(self, vocabulary: Vocabulary, context_tokens: int) -> None:
        self._vocabulary = vocabulary
        self._context_tokens = context_tokens
        self._seen: OrderedDict[Segment, tuple[int, ...]] = OrderedDict()

    def encode(self, prompt: Prompt) -> Encoded:
        """Return the prompt's tokens. Raises EngineRefused (unknown control text) and PromptTooLong."""
        parts = trim_parts(
            [(segment.keep, self.tokens_of(segment)) for segment in prompt.segments], self._context_tokens
        )
        tokens = list(chain.from_iterable(parts))
        if not tokens:
            raise EngineRefused("The prompt is empty: there is nothing to go on from.")
        return Encoded(tokens, len(tokens) - len(parts[-1]))

    def stop_tokens(self, prompt: Prompt) -> frozenset[int]:
        """Return the tokens of the control texts at which this prompt's answer ends. Raises EngineRefused."""
        return frozenset(
            token for text in prompt.stop_controls for token in self.tokens_of(Segment(text, control=True))
        )

    def tokens_of(self, segment: Segment) -> tuple[int, ...]:
        """Return one segment's tokens."""
        if segment in self._seen:
            self._seen.move_to_end(segment)
            return self._seen[segment]
        tokens = tuple(control_tokens(segment.text, self._vocabulary) if segment.control else self._text(segment))
        self._seen[segment] = tokens
        if len(self._seen) > _KEPT_SEGMENTS:
            self._seen.popitem(last=False)
        return tokens

    def _text(self, segment: Segment) -> list[int]:
        text = f" {segment.text}" if segment.leading_space else segment.text
        return text_tokens(text, self._vocabulary)


def control_tokens(text: str, vocabulary: Vocabulary) -> list[int]:
    """Return the control tokens a text names. Raises EngineRefused where it names anything else."""
    tokens = vocabulary.tokenise(text, True)
    if not text or not all(map(vocabulary.is_control, tokens)):
        raise EngineRefused(
            f"{vocabulary.name} has no control token {text!r}. "
            f"The prompt profile does not fit this model: set model.profile, or choose another model."
        )
    return tokens


def text_tokens(text: str, vocabulary: Vocabulary) -> list[int]:
    """Return the tokens of a text, none of which is a control token, whatever the text says.

    llama.cpp leaves control tokens out when it is told to, but matches user-defined ones always: where one that steers
    the model appears, its name is cut in two, and the halves are tokenised by themselves.
    """
    tokens = vocabulary.tokenise(text, False)
    if vocabulary.guarded.isdisjoint(tokens):
        return tokens
    if len(text) < 2:
        return [token for token in tokens if token not in vocabulary.guarded]
    middle = _inside_guarded(text, vocabulary)
    return text_tokens(text[:middle], vocabulary) + text_tokens(text[middle:], vocabulary)


def _inside_guarded(text: str, vocabulary: Vocabulary) -> int:
    """Return an offset just before the end of the first guarded token's name."""
    low, high = 1, len(text)
    while low < high:  # the shortest beginning that contains the token ends where its name ends
        middle = (low + high) // 2
        if vocabulary.guarded.isdisjoint(vocabulary.tokenise(text[:middle], False)):
            low = middle + 1
        else:
            high = middle
    return max(1, low - 1)


def trim(parts: Iterable[_Part], context_tokens: int) -> list[int]:
    """Return the parts' tokens, joined, with room left for an answer. Raises PromptTooLong."""
    return list(chain.from_iterable(trim_parts(parts, context_tokens)))


def trim_parts(parts: Iterable[_Part], context_tokens: int) -> list[Sequence[int]]:
    """Return the tokens of each part, cut so that room is left for an answer. Raises PromptTooLong.

    Parts that may be dropped go first, whole. Then whole blocks are cut from the longest part that may be cut, until
    all fit: from its beginning where its tail is to be kept, from its end where its head is.
    """
    room = context_tokens - context_tokens // ANSWER_SHARE
    kept = _without_dropped(list(parts), room)
    excess = sum(len(tokens) for _, tokens in kept) - room
    cuts = [0] * len(kept)
    while excess > 0:
        index = _longest(kept, cuts)
        if index is None:
            fixed = sum(len(tokens) for keep, tokens in kept if keep is Keep.ALL)
            raise PromptTooLong(
                f"The parts of the prompt that must be kept whole take {fixed} tokens; "
                f"a context of {context_tokens} has room for {room}. Send less, or raise engine.context_tokens."
            )
        cuts[index] += CUT_TOKENS
        excess = sum(max(0, len(tokens) - cut) for (_, tokens), cut in zip(kept, cuts, strict=True)) - room
    return [
        tokens[cut:] if keep is Keep.TAIL else tokens[: max(0, len(tokens) - cut)]
        for (keep, tokens), cut in zip(kept, cuts, strict=True)
    ]


def _without_dropped(parts: list[_Part], room: int) -> list[_Part]:
    """Empty parts that may be dropped, the first one first, until all others fit or none is left."""
    excess = sum(len(tokens) for _, tokens in parts) - room
    for index, (keep, tokens) in enumerate(parts):
        if excess > 0 and keep is Keep.DROP:
            parts[index] = (keep, ())
            excess -= len(tokens)
    return parts


def _longest(parts: Sequence[_Part], cuts: Sequence[int]) -> int | None:
    left = [
        (len(tokens) - cut, -index)
        for index, ((keep, tokens), cut) in enumerate(zip(parts, cuts, strict=True))
        if keep is not Keep.ALL and len(tokens) > cut
    ]
    return -max(left)[1] if left else None
