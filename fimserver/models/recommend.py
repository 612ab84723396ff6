"""Turn a machine into the model to use on it, the runner-up, and the reasons.

The pick is the most exact model by published scores among those that anyone may use, that fit into memory, and that
finish a line while the user still looks at it, having read the prompt in the pause before. A model that is late is
worse than a smaller one that is in time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fimserver.models.catalogue import Choice, choices
from fimserver.models.cost import cost_of_choice, memory_bytes
from fimserver.models.hardware import Machine, prompt_tokens_per_s, tokens_per_s

_LINE_TOKENS = 15

# At this rate a line is there half a second after the key.
WANTED_TOKENS_PER_S = 30.0

# A prompt of a thousand tokens is then read in ten seconds: while the file is looked at, or in two or three pauses.
WANTED_PROMPT_TOKENS_PER_S = 100.0

# Below this nobody waits for a suggestion.
LEAST_TOKENS_PER_S = 8.0

_CONTEXT_TOKENS = 4096

# The share of exact answers that a quantisation is reckoned to cost, from llama.cpp's own perplexities (Llama-3-8B:
# Q6_K +0.02, Q5_K_M +0.06, Q4_K_M +0.18, Q4_K_S +0.27, Q3_K_M +0.66, Q2_K +3.5). A judgement, not a measurement.
# Others are 2-bit ones, or such that CPUs unpack more slowly than their size promises.
_LOSS = {"Q8_0": 0.0, "Q6_K": 0.005, "Q5_K_M": 0.01, "Q4_K_M": 0.03, "Q4_K_S": 0.05, "Q3_K_M": 0.15}
_OTHER_LOSS = 0.4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, and what is predicted of it on this machine."""

    choice: Choice
    memory_bytes: int
    tokens_per_s: float
    prompt_tokens_per_s: float

    @property
    def in_time(self) -> bool:
        """Tell whether suggestions will be there while they are wanted."""
        return self.tokens_per_s >= WANTED_TOKENS_PER_S and self.prompt_tokens_per_s >= WANTED_PROMPT_TOKENS_PER_S

    @property
    def quality(self) -> float:
        """Return its score on CrossCodeEval, less what its quantisation costs; 0 where no score was published."""
        loss = _LOSS.get(self.choice.file.quant, _OTHER_LOSS)
        return self.choice.model.scores.get("crosscodeeval", 0.0) * (1 - loss)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The model to take, the next best of another size, and why. No pick: the embedded model is all that fits."""

    pick: Candidate | None
    runner_up: Candidate | None
    reasons: tuple[str, ...]


def candidates(machine: Machine, use: str = "completion") -> list[Candidate]:
    """Return every file of the catalogue with what is predicted of it here."""
    return [_candidate(choice, machine) for choice in choices(use)]


def recommend(machine: Machine) -> Recommendation:
    """Return the model for completion on this machine."""
    fitting = [candidate for candidate in _free_to_use(candidates(machine)) if _fits(candidate, machine)]
    in_time = [candidate for candidate in fitting if candidate.in_time]
    if in_time:
        ranked = sorted(in_time, key=lambda candidate: candidate.quality, reverse=True)
        return _recommendation(ranked, machine, "the most exact")
    bearable = [candidate for candidate in fitting if candidate.tokens_per_s >= LEAST_TOKENS_PER_S]
    ranked = sorted(bearable, key=lambda candidate: candidate.tokens_per_s, reverse=True)
    return _recommendation(ranked, machine, "the quickest")


def _candidate(choice: Choice, machine: Machine) -> Candidate:
    cost = cost_of_choice(choice)
    memory = memory_bytes(cost, _CONTEXT_TOKENS)
    return Candidate(choice, memory, tokens_per_s(cost, machine), prompt_tokens_per_s(cost, machine))


def _free_to_use(all_of_them: Iterable[Candidate]) -> list[Candidate]:
    """Keep what anyone may use for any purpose, was scored, and has a file whose name is certain."""
    return [
        candidate
        for candidate in all_of_them
        if candidate.choice.model.commercial == "yes" and candidate.quality and candidate.choice.file.seen
    ]


def _fits(candidate: Candidate, machine: Machine) -> bool:
    return candidate.memory_bytes <= machine.usable_bytes


def _recommendation(ranked: Sequence[Candidate], machine: Machine, why: str) -> Recommendation:
    if not ranked:
        room = _gb(machine.usable_bytes)
        return Recommendation(None, None, (f"No model of the catalogue fits into {room} and answers in time here.",))
    pick = ranked[0]
    runner_up = next((other for other in ranked[1:] if other.choice.model.id != pick.choice.model.id), None)
    return Recommendation(pick, runner_up, tuple(_reasons(pick, runner_up, machine, why)))


def _reasons(pick: Candidate, runner_up: Candidate | None, machine: Machine, why: str) -> list[str]:
    model, line_s = pick.choice.model, _LINE_TOKENS / pick.tokens_per_s
    score = f"{model.scores['crosscodeeval']:.1f} % exact on CrossCodeEval ({model.scores_from.partition(';')[0]})"
    memory = f"It takes {_gb(pick.memory_bytes)} of the {_gb(machine.usable_bytes)} that a model may use here."
    speed = (
        f"It writes about {pick.tokens_per_s:.0f} tokens a second, a line in {line_s:.1f} s "
        f"({machine.cores} cores, {machine.bandwidth_bytes_per_s / 1e9:.0f} GB/s)."
    )
    quality = f"It is {why} of those that fit and that anyone may use: {score}; licence {model.licence}."
    return [memory, speed, quality, *([_about(runner_up)] if runner_up else []), *_about_gpu(machine)]


def _about_gpu(machine: Machine) -> list[str]:
    """Return what is not known of a GPU with a memory of its own, until a model has run on it."""
    if not machine.other_gpu or machine.rates.decode_bytes_per_s:
        return []
    built = f"llama.cpp is built with {machine.other_gpu} here. What that GPU does was not measured"
    return [f"{built}: this is the pick for the processor and its memory. Run a model, then this again."]


def _about(runner_up: Candidate) -> str:
    score = runner_up.choice.model.scores["crosscodeeval"]
    return (
        f"Runner-up: {runner_up.choice.id}, {_gb(runner_up.memory_bytes)}, "
        f"about {runner_up.tokens_per_s:.0f} tokens a second, {score:.1f} % exact."
    )


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
