"""Turn targets into findings: ask a chat model about passage after passage, and check what it claims as it writes.

    Target ─► Passage, Passage, … ─► prompt ─► answer, piece by piece ─► Claim ─► Finding | Dropped(reason)
           passages                prompts    asking                   claims    findings, fixes

Closing the iterator of `Review.findings` cancels: the engine is free within one small batch, and what was found so far
has been yielded.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from fimserver.engine.interface import Engine
from fimserver.errors import AnswerCut, PromptTooLong
from fimserver.review.asking import answer
from fimserver.review.claims import ClaimReader
from fimserver.review.dismissed import is_dismissed
from fimserver.review.findings import Category, Claim, Dropped, Finding, checked
from fimserver.review.fixes import sound_replacement
from fimserver.review.grammar import FINDINGS_GRAMMAR
from fimserver.review.passages import Passage, Target, halves, passages
from fimserver.review.prompts import asked, fenced, prompt_named
from fimserver.uris import shown_path
from fimserver.values import Snippet

# With the instructions, some other files and the answer, a passage of this length fits 4096 tokens, which is the usual
# context. Where it does not, it is halved.
PASSAGE_CHARACTERS = 4_800

# Six findings take about 80 tokens each; with a replacement for each, twice as many.
ANSWER_TOKENS = 1_024

# No more asked lines are reviewed at a time: hours of work on a processor.
MOST_LINES = 5_000

Related = Callable[[Passage], Awaitable[Sequence[Snippet]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to review: what of other files is shown, what not to tell again, and under which names files are known."""

    related: Related | None = None
    dismissed: frozenset[str] = frozenset()
    roots: tuple[Path, ...] = ()


class Review:
    """One review. Its counts grow while `findings` is read."""

    def __init__(self, engine: Engine, targets: Sequence[Target], wishes: Wishes | None = None) -> None:
        self.dropped: Counter[Dropped] = Counter()
        self.found = 0
        self.answers = 0  # passages that were answered, in whatever form
        self.cut = 0  # of these, answers that had no end
        self.too_long: list[Passage] = []  # lines no context holds
        self._engine, self._wishes = engine, wishes or Wishes()
        taken, self.lines_left_out = _within(targets, MOST_LINES)
        self.passages = [passage for target in taken for passage in passages(target, PASSAGE_CHARACTERS)]
        self._told: set[tuple[str, int, Category]] = set()

    async def findings(self, on_passage: Callable[[int, Passage], None] | None = None) -> AsyncGenerator[Finding, None]:
        """Yield findings as the model writes them. `on_passage` hears which passage is begun, counted from 0.

        Raises EngineError or ModelError where the model cannot answer, and SettingsError where the prompt is wrong.
        """
        for number, passage in enumerate(self.passages):
            if on_passage is not None:
                on_passage(number, passage)
            waiting = [passage]
            while waiting:
                current = waiting.pop(0)
                try:
                    async with aclosing(self._of_passage(current)) as found:
                        async for finding in found:
                            self.found += 1
                            yield finding
                except PromptTooLong:
                    smaller = halves(current)
                    waiting = [*smaller, *waiting]
                    self.too_long += [] if smaller else [current]

    def withdraw(self, why: Dropped) -> None:
        """Count a finding that was yielded as dropped after all."""
        self.found -= 1
        self._drop(why)

    async def _of_passage(self, passage: Passage) -> AsyncGenerator[Finding, None]:
        snippets = await self._wishes.related(passage) if self._wishes.related else ()
        values = prompt_values(passage, snippets, self._wishes.roots)
        messages = asked(prompt_named("review"), values)
        reader, cut = ClaimReader(), False
        pieces = answer(self._engine, messages, grammar=FINDINGS_GRAMMAR, max_tokens=ANSWER_TOKENS)
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    for finding in self._sifted(reader.feed(piece), passage):
                        yield finding
        except AnswerCut:
            cut = True
        for finding in self._sifted(reader.finish(cut=cut), passage):
            yield finding
        self.answers += 1
        self.cut += cut
        self._drop(Dropped.UNREADABLE, reader.unreadable)

    def _sifted(self, claims: Iterable[Claim], passage: Passage) -> Iterator[Finding]:
        """Yield the findings among claims that are true of the text and new; count the others."""
        for claim in claims:
            found = checked(claim, passage.document, passage.asked)
            if isinstance(found, Dropped):
                self._drop(found)
                continue
            key = found.document.uri, found.line, found.category
            if key in self._told:
                self._drop(Dropped.DUPLICATE)
            elif is_dismissed(found, self._wishes.dismissed):
                self._drop(Dropped.DISMISSED)
            else:
                self._told.add(key)
                yield replace(found, replacement=sound_replacement(found.document, found.span, found.replacement))

    def _drop(self, why: Dropped, count: int = 1) -> None:
        if count:
            self.dropped[why] += count


def prompt_values(passage: Passage, snippets: Sequence[Snippet], roots: tuple[Path, ...]) -> dict[str, str]:
    """Return what the prompt `review` needs to ask about a passage."""
    others = "\n".join(fenced(f"{snippet.path}\n{snippet.text}") for snippet in snippets)
    return {
        "path": shown_path(passage.document.uri, roots)[0],
        "related": others or "(nothing)",
        "listing": fenced(passage.listing),
        "asked": passage.asked_words,
    }


def told(review: Review) -> list[str]:
    """Return what a user can do something about, beside the findings, a sentence each."""
    only_prose = review.dropped[Dropped.UNREADABLE] and not review.found
    sentences = (
        (review.lines_left_out, f"{review.lines_left_out:,} lines were left out; name files to review them."),
        (review.too_long, f"{len(review.too_long)} parts do not fit the model's context; raise engine.context_tokens."),
        (review.cut, f"{review.cut} answers had no end and were cut; what they found until then is kept."),
        (only_prose, "The model answered, but not in the form it was asked for; another one may do better."),
    )
    return [sentence for is_so, sentence in sentences if is_so]


def told_dropped(review: Review) -> str:
    """Return which claims were dropped and why, as a sentence; empty where none were."""
    dropped = ", ".join(f"{count} {why}" for why, count in sorted(review.dropped.items()))
    return f"Claims that were dropped: {dropped}." if dropped else ""


def _within(targets: Sequence[Target], most_lines: int) -> tuple[list[Target], int]:
    """Return the targets up to so many asked lines, and how many lines these leave out."""
    taken: list[Target] = []
    left, left_out = most_lines, 0
    for target in targets:
        asked_lines: list[range] = []
        for lines in target.asked:
            part = lines[:left]
            left -= len(part)
            left_out += len(lines) - len(part)
            asked_lines += [part] if part else []
        if asked_lines:
            taken.append(replace(target, asked=tuple(asked_lines)))
    return taken, left_out
