"""Turn a finding into an explanation of it: what could go wrong, when, and how to mend it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from fimserver.engine.interface import Engine
from fimserver.review.asking import answer
from fimserver.review.findings import Finding
from fimserver.review.passages import Target, passages
from fimserver.review.prompts import asked, fenced, prompt_named
from fimserver.uris import shown_path

_ANSWER_TOKENS = 512

# The function around the finding, or its neighbourhood.
_CODE_CHARACTERS = 3_000


async def explanation(engine: Engine, finding: Finding, roots: tuple[Path, ...] = ()) -> AsyncGenerator[str, None]:
    """Stream an explanation as Markdown. Raises EngineError, ModelError, SettingsError, and AnswerCut at its end."""
    line = range(finding.line, finding.line + 1)
    [passage, *_] = passages(Target(finding.document, (line,), is_change=True), _CODE_CHARACTERS)
    values = {
        "path": shown_path(finding.document.uri, roots)[0],
        "listing": fenced(passage.listing),
        "line": str(finding.line + 1),
        "finding": f"{finding.severity}, {finding.category}: {finding.message}",
    }
    messages = asked(prompt_named("explain-finding"), values)
    async with aclosing(answer(engine, messages, max_tokens=_ANSWER_TOKENS)) as pieces:
        async for piece in pieces:
            yield piece
