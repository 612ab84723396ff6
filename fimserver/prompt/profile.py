"""Turn the facts of a model into the way it wants its prompt written.

One profile is one file of `profiles/`, named after its family; a model that no file knows but that has the tokens for
filling in the middle gets a guessed one. Having the tokens is not enough: the models of `untrained.toml` have them and
write nonsense after them. A format error costs more than model size does (CodeLlama-13B on SAFIM's blocks: 10.2 in one
order, 41.4 in the other; arXiv 2403.04814, table 5).
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import PurePath
from typing import Any

from fimserver.engine.interface import ModelFacts
from fimserver.errors import ModelError, ModelWithoutFim

# Named where a model is refused; the catalogue's tests check that these can be pulled and used by anyone.
MODELS_THAT_WORK = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "qwen2.5-coder-7b")


class Order(StrEnum):
    """In which order a model has learnt to read. In every one the typed text stands last."""

    PSM = "PSM"  # PRE prefix SUF suffix MID typed
    SPM = "SPM"  # SUF suffix PRE prefix MID typed
    SPM_ADJACENT = "SPM-adjacent"  # PRE SUF suffix MID prefix typed


LAYOUTS: Mapping[Order, str] = {
    Order.PSM: "{bos}{repository}{files}{header}{PRE}{prefix}{SUF}{suffix}{MID}{typed}",
    Order.SPM: "{bos}{repository}{files}{header}{SUF}{suffix}{PRE}{prefix}{MID}{typed}",
    Order.SPM_ADJACENT: "{bos}{repository}{files}{header}{PRE}{SUF}{suffix}{MID}{prefix}{typed}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    r"""How one family of models wants its prompt written.

    `repository`, `file` and `header` are templates with `{repository}`, `{path}` and `{content}`: what stands before
    all files, one other file, and what stands before the current file. Empty ones are left out, and without `file`
    other files are not shown to the model. In a template, a text of `controls` is a control token and all else is
    plain: `"<|file_sep|>{path}\n{content}\n"`.
    """

    id: str
    order: Order
    prefix: str
    suffix: str
    middle: str = ""
    licence: str = ""
    bos: str = ""
    repository: str = ""
    file: str = ""
    header: str = ""
    layout: str = ""  # instead of the order's own, for the few that put something between
    order_inside_token: Order | None = None  # used where the split stands inside a word
    prefix_leading_space: bool = False  # SentencePiece models trained with a space before the prefix's first word
    only_line_feeds: bool = False  # a carriage return after the suffix's token breaks the answer
    stop_controls: tuple[str, ...] = ()
    stop_texts: tuple[str, ...] = ()
    # Once measured: shape → the least log-probabilities (`first`, `any`, `mean`) that are shown.
    confidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    name_patterns: tuple[str, ...] = ()
    guess: bool = False  # its order is the usual one of unknown models that have its tokens
    guessed: bool = False
    caution: str = ""  # a sentence for the user, where suggestions may be worse than the model's best

    @property
    def controls(self) -> frozenset[str]:
        """Return every control text that a prompt of this profile may hold."""
        return frozenset(filter(None, (self.bos, self.prefix, self.suffix, self.middle, *self.stop_controls)))

    @property
    def required(self) -> frozenset[str]:
        """Return the control texts without which the model is not of this kind."""
        return frozenset(filter(None, (self.prefix, self.suffix, self.middle)))


def profile_for(facts: ModelFacts, forced: str = "") -> Profile:
    """Return the profile of a model, `forced` by its id or found by the model's names and tokens.

    Raises ModelWithoutFim where the model cannot fill in the middle, ModelError where `forced` names no profile.
    """
    if forced:
        return _forced(facts, forced)
    own_names, base_names = _names(facts)
    if why := _known_untrained(own_names):
        raise ModelWithoutFim(_refusal(facts, why))
    profile = _named(own_names, facts) or _guessed_from(_named(base_names, facts), facts) or _guessed(facts)
    if profile is None:
        raise ModelWithoutFim(_refusal(facts, "it has no tokens for that"))
    return _with_caution(_fitted(profile, facts), own_names)


@cache
def all_profiles() -> Mapping[str, Profile]:
    """Return every profile of `profiles/`, by id, in alphabetical order."""
    files = sorted((resources.files("fimserver.prompt") / "profiles").iterdir(), key=lambda entry: entry.name)
    rows = (tomllib.loads(entry.read_text("utf-8")) for entry in files if entry.name != _UNTRAINED)
    profiles = (_profile_of(row) for row in rows)
    return {profile.id: profile for profile in profiles}


_UNTRAINED = "untrained.toml"


def _profile_of(row: Mapping[str, Any]) -> Profile:
    """Build a profile from a TOML table: lists become tuples, orders their enumeration."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    for name in {"order", "order_inside_token"} & values.keys():
        values[name] = Order(values[name])
    return Profile(**values)


@cache
def _untrained() -> tuple[tuple[str, str], ...]:
    """Return pattern and reason of each model that has the tokens but has not learnt to use them."""
    text = (resources.files("fimserver.prompt") / "profiles" / _UNTRAINED).read_text("utf-8")
    return tuple((row["name_pattern"], row["why"]) for row in tomllib.loads(text)["model"])


def _forced(facts: ModelFacts, forced: str) -> Profile:
    profile = all_profiles().get(forced)
    if profile is None:
        raise ModelError(f"There is no prompt profile {forced!r}; model.profile can be {', '.join(all_profiles())}.")
    missing = profile.required - facts.control_texts if facts.control_texts else frozenset()
    if missing:
        lacking = ", ".join(sorted(missing))
        raise ModelWithoutFim(f"{_title(facts)} has no token {lacking}, which the profile {forced} needs.")
    return _fitted(profile, facts)


def _fitted(profile: Profile, facts: ModelFacts) -> Profile:
    """Return the profile without what this model has no tokens for: members of a family differ in the lesser ones."""
    absent = profile.controls - facts.control_texts if facts.control_texts else frozenset()
    if not absent:
        return profile
    templates: dict[str, Any] = {
        name: "" if any(text in getattr(profile, name) for text in absent) else getattr(profile, name)
        for name in ("repository", "file", "header")
    }
    stops = tuple(text for text in profile.stop_controls if text not in absent)
    return replace(profile, stop_controls=stops, **templates)


def _names(facts: ModelFacts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the model's own names, the surest first, and those of what it was made from."""
    own = [facts.metadata.get(f"general.{key}", "") for key in ("name", "basename")]
    finetune = facts.metadata.get("general.finetune", "")
    size = facts.metadata.get("general.size_label", "")
    own[1] = f"{own[1]} {size} {finetune}" if own[1] else ""
    file = PurePath(facts.path.replace("\\", "/")).name.removesuffix(".gguf")
    base = facts.metadata.get("general.base_model.0.name", "")
    return tuple(map(_plain, filter(None, (*own, facts.name, file)))), tuple(map(_plain, filter(None, (base,))))


def _plain(name: str) -> str:
    """Return a name as patterns expect it.

    >>> _plain("Qwen2.5 Coder_1.5B")
    'qwen2.5-coder-1.5b'
    """
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


def _known_untrained(names: tuple[str, ...]) -> str:
    return next((why for name in names for pattern, why in _untrained() if re.search(pattern, name)), "")


def _named(names: tuple[str, ...], facts: ModelFacts) -> Profile | None:
    """Return the profile of the first name that one knows, if the model has that profile's tokens."""
    return next(
        (
            profile
            for name in names
            for profile in all_profiles().values()
            if any(re.search(pattern, name) for pattern in profile.name_patterns) and _has_tokens_of(profile, facts)
        ),
        None,
    )


def _has_tokens_of(profile: Profile, facts: ModelFacts) -> bool:
    """Tell whether the model has the profile's tokens. Other people's servers do not list theirs: believe the name."""
    return not facts.control_texts or profile.required <= facts.control_texts


def _guessed(facts: ModelFacts) -> Profile | None:
    """Return the usual profile of models with these tokens, or one made of the tokens that llama.cpp recognised."""
    usual = (profile for profile in all_profiles().values() if profile.guess)
    known = next((profile for profile in usual if profile.required <= facts.control_texts), None)
    return _guessed_from(known, facts) or _from_roles(facts)


def _guessed_from(profile: Profile | None, facts: ModelFacts) -> Profile | None:
    """Return the profile marked as a guess."""
    if profile is None:
        return None
    caution = (
        f"The model is unknown; its prompts are written as for {profile.id}. "
        "Set model.profile if its suggestions make no sense."
    )
    bos = profile.bos if profile.bos in facts.control_texts else bos_text(facts)
    return replace(profile, guessed=True, caution=caution, bos=bos, confidence={})


def _from_roles(facts: ModelFacts) -> Profile | None:
    """Return a profile in the commonest order made of the control texts by role."""
    prefix, suffix, middle = (facts.fim.get(role, "") for role in ("prefix", "suffix", "middle"))
    if not (prefix and suffix and middle):
        return None
    return Profile(
        id="guessed",
        order=Order.PSM,
        prefix=prefix,
        suffix=suffix,
        middle=middle,
        bos=bos_text(facts),
        stop_controls=tuple(dict.fromkeys(facts.fim.values())),
        guessed=True,
        caution="The model is unknown; its prompts are written prefix, suffix, middle. "
        "Set model.profile if its suggestions make no sense.",
    )


# The first tokens of texts, by their usual spellings: a guessed profile takes the one the model has, if it wants one.
_USUAL_BOS = ("<｜begin▁of▁sentence｜>", "<|begin_of_text|>", "<|startoftext|>", "<bos>", "<s>")  # noqa: RUF001


def bos_text(facts: ModelFacts) -> str:
    """Return the text of the token every prompt begins with, empty where the model's file does not ask for one."""
    usual = "true" if facts.metadata.get("tokenizer.ggml.model") == "llama" else "false"  # SentencePiece does
    if facts.metadata.get("tokenizer.ggml.add_bos_token", usual) != "true":
        return ""
    return next((text for text in _USUAL_BOS if text in facts.control_texts), "")


# Chat training keeps single lines and loses multi-line answers: they do not stop (CodeGemma report, table 2).
_CHAT_TRAINED = re.compile(r"(^|-)(instruct|chat|it|dpo)(-|$)")
_CHAT_IS_FINE = frozenset({"qwen3-coder", "qwen3.5", "granite-4", "codegeex4", "mellum"})


def _with_caution(profile: Profile, names: tuple[str, ...]) -> Profile:
    """Return the profile with a word of advice where a base model would complete better than this chat model."""
    if profile.caution or profile.id in _CHAT_IS_FINE or not any(map(_CHAT_TRAINED.search, names)):
        return profile
    return replace(
        profile, caution="This model was trained to chat; the base model of the same family completes better."
    )


def _refusal(facts: ModelFacts, why: str) -> str:
    return (
        f"{_title(facts)} cannot fill in the middle: {why}. Models that can: {', '.join(MODELS_THAT_WORK)}. "
        f"Get one with: fimserver pull {MODELS_THAT_WORK[1]}"
    )


def _title(facts: ModelFacts) -> str:
    """Return the name by which the user knows the model."""
    return facts.name or next(_each_name(facts), "The model")


def _each_name(facts: ModelFacts) -> Iterator[str]:
    yield from filter(None, (facts.metadata.get("general.name", ""), PurePath(facts.path).name))
