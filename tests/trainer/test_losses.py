"""Sums of losses against plain Python over tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.backends.toy_batches import SOURCES, joined, toy_batch
from trainer.losses import by_source, by_span, objective


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 4), length=st.integers(1, 40))
def test_sums_are_those_of_a_loop(seed: int, rows: int, length: int) -> None:
    batch = toy_batch(seed, rows, length)
    nll = np.random.default_rng(seed).random((rows, length), dtype=np.float32)
    spans = by_span(nll, batch.weights_BS, batch.spans)
    sources = by_source(spans, batch.spans, len(SOURCES))
    expected_spans, expected_sources = np.zeros((len(batch.spans), 2)), np.zeros((len(SOURCES), 2))
    for row in range(rows):
        for position in range(length):
            span = batch.segments_BS[row, position]
            weight = float(batch.weights_BS[row, position])
            for table, at in ((expected_spans, span), (expected_sources, batch.spans["source"][span])):
                table[at] += (float(nll[row, position]) * weight, weight)
    np.testing.assert_allclose(spans, expected_spans, rtol=1e-12)
    np.testing.assert_allclose(sources, expected_sources, rtol=1e-12)


def test_spans_need_not_cover_the_rows_nor_come_in_order() -> None:
    batch = toy_batch(4, rows=2, length=32)
    order = np.random.default_rng(1).permutation(len(batch.spans))[:3]
    nll = np.random.default_rng(2).random((2, 32), dtype=np.float32)
    whole = by_span(nll, batch.weights_BS, batch.spans)
    assert np.array_equal(by_span(nll, batch.weights_BS, batch.spans[order]), whole[order])


def test_empty_spans_and_no_spans_sum_to_nothing() -> None:
    batch = toy_batch(4, rows=1, length=8)
    spans = np.array([(0, 0, 0, 0, 3, 0), (0, 0, 0, 0, 8, 0)], batch.spans.dtype)
    assert by_span(np.ones((1, 8), np.float32), np.ones((1, 8), np.float32), spans).tolist() == [[0, 0], [0, 0]]
    assert by_span(np.ones((1, 8), np.float32), np.ones((1, 8), np.float32), spans[:0]).shape == (0, 2)
    assert by_source(np.zeros((0, 2)), spans[:0], 3).tolist() == [[0, 0]] * 3


def test_a_bad_loss_spoils_its_own_document_only_and_a_masked_one_none() -> None:
    batch = toy_batch(4, rows=2, length=32)
    weights, nll = np.ones((2, 32), np.float32), np.ones((2, 32), np.float32)
    nll[0, 0], nll[1, 0], weights[1, 0] = np.nan, np.nan, 0
    sums = by_span(nll, weights, batch.spans)
    assert [bool(np.isnan(total)) for total, _ in sums] == [True] + [False] * (len(sums) - 1)


def test_parts_of_the_objective_add_up_however_the_step_is_cut() -> None:
    batches = [toy_batch(seed) for seed in range(4)]
    nlls = [torch.rand((2, 32), generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    trained = int(sum(batch.weights_BS.sum() for batch in batches))
    parts = [objective(nll, torch.tensor(batch.weights_BS), trained) for nll, batch in zip(nlls, batches)]
    whole = objective(torch.cat(nlls), torch.tensor(joined(batches).weights_BS), trained)
    assert math.fsum(map(float, parts)) == pytest.approx(float(whole), rel=1e-6)
    means = [float((nll * w).sum() / w.sum()) for nll, w in zip(nlls, (torch.tensor(b.weights_BS) for b in batches))]
    assert abs(sum(means) / 4 - float(whole)) > 1e-4  # the toy data tell a mean of means apart


def test_a_step_without_trained_tokens_has_no_loss() -> None:
    assert float(objective(torch.ones(2, 3), torch.zeros(2, 3), 0)) == 0.0
