"""Ask the model at a cursor: anchor, other files' snippets, prompt, stream.

What outlives a request is kept here per document: the anchors that are held, and the warming of the next one. A
request never waits for a new anchor: where none can be held it sends a prompt small enough for the deadline, and the
full one is evaluated behind it, on another sequence of the engine's cache.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fimserver.complete.pace import (
    CHARACTERS_PER_TOKEN,
    Pace,
    answer_tokens,
    full_prompt_tokens,
    small_prompt_tokens,
)
from fimserver.complete.stream import Stopping, Written, write
from fimserver.context.anchor import Anchors, Held, fresh_anchor, hold_or_take, plain
from fimserver.engine.interface import Engine, GenerateRequest, ModelFacts, Priority, Prompt
from fimserver.errors import EngineError
from fimserver.prompt.fim import fim_prompt
from fimserver.prompt.profile import Profile, profile_for
from fimserver.retrieval.gather import Gatherer
from fimserver.settings import Settings
from fimserver.uris import shown_path
from fimserver.values import Anchor, CursorContext, Shape, Snippet

# A user who has not typed for this long has paused: time to move the anchor, and to look at other files again.
_PAUSE_S = 0.7
