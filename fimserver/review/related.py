"""Find what of other files helps to review a passage: what a suggestion at its first asked line would be shown."""

import asyncio
from collections.abc import Sequence

from fimserver.context.cursor import look_around
from fimserver.retrieval.gather import Gatherer
from fimserver.review.passages import Passage
from fimserver.review.reviewer import Related
from fimserver.settings import Settings
from fimserver.values import Snippet

# Beside the passage and the instructions there is room for little more in the usual context.
_MOST_TOKENS = 400


def related_by(gatherer: Gatherer, settings: Settings) -> Related:
    """Return the function that finds snippets for a passage; files that are excluded give none."""

    async def related(passage: Passage) -> Sequence[Snippet]:
        if not settings.context.other_files:
            return ()
        document = passage.document
        offset = document.starts[passage.asked[0].start]
        context = look_around(document, offset, completion=settings.completion, invoked=True)
        limit = min(_MOST_TOKENS, settings.context.max_tokens)
        found = await asyncio.to_thread(gatherer.explain, context, limit)
        return [snippet for snippet, _ in found.segments]

    return related
