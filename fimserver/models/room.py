"""Say whether a chat model fits into memory beside the completion model, and name one that would."""

from dataclasses import dataclass
from pathlib import Path

from fimserver.errors import ModelTooLarge
from fimserver.models.catalogue import Choice, catalogue, usual_file
from fimserver.models.cost import cost_of, cost_of_choice, memory_bytes
from fimserver.models.partial import gigabytes
from fimserver.models.store import check_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context that both models are loaded with."""

    tokens: int
    kv_type: str


def check_room(chat: Path, completion: Path, context: Context, usable_bytes: int) -> None:
    """Return if both models may be in memory at once. Raises ModelTooLarge, naming a model that fits, and ModelError.

    The completion model's share is kept free for it whether or not it is loaded at the moment.
    """
    kept = _needed(completion, context) if chat != completion else 0
    needed, room = _needed(chat, context), max(0, usable_bytes - kept)
    if needed <= room:
        return
    beside = f" beside the {gigabytes(kept)} of the completion model" if kept else ""
    raise ModelTooLarge(
        f"The chat model {chat.name} needs {gigabytes(needed)} of memory, and there are {gigabytes(room)} for it here"
        f"{beside}. {_advice(room, context)}"
    )


def _needed(model: Path, context: Context) -> int:
    return memory_bytes(cost_of(check_model(model)), context.tokens, context.kv_type)


def _advice(room: int, context: Context) -> str:
    fitting = _largest_fitting(room, context)
    if fitting is None:
        return "No chat model of the catalogue fits: free some memory, or choose a smaller completion model."
    name = fitting.model.id
    return f"{name} fits: fimserver pull {name} && fimserver use --chat {name}"


def _largest_fitting(room: int, context: Context) -> Choice | None:
    """Return the largest chat model that fits and that anyone may use."""
    models = [model for model in catalogue().values() if "chat" in model.uses and model.commercial == "yes"]
    files = [(model, file) for model in models if (file := usual_file(model)) is not None and file.seen]
    fitting = [
        choice
        for choice in (Choice(model, file) for model, file in files)
        if memory_bytes(cost_of_choice(choice), context.tokens, context.kv_type) <= room
    ]
    return max(fitting, key=lambda choice: choice.model.billions, default=None)
