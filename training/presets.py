"""The two machines a model is trained on: what it measures, how long its rows are, how fast it learns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.rows import Mixture


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Everything about a run but its length. `phases`: up to which share of the time rows are how long."""

    width: int
    layers: int
    heads: int
    key_value_heads: int
    feed_forward: int
    phases: tuple[tuple[float, int], ...]
    tokens_per_step: int
    warm_up_steps: int
    workers: int
    matrix_rate: float = 0.02  # Muon
    other_rate: float = 0.003  # AdamW
    constant_share: float = 0.0  # of the time, before the rates fall to zero in a straight line
    answer_weight: float = 2.0  # of an answer's token in the loss, against 1 for one that is read
    mixture: Mixture = field(default_factory=Mixture)


PRESETS: Mapping[str, Preset] = {
    # 6.3 million parameters; goes on from an exported model (`--init`), so the rates fall from the start.
    "cpu": Preset(
        width=256,
        layers=6,
        heads=4,
        key_value_heads=2,
        feed_forward=768,
        phases=((0.65, 512), (1.0, 1024)),
        tokens_per_step=8_192,
        matrix_rate=0.014,
        warm_up_steps=30,
        answer_weight=3.0,
        workers=1,
        mixture=Mixture(holes=0.92, orders={"SPM-adjacent": 1.0}, headers=0.45, other_files=0.2),
    ),
    # 26 million parameters: 28 MB at Q8_0. Both orders are learnt.
    "gpu": Preset(
        width=512,
        layers=8,
        heads=8,
        key_value_heads=4,
        feed_forward=1280,
        phases=((1.0, 1024),),
        tokens_per_step=131_072,
        warm_up_steps=100,
        constant_share=0.4,
        workers=14,
        mixture=Mixture(holes=0.9, orders={"SPM-adjacent": 0.6, "PSM": 0.4}, headers=0.4, other_files=0.2),
    ),
    # For tests: learns nothing, in a second.
    "tiny": Preset(
        width=32,
        layers=1,
        heads=2,
        key_value_heads=1,
        feed_forward=32,
        phases=((0.5, 128), (1.0, 256)),
        tokens_per_step=512,
        warm_up_steps=1,
        workers=0,
        mixture=Mixture(orders={"SPM-adjacent": 0.5, "PSM": 0.5}, other_files=0.3),
    ),
}


def rate_share(preset: Preset, step: int, time_share: float) -> float:
    """Return by what the learning rates are multiplied: up with the first steps, then level, then down to zero.

    >>> rate_share(PRESETS["gpu"], step=1_000, time_share=0.7)
    0.5
    """
    warm_up = min(1.0, (step + 1) / preset.warm_up_steps)
    falling = (1 - time_share) / (1 - preset.constant_share)
    return warm_up * max(0.0, min(1.0, falling))


def row_tokens(preset: Preset, time_share: float) -> int:
    """Return how long a row is after this share of the time."""
    return next((length for until, length in preset.phases if time_share < until), preset.phases[-1][1])
