"""Learning-rate schedules: pure functions of the step, no state, so that a resume has nothing to restore.

A schedule gives a factor in [0, 1]. Warm-up over `w` steps is linear, from 1/w at step 0 to 1 at step w − 1, and multiplies any
of them. After it, with x = (step − w) / (steps − w) from 0 to 1 and the floor m:

    constant   1
    linear     1 − (1 − m) x
    cosine     m + (1 − m)(1 + cos πx) / 2                              (Loshchilov & Hutter 2017)
    wsd        1 until `steps − decay`, then m + (1 − m)(1 − √y), with y from 0 to 1 over the decay    (Hägele et al. 2024)

Lengthening a cosine changes its past; wsd's it does not. After `steps` the factor stays where it ended.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from trainer.config import Schedule


def factor(schedule: Schedule, step: int) -> float:
    """What the configured learning rate is multiplied with at `step`, the number of updates tried before it."""
    warm = min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else 1.0
    return warm * SHAPES[schedule.name](schedule, step)


def _constant(schedule: Schedule, step: int) -> float:
    return 1.0


def _linear(schedule: Schedule, step: int) -> float:
    return 1.0 - (1.0 - schedule.floor) * _share(step, schedule.warmup, schedule.steps)


def _cosine(schedule: Schedule, step: int) -> float:
    x = _share(step, schedule.warmup, schedule.steps)
    return schedule.floor + (1.0 - schedule.floor) * (1.0 + math.cos(math.pi * x)) / 2.0


def _wsd(schedule: Schedule, step: int) -> float:
    y = _share(step, schedule.steps - schedule.decay, schedule.steps) if schedule.decay else 0.0
    return schedule.floor + (1.0 - schedule.floor) * (1.0 - math.sqrt(y))


def _share(step: int, start: int, end: int) -> float:
    """How far `step` has come from `start` to `end`, in [0, 1]."""
    return min(max((step - start) / max(end - start, 1), 0.0), 1.0)


SHAPES: dict[str, Callable[[Schedule, int], float]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "wsd": _wsd,
}
