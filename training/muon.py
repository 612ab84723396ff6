"""The optimiser of the matrices: momentum, made orthogonal by five Newton-Schulz steps (Jordan and others, 2024)."""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_STEPS = 5


class Muon(torch.optim.Optimizer):
    """Matrices of one shape are stacked and made orthogonal together."""

    def __init__(
        self, matrices: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, decay: float = 0.02
    ) -> None:
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Take one step along the orthogonalised momentum of every matrix."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[nn.Parameter]] = defaultdict(list)
            for matrix in group["params"]:
                by_shape[tuple(matrix.shape)].append(matrix)
            for (rows, columns), matrices in by_shape.items():
                updates = orthogonal(torch.stack([self._momentum(matrix, group["momentum"]) for matrix in matrices]))
                rate = group["lr"] * max(1.0, rows / columns) ** 0.5
                for matrix, update in zip(matrices, updates, strict=True):
                    matrix.mul_(1 - group["lr"] * group["decay"]).add_(update.to(matrix.dtype), alpha=-rate)

    def _momentum(self, matrix: nn.Parameter, momentum: float) -> Tensor:
        gradient = matrix.grad
        assert gradient is not None, "step() comes after backward()"
        state = self.state[matrix]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(matrix)
        mean: Tensor = state["momentum"].lerp_(gradient, 1 - momentum)
        update: Tensor = gradient.lerp(mean, momentum)
        return update


def orthogonal(stack: Tensor) -> Tensor:
    """Return (N, R, C) with each matrix's singular values brought near 1, in bfloat16."""
    tall = stack.shape[1] > stack.shape[2]
    x: Tensor = stack.transpose(1, 2) if tall else stack
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(torch.bfloat16)
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.transpose(1, 2) if tall else x
