"""What erasure means to trainings that have begun: which of their checkpoints saw the tokens, and that they may go on.

An erasure moves no sample: a training goes on over the same tokens in the same places, those that were erased with weight 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainer.data.plan import DataPlan

Place = tuple[str, int, int]  # shard, first token, tokens
_NAME = re.compile(r"step-(\d{8,})")


def only_erased(before: dict[str, Any], plan: DataPlan) -> bool:
    """Whether the description of a checkpoint's plan is this plan's but for what was erased from its shards since."""
    if not same_places(before, plan):
        return False
    for old, row in zip(before["shards"], plan.rows_of_shards):
        if old[3] != row.idx_sha256 or old[2] not in (row.bin_sha256, *row.earlier):
            return False
    return True


def same_places(before: dict[str, Any], plan: DataPlan) -> bool:
    """Whether the samples of a checkpoint's plan are this plan's: tokens in the same places, whatever they are."""
    now = plan.description()
    places = [[row[:2] for row in description["shards"]] for description in (before, now)]
    return {**before, "shards": []} == {**now, "shards": []} and places[0] == places[1]


def first_step(plan: DataPlan, places: Iterable[Place], stop: int | None = None) -> int | None:
    """The first step before `stop` (default: the schedule's last) whose batch holds a token of these places, as an input or a
    label; None where none does.
    """
    draws = plan.draws(plan.steps if stop is None else stop).tolist()
    first: int | None = None
    for shard, token, tokens in places:
        number = next((n for n, source in enumerate(plan.sources) if shard in source.shards), None)
        if number is None or not tokens:
            continue
        start = plan.sources[number].stream_position(shard, token)
        step = _first_step(plan, number, start, start + tokens, draws[number])
        if step is not None and (first is None or step < first):
            first = step
    return first


def _first_step(plan: DataPlan, number: int, start: int, stop: int, draws: int) -> int | None:
    """Of tokens [start, stop) of a source's stream. Later epochs are asked only where an earlier one leaves them out."""
    source = plan.sources[number]
    for epoch in range(-(-draws // source.chunks)):
        drawn = source.first_draw(epoch, start, stop)
        if drawn is not None and drawn < draws:
            sample = plan.sample_number(number, drawn)
            assert sample is not None
            return plan.step_of(sample)
    return None


def checkpoints(training: Path) -> list[tuple[int, Path]]:
    """Steps and folders of the checkpoints of a training, ascending. Nothing of a checkpoint but its name is read."""
    found = [
        (int(m[1]), path) for path in (training / "checkpoints").glob("step-*") if (m := _NAME.fullmatch(path.name))
    ]
    return sorted(found)
