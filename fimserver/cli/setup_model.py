"""Turn this machine and what its user agrees to into the model that answers from now on."""

from contextlib import suppress

from fimserver.cli.choice import Choice, absolute_model
from fimserver.cli.consent import Talk
from fimserver.cli.engines import engine_name
from fimserver.cli.progress import told
from fimserver.cli.pull import pulled
from fimserver.cli.use import use
from fimserver.errors import ModelError, ModelMissing
from fimserver.models.catalogue import choice_named
from fimserver.models.hardware import this_machine
from fimserver.models.partial import gigabytes
from fimserver.models.recommend import recommend
from fimserver.models.store import EMBEDDED_ID, resolve


def set_up_model(choice: Choice, wanted: str | None, talk: Talk) -> str:
    """Return the name of the model that answers, having downloaded and chosen it if its user agreed.

    What is chosen already stays, unless another is wanted. Where a download fails, that is said, and what answered
    before goes on: the embedded model where what was chosen is not here. Raises ModelError where what is wanted is no
    model.
    """
    now = _now(choice, talk)
    if wanted is None and now not in ("", EMBEDDED_ID):
        talk.tell(f"{now} answers already.")
        return now
    name = wanted or _recommended(talk)
    if name == now:
        talk.tell(f"{now} answers.")
        return now
    found = _brought(name if name.startswith("hf:") else absolute_model(name) or name, talk)
    if found is None and now:
        talk.tell(f"{now} answers as before. For another: fimserver pull {name} && fimserver use {name}")
        return now
    used = use(choice, found or EMBEDDED_ID)
    talk.tell(f"{used.path} answers from now on. {used.caution}".rstrip())
    return found or EMBEDDED_ID


def _now(choice: Choice, talk: Talk) -> str:
    """Return the name of what answers now; empty where the model that is chosen is not here, which is said."""
    if choice.script is not None or choice.settings.engine.kind != "local":
        return engine_name(choice.settings, choice.script)
    try:
        resolve(choice.settings.model.completion)
    except ModelError as error:
        talk.tell(str(error))
        return ""
    return choice.settings.model.completion or EMBEDDED_ID


def _recommended(talk: Talk) -> str:
    with told(lambda: "This machine is being measured."):
        recommendation = recommend(this_machine())
    pick = recommendation.pick
    talk.tell(f"The model for this machine: {pick.choice.id}." if pick else "The embedded model it is.")
    for reason in recommendation.reasons:
        talk.tell(f"  {reason}")
    return pick.choice.id if pick else EMBEDDED_ID


def _brought(name: str, talk: Talk) -> str | None:
    """Return the name by which a model that is here now can be used, None where it did not come."""
    if not name.startswith("hf:"):
        with suppress(ModelMissing):
            resolve(name)
            return name
    if not talk.consents(f"Download {_described(name)} now?"):
        return None
    try:
        path = pulled(name)
    except ModelError as error:
        talk.fail(str(error))
        return None
    return str(path) if name.startswith("hf:") else name


def _described(name: str) -> str:
    """Return a model's name, size and licence. Raises ModelMissing where nobody knows it."""
    if name.startswith("hf:"):
        return name
    if name.endswith(".gguf"):
        resolve(name)  # says that there is no such file
    known = choice_named(name)
    licence = known.model.licence.partition(" (")[0]
    return f"{known.id} ({gigabytes(known.file.bytes)}, licence {licence})"
