"""Score a model on fixed rows: the loss of what it reads and answers, and how often an answer's first token is right.

The first token tells whether the prompt's order has been learnt; the overall loss hides it.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.batches import Batch
from training.layouts import ANSWERED, READ
from training.model import Model


@torch.no_grad()
def scores(model: Model, hidden: Callable[[Tensor], Tensor], batches: Sequence[Batch]) -> Mapping[str, float]:
    """Return `read_loss` and `answer_loss` in nats a token, and `first_right` between 0 and 1."""
    read, answered, first = [], [], []
    for batch in batches:
        for states, targets, roles in zip(hidden(batch.inputs).float(), batch.targets, batch.roles, strict=True):
            logits = states @ model.embedding.weight.float().T
            losses = F.cross_entropy(logits, targets, reduction="none")
            begins = (roles == ANSWERED) & (roles.roll(1) != ANSWERED)
            read.append(losses[roles == READ])
            answered.append(losses[roles == ANSWERED])
            first.append((logits[begins].argmax(1) == targets[begins]).float())
    return {
        "read_loss": torch.cat(read).mean().item(),
        "answer_loss": torch.cat(answered).mean().item(),
        "first_right": torch.cat(first).mean().item(),
    }
