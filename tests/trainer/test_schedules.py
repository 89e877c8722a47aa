"""Schedules against tables worked out by hand from the formulas."""

from __future__ import annotations

import math

import pytest

from trainer.config import Schedule
from trainer.schedules import factor

HALF = math.sqrt(0.5)


def schedule(name: str, **changes: object) -> Schedule:
    return Schedule.model_validate({"name": name, "steps": 104, "warmup": 4, "floor": 0.2, **changes})


@pytest.mark.parametrize("name", ["constant", "linear", "cosine", "wsd"])
def test_warm_up_is_linear_from_its_first_step(name: str) -> None:
    assert [factor(schedule(name), step) for step in range(4)] == pytest.approx([0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize(
    ("name", "changes", "table"),
    [
        ("constant", {}, {4: 1.0, 54: 1.0, 104: 1.0, 999: 1.0}),
        ("linear", {}, {4: 1.0, 29: 0.8, 54: 0.6, 104: 0.2, 999: 0.2}),
        ("cosine", {}, {4: 1.0, 29: 0.2 + 0.4 * (1 + HALF), 54: 0.6, 104: 0.2, 999: 0.2}),
        ("wsd", {"decay": 40}, {4: 1.0, 64: 1.0, 74: 0.6, 84: 1 - 0.8 * HALF, 104: 0.2, 999: 0.2}),
        ("wsd", {"decay": 0}, {4: 1.0, 103: 1.0, 999: 1.0}),
        ("linear", {"warmup": 0, "floor": 0.0}, {0: 1.0, 26: 0.75, 104: 0.0}),
    ],
)
def test_tables(name: str, changes: dict[str, object], table: dict[int, float]) -> None:
    asked = schedule(name, **changes)
    assert {step: factor(asked, step) for step in table} == pytest.approx(table)


def test_lengthening_wsd_does_not_change_its_past_and_lengthening_a_cosine_does() -> None:
    for name, same in (("wsd", True), ("cosine", False)):
        short, long = schedule(name, decay=20), schedule(name, decay=20, steps=204)
        past = range(84)
        assert ([factor(short, step) for step in past] == [factor(long, step) for step in past]) is same


@pytest.mark.parametrize("name", ["constant", "linear", "cosine", "wsd"])
@pytest.mark.parametrize("changes", [{"steps": 1, "warmup": 10}, {"steps": 5, "warmup": 5, "decay": 50}])
def test_factors_stay_in_bounds_for_odd_lengths(name: str, changes: dict[str, object]) -> None:
    assert all(0.0 <= factor(schedule(name, **changes), step) <= 1.0 for step in range(60))
