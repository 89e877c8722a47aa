"""Bands and rows. Oracle of datasketch's choice: datasketch's own function."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.dedup.banding import (
    MOST_BANDS,
    Banding,
    choose_banding,
    datasketch_choice,
    finer,
    s_curve,
)


@pytest.mark.parametrize(
    ("rows", "bands", "found"), [(5, 12, 0.9915), (6, 16, 0.9923), (7, 20, 0.9910), (8, 26, 0.9916)]
)
def test_fewest_bands_for_a_target_of_four_fifths(rows: int, bands: int, found: float) -> None:
    chosen = choose_banding(0.8, rows=rows)
    assert chosen == Banding(bands, rows)
    assert chosen.probability(0.8) == pytest.approx(found, abs=5e-5)


def test_what_is_known_of_published_bandings() -> None:
    assert Banding(14, 8).probability(0.8) == pytest.approx(0.9235, abs=5e-5)
    assert Banding(14, 8).probability(0.5) == pytest.approx(0.053, abs=5e-4)
    assert Banding(16, 6).probability(0.5) == pytest.approx(0.22, abs=5e-3)


@given(st.floats(0.3, 0.99), st.floats(0.5, 0.999), st.integers(1, 10))
def test_a_chosen_banding_finds_enough_and_one_band_fewer_does_not(target: float, found: float, rows: int) -> None:
    try:
        chosen = choose_banding(target, found, rows)
    except UserError:
        assert Banding(MOST_BANDS, rows).probability(target) < found
        return
    assert chosen.probability(target) >= found
    assert chosen.bands == 1 or Banding(chosen.bands - 1, rows).probability(target) < found


def test_too_many_bands_name_fewer_rows_that_do() -> None:
    with pytest.raises(UserError, match=r"more than 256 bands. Take `rows: 5` or fewer") as told:
        choose_banding(0.5, rows=20)
    assert "\n" not in str(told.value)
    assert choose_banding(0.5, rows=5).bands <= MOST_BANDS
    with pytest.raises(UserError, match="Take a higher target"):
        choose_banding(0.001)


@pytest.mark.parametrize("given", [(0, 0.99, 6), (1, 0.99, 6), (0.8, 1, 6), (0.8, 0.99, 0)])
def test_numbers_out_of_range(given: tuple[float, float, int]) -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        choose_banding(*given)


def test_a_later_round_has_fewer_rows_and_uses_all_values() -> None:
    assert finer(Banding(16, 6), 112) == Banding(28, 4)
    assert finer(Banding(12, 3), 112) == Banding(56, 2)
    assert finer(Banding(40, 2), 112) == Banding(56, 2)
    assert finer(Banding(100, 1), 112) == Banding(112, 1)  # never fewer bands than before


@pytest.mark.parametrize(("target", "values"), [(0.8, 112), (0.8, 128), (0.7, 128), (0.9, 128), (0.5, 64), (0.35, 100)])
def test_datasketchs_choice_is_datasketchs(target: float, values: int) -> None:
    lsh = pytest.importorskip("datasketch.lsh")
    bands, rows = lsh._optimal_param(target, values, 0.5, 0.5)
    assert datasketch_choice(target, values) == Banding(bands, rows)


def test_the_choices_that_redpajama_published() -> None:
    """It took datasketch's choice for 128 values; see its data set card, `minhash_signature_…`."""
    assert [datasketch_choice(target) for target in (0.7, 0.8, 0.9)] == [Banding(14, 9), Banding(9, 13), Banding(5, 25)]


def test_the_curve_has_the_target_and_rises() -> None:
    curve = s_curve(Banding(16, 6), 0.83)
    similarities = [row.similarity for row in curve]
    assert similarities == sorted({*(number / 100 for number in range(30, 101, 5)), 0.83})
    assert [row.ours for row in curve] == sorted(row.ours for row in curve)
    at = next(row for row in curve if row.similarity == 0.83)
    assert at.ours == Banding(16, 6).probability(0.83)
    assert at.datasketch == datasketch_choice(0.83, 96).probability(0.83)
    with_more = s_curve(Banding(16, 6), 0.8, 128)
    assert [row.datasketch for row in with_more] == [Banding(9, 13).probability(row.similarity) for row in with_more]
    assert curve[-1] == (1, 1, 1)
