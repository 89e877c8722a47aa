"""The kernels against plain Python, which knows n-grams as tuples of strings."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from curation.decontaminate import Decontaminate
from curation.decontaminate.kernels import modules, runs, units
from curation.decontaminate.units import unit_strings
from curation.run.documents import CONTAMINATION
from tests.decontaminate.composed import batch, write_set

WORDS = st.sampled_from(["a", "b", "cc", "Ünder", "don't", "1,5", "光", "合作", "ไทย", "x光y", "(c)", "…"])
TEXTS = st.lists(WORDS, max_size=14).map(" ".join)


def slow(
    items: list[str], document: str, ngram: int, shortest: int, min_covered: float
) -> dict[int, tuple[int, float]]:
    """For each item that the document has: distinct n-grams, and the share of its covered units."""
    words = unit_strings(document, True)
    have = {tuple(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + ngram, len(words)) + 1)}
    found = {}
    for number, item in enumerate(items):
        own = unit_strings(item, True)
        narrow = sum(ord(unit[0]) > 0xE00 for unit in own)
        if not own or len(own) - narrow / 2 < shortest:
            continue
        size = min(ngram, len(own))
        places = [i for i in range(len(own) - size + 1) if tuple(own[i : i + size]) in have]
        share = len({i + k for i in places for k in range(size)}) / len(own)
        if places and share >= min_covered:
            found[number] = (len({tuple(own[i : i + size]) for i in places}), share)
    return found


@settings(max_examples=150)
@given(
    items=st.lists(TEXTS, min_size=1, max_size=5),
    documents=st.lists(TEXTS, min_size=1, max_size=4),
    ngram=st.integers(2, 5),
    shortest=st.integers(1, 2),
    min_covered=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_matching_equals_plain_python(
    items: list[str], documents: list[str], ngram: int, shortest: int, min_covered: float
) -> None:
    texts = [*documents, " ".join([*documents, *items[:1]])]
    with tempfile.TemporaryDirectory() as folder:
        path = write_set(Path(folder) / "set.jsonl", {str(number): text or " " for number, text in enumerate(items)})
        step = Decontaminate(
            sets=(path,), action="record", ngram=ngram, shortest=shortest, min_distinct=1, ignore_common=0,
            min_covered=min_covered,
        )  # fmt: skip
        rows = step(batch(*texts)).column(CONTAMINATION).to_pylist()
    for text, row in zip(texts, rows, strict=True):
        expected = slow(items, text, ngram, shortest, min_covered)
        assert {int(hit["item"]): hit["ngrams"] for hit in row} == {n: count for n, (count, _) in expected.items()}
        for hit in row:
            assert abs(hit["covered"] - expected[int(hit["item"])][1]) < 1e-6


def test_warming_up_compiles_what_work_needs(tmp_path: Path) -> None:
    for module in modules():
        module.warm_up()
    step = Decontaminate(
        sets=(write_set(tmp_path / "set.jsonl", {"a": "one two three four five six"}),), action="record"
    )
    step(batch("one two three four five six"))
    assert [len(entry.signatures) for entry in (units.hash_units, runs.find_runs, runs.hash_runs)] == [1, 1, 1]


def test_time_is_linear_and_memory_bounded_on_hostile_text(tmp_path: Path) -> None:
    """A document that is one short item over and over, with many items that begin alike: every run is a hit."""
    items = {str(n): f"which of the following is {json.dumps(n)} {'abcdefghij'[n % 10]}" for n in range(500)}
    step = Decontaminate(sets=(write_set(tmp_path / "set.jsonl", items),), action="cut", ignore_common=0)
    [row] = step(batch("which of the following is 3 d " * 50_000)).to_pylist()
    assert row["reason"] == "nothing_left"
    assert len(row[CONTAMINATION]) == 50  # figures make no difference, and ten letters come again
