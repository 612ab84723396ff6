"""Score a model on fixed rows: the loss of what it reads and answers, and how often an answer is right.

The first token tells whether the prompt's order has been learnt; the overall loss hides it.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.batches import Batch
from training.layouts import ANSWERED, READ
from training.model import Model


@torch.no_grad()
def scores(model: Model, hidden: Callable[[Tensor], Tensor], batches: Sequence[Batch]) -> Mapping[str, float]:
    """Return `read_loss` and `answer_loss` in nats a token; `first_right` and `all_right` between 0 and 1.

    `all_right` is the share of answers of which every token is the likeliest: those that greedy decoding would write.
    """
    read, answered, first, whole = [], [], [], []
    for batch in batches:
        for states, targets, roles in zip(hidden(batch.inputs).float(), batch.targets, batch.roles, strict=True):
            logits = states @ model.embedding.weight.float().T
            losses = F.cross_entropy(logits, targets, reduction="none")
            begins = (roles == ANSWERED) & (roles.roll(1) != ANSWERED)
            read.append(losses[roles == READ])
            answered.append(losses[roles == ANSWERED])
            likeliest = logits.argmax(1) == targets
            first.append(likeliest[begins].float())
            whole += wholly_right(likeliest.tolist(), roles.tolist())
    return {
        "read_loss": torch.cat(read).mean().item(),
        "answer_loss": torch.cat(answered).mean().item(),
        "first_right": torch.cat(first).mean().item(),
        "all_right": sum(whole) / len(whole) if whole else 0.0,
    }


def wholly_right(likeliest: Sequence[bool], roles: Sequence[int]) -> list[bool]:
    """Return for each answer of a row whether all its tokens are the likeliest.

    >>> wholly_right([True, True, False, True, True], [READ, ANSWERED, ANSWERED, READ, ANSWERED])
    [False, True]
    """
    spans = groupby(zip(roles, likeliest, strict=True), key=lambda pair: pair[0] == ANSWERED)
    return [all(right for _, right in span) for is_answer, span in spans if is_answer]
