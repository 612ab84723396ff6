"""Turn milliseconds into tokens: how long a prompt may be, and how long an answer, on this engine at this hour."""

from dataclasses import dataclass, replace

from fimserver.engine.interface import ModelFacts, Usage
from fimserver.values import Shape

# Source code under the vocabularies of code models (Qwen2's: 3.4 on the standard library of Python).
CHARACTERS_PER_TOKEN = 3.4

# Fewer tokens of context than this and a model guesses; more than the second and it no longer helps a line.
_SMALLEST_PROMPT_TOKENS = 96
_LARGEST_PROMPT_TOKENS = 2_048
# The first token should be there when this share of the deadline is over.
_PREFILL_SHARE = 0.6
# A full prompt is warmed behind the first answer; longer than this and the user has moved on.
_LONGEST_WARM_UP_MS = 15_000.0

# Of a full prompt's tokens, other files may take this share.
_SNIPPET_SHARE = 0.4

# Before anything is measured: two threads of a laptop with a 1.5B model.
_UNMEASURED_PREFILL = 80.0

# Weight of the newest measurement: a machine that got busy is noticed within a few answers.
_NEWEST = 0.3

_ANSWER_TOKENS = {Shape.LINE: 40, Shape.BLOCK: 192, Shape.NOTHING: 0}


@dataclass(frozen=True, slots=True)
class Pace:
    """The engine's speed as lately measured, in tokens per second, and its answers' time."""

    prefill_tokens_per_s: float = 0.0
    answer_ms: float = 0.0

    def after(self, usage: Usage) -> "Pace":
        """Return the pace with one more answer measured."""
        answer = usage.total_ms if not self.answer_ms else self.answer_ms + _NEWEST * (usage.total_ms - self.answer_ms)
        return replace(self.after_reading(usage), answer_ms=answer)

    def after_reading(self, usage: Usage) -> "Pace":
        """Return the pace with one more prompt measured. Short prefills measure the overhead, so they do not count."""
        if usage.evaluated_tokens < 32 or usage.prefill_ms <= 0:
            return self
        measured, before = 1_000.0 * usage.evaluated_tokens / usage.prefill_ms, self.prefill_tokens_per_s
        return replace(self, prefill_tokens_per_s=before + _NEWEST * (measured - before) if before else measured)


def small_prompt_tokens(pace: Pace, facts: ModelFacts, deadline_ms: float) -> int:
    """Return the size of a prompt that is evaluated in time when nothing of it is in the cache."""
    speed = pace.prefill_tokens_per_s or facts.prefill_tokens_per_s or _UNMEASURED_PREFILL
    tokens = int(speed * deadline_ms * _PREFILL_SHARE / 1_000)
    return min(max(tokens, _SMALLEST_PROMPT_TOKENS), full_prompt_tokens(pace, facts))


def full_prompt_tokens(pace: Pace, facts: ModelFacts) -> int:
    """Return the size of the prompt that is warmed in the background: a quarter of the context stays for the answer."""
    speed = pace.prefill_tokens_per_s or facts.prefill_tokens_per_s or _UNMEASURED_PREFILL
    affordable = int(speed * _LONGEST_WARM_UP_MS / 1_000)
    return max(_SMALLEST_PROMPT_TOKENS, min(_LARGEST_PROMPT_TOKENS, affordable, facts.context_tokens * 3 // 4))


def snippet_tokens(full_tokens: int, most: int) -> int:
    """Return how many of a full prompt's tokens pieces of other files may take: a share, and never more than `most`."""
    return min(int(full_tokens * _SNIPPET_SHARE), most)


def answer_tokens(shape: Shape) -> int:
    """Return the most tokens an answer may take; stops usually end it long before."""
    return _ANSWER_TOKENS[shape]
