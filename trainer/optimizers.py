"""Optimizers and their parameter groups, the same in each backend: weight decay on matrices only.

AdamW is Loshchilov & Hutter 2019 (decay apart from the gradient); SGD is plain, without momentum, for proofs: it shows a wrong
scale of the gradient, which Adam hides.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from trainer.config import Optimizer
from trainer.models.naming import is_decayed

StateRole = Literal["exp_avg", "exp_avg_sq", "step"]


def groups(named: Iterable[tuple[str, nn.Parameter]]) -> list[dict[str, Any]]:
    """Two groups, in the order of `named` (canonical names): with weight decay and without; `decayed` tells which."""
    parameters = list(named)
    return [
        {"params": [parameter for name, parameter in parameters if is_decayed(name) == decayed], "decayed": decayed}
        for decayed in (True, False)
    ]


def build(config: Optimizer, named: Iterable[tuple[str, nn.Parameter]]) -> torch.optim.Optimizer:
    """The optimizer, with its state in place from the start, so that it can be saved and loaded at any step."""
    parameters = list(named)
    if config.name == "sgd":
        return torch.optim.SGD(groups(parameters), lr=config.lr, weight_decay=config.weight_decay)
    optimizer = torch.optim.AdamW(
        groups(parameters),
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=True,
    )
    for _, parameter in parameters:
        optimizer.state[parameter] = {
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimizer


def set_knobs(optimizer: torch.optim.Optimizer, lr: float, weight_decay: float) -> None:
    """The learning rate and decay of the next update."""
    for group in optimizer.param_groups:
        group["lr"] = lr
        group["weight_decay"] = weight_decay if group["decayed"] else 0.0


def state_of(optimizer: torch.optim.Optimizer, parameter: nn.Parameter) -> dict[StateRole, Tensor]:
    """The state tensors of a parameter by role: `exp_avg`, `exp_avg_sq` of its shape and `step` of shape (); none for SGD."""
    state: dict[str, Tensor] = optimizer.state.get(parameter, {})
    roles: tuple[StateRole, ...] = ("exp_avg", "exp_avg_sq", "step")
    return {role: state[role] for role in roles if role in state}
