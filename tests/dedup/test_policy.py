"""Keep policies: the class of a document orders it as the policy says, and 0 is left to an index."""

from __future__ import annotations

import random
from datetime import datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.policy import CLASSES, Policy
from tests.dedup.runs import Page, batch_of


def classes(policy: Policy, pages: list[Page]) -> list[int]:
    found = policy.classes(batch_of(pages))
    assert found.dtype == "uint16" and (found >= 1).all()
    return [int(each) for each in found]


def test_first_has_one_class_for_all() -> None:
    assert len(set(classes(Policy(), [Page("a"), Page("b" * 500, date="2024-01-01T00:00:00Z", score=3.0)]))) == 1


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=20))
def test_longer_is_better(lengths: list[int]) -> None:
    found = classes(Policy("longest"), [Page("é" * length) for length in lengths])
    pairs = sorted(zip(lengths, found, strict=True))
    for (shorter, one), (longer, other) in zip(pairs, pairs[1:], strict=False):
        assert one >= other
        if longer > 1.001 * shorter + 1:
            assert one > other


def test_characters_count_and_not_bytes() -> None:
    one, other = classes(Policy("longest"), [Page("語" * 100), Page("a" * 200)])
    assert other < one


DATES = st.datetimes(datetime(1990, 1, 2), datetime(2030, 1, 1))


@given(st.lists(DATES, min_size=2, max_size=12))
def test_newer_is_better(dates: list[datetime]) -> None:
    pages = [Page("a", date=f"{date.isoformat()[:19]}Z") for date in dates]
    pairs = sorted(zip((page.date for page in pages), classes(Policy("newest"), pages), strict=True))
    for (earlier, one), (later, other) in zip(pairs, pairs[1:], strict=False):
        assert one >= other
        if earlier[:8] != later[:8] and later[8:10] > "01":  # more than a day between them
            assert one > other


def test_dates_that_are_none_are_the_oldest() -> None:
    dates = ["", "yesterday", "2024", "0000-00-00T00:00:00Z", "1990-01-01T00:00:00Z", "2024-05-06T07:08:09Z"]
    found = classes(Policy("newest"), [Page("a", date=date) for date in dates])
    assert len(set(found[:5])) == 1 and found[5] < found[0]


def test_a_date_of_another_form_of_rfc_3339_counts() -> None:
    dates = ["2024-05-06T07:08:09Z", "2024-05-06T07:08:09.123456Z", "2024-05-06T07:08:09+00:00", "2020-05-06T07:08:09Z"]
    found = classes(Policy("newest"), [Page("a", date=date) for date in dates])
    assert found[0] == found[1] == found[2] < found[3]


@given(st.lists(st.floats(width=32), min_size=2, max_size=20))
def test_a_higher_value_is_better(values: list[float]) -> None:
    numbers = [value for value in values if value == value]
    found = classes(Policy("", "score"), [Page("a", score=value) for value in numbers])
    pairs = sorted(zip(numbers, found, strict=True))
    for (lower, one), (higher, other) in zip(pairs, pairs[1:], strict=False):
        assert one >= other
        if higher - lower > 0.02 * max(abs(lower), abs(higher)) and abs(higher - lower) > 1e-30:
            assert one > other


def test_no_value_is_the_worst() -> None:
    pages = [Page("a", score=score) for score in (None, float("nan"), float("-inf"), -3.5, 0.0, 0.5, float("inf"))]
    found = classes(Policy("", "score"), pages)
    assert found[0] == found[1] and found == sorted(found, reverse=True) and len(set(found)) == 6


def test_sources_come_before_all_else() -> None:
    policy = Policy("longest", "", ("wiki", "books"))
    pages = [
        Page("a" * 9000, source="web"),
        Page("a", source="books"),
        Page("a" * 99, source="books"),
        Page("", source="wiki"),
    ]
    found = classes(policy, pages)
    assert found == sorted(found, reverse=True) and len(set(found)) == 4


@given(st.integers(0, 1000), st.sampled_from(["first", "longest", "newest"]), st.integers(0, 2**16))
def test_classes_stay_within_their_bits_and_sources_apart(sources: int, keep: str, seed: int) -> None:
    names = tuple(f"s{number}" for number in range(sources))
    draw = random.Random(seed)
    dates = ["", "2024-05-06T07:08:09Z", "1960-05-06T07:08:09Z", "9999-05-06T07:08:09Z"]
    pages = [
        Page("a" * draw.choice([0, 1, 70_000]), source=draw.choice([*names[-2:], "other"]), date=draw.choice(dates))
        for _ in range(8)
    ]
    found = Policy(keep, "", names).classes(batch_of(pages)).tolist()
    assert all(1 <= each <= CLASSES for each in found)
    order = {name: place for place, name in enumerate(names)}
    ranked = sorted(zip((order.get(page.source, sources) for page in pages), found, strict=True))
    assert ranked == sorted(ranked, key=lambda pair: pair[1])


def test_no_documents() -> None:
    for policy in (Policy(), Policy("longest"), Policy("newest"), Policy("", "score"), Policy("first", "", ("a",))):
        assert policy.classes(batch_of([])).tolist() == []


def test_a_column_of_nothing_but_nulls() -> None:
    batch = batch_of([Page("a"), Page("b")])
    assert pa.types.is_float64(batch.column("measure:score").type)
    assert len(set(Policy("", "score").classes(batch).tolist())) == 1
