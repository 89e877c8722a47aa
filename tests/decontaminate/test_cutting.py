"""Spans cut out of a text, against the definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.decontaminate.cutting import SEAM, characters_at, cut_spans

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12)), min_size=1, max_size=4)


@given(st.text("ab é", max_size=70), SPANS, st.integers(0, 9), st.integers(1, 9))
def test_what_is_cut_is_gone_and_what_is_left_stood_there(
    text: str, spans: list[tuple[int, int]], window: int, min_piece: int
) -> None:
    starts = np.minimum([start for start, _ in spans], len(text)).astype(np.int64)
    stops = np.minimum([start + size for start, size in spans], len(text)).astype(np.int64)
    gone = np.zeros(len(text), bool)
    for start, stop in zip(starts, stops, strict=True):
        gone[max(0, start - window) : stop + window] = True
    cut = cut_spans(text, starts, stops, window, min_piece)
    at = 0
    for piece in cut.text.split(SEAM) if cut.text else []:
        at = text.index(piece, at)
        places = [place for place in range(at, len(text)) if text.startswith(piece, place)]
        assert any(not gone[place : place + len(piece)].any() for place in places)
        assert len(piece) >= min_piece
    assert cut.pieces <= cut.spans + 1 <= len(spans) + 1
    assert cut.characters == len(text) - len(cut.text)


def test_no_half_words_are_left_where_white_space_is_near() -> None:
    cut = cut_spans("one two three four five six", np.array([14]), np.array([18]), 2, 1)
    assert (cut.text, cut.pieces, cut.spans) == ("one two\n\nsix", 2, 1)
    long = "x" * 300
    assert cut_spans(long, np.array([140]), np.array([150]), 10, 1).text == "x" * 130 + SEAM + "x" * 140


def test_places_in_bytes_become_places_in_characters() -> None:
    content = "aé光😀b".encode()
    assert characters_at(content, np.array([0, 1, 3, 6, 10, 11])).tolist() == [0, 1, 2, 3, 4, 5]
