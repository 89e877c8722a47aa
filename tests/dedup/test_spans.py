r"""Spans: the units of a text, the hashes of runs of units, which occurrences go, and the texts that are left.

Oracles: datatrove 0.10.1, pipeline/dedup/sentence_dedup.py, for sentences, run as one file; Python's own string methods and
plain loops, written here, for everything else.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curation.dedup.cut_spans import CUTS, CutSpans
from curation.dedup.repeated_spans import (
    Cuts,
    Told,
    chosen,
    decide,
    distinct,
    in_partitions,
    pack_cuts,
    pack_told,
    unpack_cuts,
    unpack_told,
)
from curation.dedup.spans import Hashes, SpanRule, find_units, hash_spans, hashes_of, line_form, unit_strings
from curation.run.documents import DOC_ID, FATE, REASON, ROW, TEXT, THRESHOLD, VALUE
from curation.text.columns import batch_of
from curation.text.normalize import normalized
from curation.text.punctuation import PUNCTUATION
from curation.text.segmentation import Text

ALPHABET = "ab cA1.5,!\n\n\t—é\u0301ΑΣςİＡ１가\u00a0\u0345 (?\u2028"
TEXTS = st.lists(st.text(ALPHABET, max_size=60), max_size=5)
UNITS = ["sentences", "lines", "paragraphs"]


def units_of(texts: list[str], unit: str) -> list[list[str]]:
    batch = batch_of(texts)
    units = find_units(batch, unit)
    return [unit_strings(batch, units, document) for document in range(len(texts))]


def spans_of(texts: list[str], rule: SpanRule) -> list[list[int]]:
    """The hashes of each document's spans."""
    batch = batch_of(texts)
    hashes, offsets = hash_spans(batch, find_units(batch, rule.unit), rule)
    return [hashes[offsets[d] : offsets[d + 1]].tolist() for d in range(len(texts))]


@given(TEXTS)
def test_units_cover_the_text_and_are_cut_as_python_cuts(texts: list[str]) -> None:
    """Sentences as the reference segmentation has them, lines behind each newline, paragraphs behind two or more."""
    expected = {
        "sentences": [Text(text).sentences if text else [] for text in texts],
        "lines": [re.findall(r"[^\n]*\n|[^\n]+", text) for text in texts],
        "paragraphs": [re.findall(r"(?s).*?\n{2,}|.+", text) for text in texts],
    }
    for unit, units in expected.items():
        assert units_of(texts, unit) == units
        assert ["".join(parts) for parts in units] == texts


@given(TEXTS, st.sampled_from(UNITS), st.integers(1, 3), st.sampled_from([0, 0, 2, 6]))
@settings(max_examples=300)
def test_hashes_are_those_of_the_units_in_their_normal_form(
    texts: list[str], unit: str, run: int, min_characters: int
) -> None:
    rule = SpanRule(unit=unit, run=run, min_characters=min_characters)  # type: ignore[arg-type]
    form = normalized if unit == "sentences" else line_form
    for text, hashes in zip(texts, spans_of(texts, rule), strict=True):
        units = units_of([text], unit)[0]
        if units and not units[-1].strip():
            units.pop()
        forms = [form(part) for part in units]
        spans = [" ".join(forms[first : first + run]) for first in range(len(forms) - run + 1)]
        counted = [bool(span.strip()) and len(span) >= min_characters for span in spans]
        assert hashes == [
            xxhash.xxh64_intdigest(span) if counts else 0 for span, counts in zip(spans, counted, strict=True)
        ]
        assert hashes == hashes_of(units_of([text], unit)[0], rule)


@given(st.text(ALPHABET + "()[]„”\x07\x85", max_size=40))
def test_the_form_of_lines_is_lower_case_with_digits_as_0_and_neither_punctuation_nor_accents(string: str) -> None:
    form = line_form(string)
    assert form == " ".join(form.split()) == line_form(form)
    assert form == unicodedata.normalize("NFD", form.lower())
    assert not any(c in PUNCTUATION or unicodedata.category(c) == "Mn" for c in form)
    assert not any(unicodedata.category(c) == "Nd" and c != "0" for c in form)


def test_lines_that_differ_in_what_the_form_leaves_out_are_one_span() -> None:
    lines = ["Page 12 of 30:\n", "page 34 OF 99", "Pàge  07 of 11 !", "Page 7 of 30", "—\n", "\n"]
    hashes = spans_of(["".join(lines[:1]), *lines[1:]], SpanRule(unit="lines"))
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]
    assert hashes[4:] == [[0], []]


def test_a_text_of_hostile_size_is_hashed_in_one_piece() -> None:
    text = "x" * 3_000_000 + ". " + "Σ" * 100_000
    assert len(spans_of([text], SpanRule(unit="sentences"))[0]) == 2


def slow_choice(documents: list[list[int]], rule: SpanRule) -> set[tuple[int, int]]:
    """(document, span) of all that go, from the definition."""
    places: dict[int, list[tuple[int, int]]] = {}
    for document, hashes in enumerate(documents):
        for span, value in enumerate(hashes):
            if value:
                places.setdefault(value, []).append((document, span))
    goes = set()
    for found in places.values():
        if len(found) > 1 and len({document for document, _ in found}) >= rule.documents:
            goes |= set(found[1:] if rule.keep == "first" else found)
    return goes


def flat(documents: list[list[int]]) -> Hashes:
    offsets = np.concatenate([[0], np.cumsum([len(hashes) for hashes in documents])]).astype(np.int64)
    return Hashes(np.array([value for hashes in documents for value in hashes], np.uint64), offsets)


def chosen_by_splits(splits: list[list[list[int]]], rule: SpanRule, partitions: int) -> set[tuple[int, int]]:
    """What goes, decided as a run does: split by split, through blobs and sections."""
    told = [(split, distinct(flat(documents), rule)) for split, documents in enumerate(splits)]
    decided: list[list[Cuts]] = [[] for _ in splits]
    for partition in range(partitions):
        parts = []
        for split, (hashes, weights) in told:
            cut = in_partitions(hashes, partitions)
            here = slice(cut[partition], cut[partition + 1])
            group, back = unpack_told(pack_told(split, [(split, 0, Told(hashes[here], weights[here]))]))
            assert group == split
            parts += [(number, heard) for number, _, heard in back]
        cuts = dict(decide(parts, rule))
        for split in range(len(splits)):
            section = pack_cuts([cuts[split]]) if split in cuts else b""
            decided[split].append(unpack_cuts(section, 1)[0])
    goes, first = set(), 0
    for documents, parts_of_split in zip(splits, decided, strict=True):
        spans = flat(documents)
        cuts_of_split = Cuts(*(np.concatenate(parts) for parts in zip(*parts_of_split, strict=True)))
        for place in np.flatnonzero(chosen(spans.hashes, cuts_of_split)).tolist():
            document = int(np.searchsorted(spans.offsets, place, side="right")) - 1
            goes.add((first + document, place - int(spans.offsets[document])))
        first += len(documents)
    return goes


HASHES = st.sampled_from([0, 1, 2, 3, 1 << 62, 1 << 63, (1 << 64) - 1])


@given(
    st.lists(st.lists(st.lists(HASHES, max_size=6), max_size=4), min_size=1, max_size=4),
    st.sampled_from(["first", "none"]),
    st.integers(1, 4),
    st.integers(1, 9),
)
@settings(max_examples=300)
def test_what_goes_is_what_the_rule_says_however_documents_and_hashes_are_dealt_out(
    splits: list[list[list[int]]], keep: str, documents: int, partitions: int
) -> None:
    rule = SpanRule(unit="lines", keep=keep, documents=documents)  # type: ignore[arg-type]
    everything = [hashes for split in splits for hashes in split]
    assert chosen_by_splits(splits, rule, partitions) == slow_choice(everything, rule)


def test_a_line_of_more_documents_than_a_weight_can_tell_is_still_repeated() -> None:
    rule = SpanRule(unit="lines", keep="none", documents=65_535)
    many = [[7]] * 70_000
    assert distinct(flat(many), rule).weights.tolist() == [65_535]
    assert len(chosen_by_splits([many], rule, 1)) == 70_000
    assert not chosen_by_splits([many[:65_534]], rule, 1)


def step(texts: list[str], rules: list[SpanRule], min_words: int = 0, min_sentences: int = 0) -> pa.RecordBatch:
    """The texts behind the whole: hashed, decided on as one split, and cut."""
    tables = []
    for number, rule in enumerate(rules):
        batch = batch_of(texts)
        spans = hash_spans(batch, find_units(batch, rule.unit), rule)
        cuts = dict(decide([(0, distinct(spans, rule))], rule)).get(0, Cuts(*[np.zeros(0, np.uint64)] * 2))
        places = np.flatnonzero(chosen(spans.hashes, cuts))
        documents = np.searchsorted(spans.offsets, places, side="right") - 1
        columns = [documents, np.full(len(places), number), places - spans.offsets[documents]]
        tables.append(pa.table([pa.array(c, f.type) for c, f in zip(columns, CUTS, strict=True)], schema=CUTS))
    ids = [number.to_bytes(16, "big") for number in range(len(texts))]
    columns = [pa.array(ids, pa.binary(16)), pa.array(range(len(texts)), pa.uint32()), pa.array(texts)]
    batch = pa.RecordBatch.from_arrays(columns, names=[DOC_ID, ROW, TEXT])
    return CutSpans(rules, min_words, min_sentences, pa.concat_tables(tables).sort_by(ROW).combine_chunks())(batch)


def slow_cut(texts: list[str], rules: list[SpanRule]) -> tuple[list[str], list[Counter[str]]]:
    """The texts without their repeated units, and how many went, by plain loops."""
    gone: list[set[int]] = [set() for _ in texts]  # characters
    counts: list[Counter[str]] = [Counter() for _ in texts]
    for rule in rules:
        units = units_of(texts, rule.unit)
        goes = slow_choice([hashes_of(parts, rule) for parts in units], rule)
        for document in range(len(texts)):
            at = 0
            for number, part in enumerate(units[document]):
                if any((document, first) in goes for first in range(number - rule.run + 1, number + 1)):
                    gone[document] |= set(range(at, at + len(part)))
                    counts[document][rule.kind] += 1
                at += len(part)
    for number, (text, cut) in enumerate(zip(texts, gone, strict=True)):
        left = "".join(c for at, c in enumerate(text) if at not in cut)
        texts[number] = (left.strip() if len(text) - 1 in cut else left.lstrip()) if cut else left
    return texts, counts


RULES = st.builds(
    SpanRule,
    unit=st.sampled_from(UNITS),
    run=st.integers(1, 3),
    keep=st.sampled_from(["first", "none"]),
    documents=st.integers(1, 2),
)


@given(st.lists(st.text("ab.\n é", max_size=24), max_size=6), st.lists(RULES, min_size=1, max_size=3))
@settings(max_examples=300)
def test_texts_lose_the_units_of_all_rules_and_nothing_else(texts: list[str], rules: list[SpanRule]) -> None:
    done = step(texts, rules)
    expected, counts = slow_cut(list(texts), rules)
    assert done.column(TEXT).to_pylist() == expected
    for kind in {rule.kind for rule in rules}:
        assert done.column(f"edit:repeated.{kind}").to_pylist() == [count[kind] for count in counts]
    ended = [bool(count) and not text for text, count in zip(expected, counts, strict=True)]
    assert [fate == "removed" for fate in done.column(FATE).to_pylist()] == ended


def test_any_order_and_cut_of_a_batch_gives_the_same_texts() -> None:
    texts = [f"Menu\nOnly page {chr(97 + n)} says this.\nMenu\nFoot" for n in range(5)]
    rule = SpanRule(unit="lines", keep="none", documents=2)
    whole = step(texts, [rule])
    assert set(whole.column(TEXT).to_pylist()) == {f"Only page {chr(97 + n)} says this." for n in range(5)}
    cuts = [(row, 0, span) for row in range(5) for span in (0, 2, 3)]
    table = pa.table([pa.array(c, f.type) for c, f in zip(zip(*cuts, strict=True), CUTS, strict=True)], schema=CUTS)
    ids = pa.array([n.to_bytes(16, "big") for n in range(5)], pa.binary(16))
    batch = pa.RecordBatch.from_arrays(
        [ids, pa.array(range(5), pa.uint32()), pa.array(texts)], names=[DOC_ID, ROW, TEXT]
    )
    cutter = CutSpans([rule], 0, 0, table)
    for rows in ([3, 1], [4], [0, 1, 2, 3, 4], []):
        part = batch.take(pa.array(rows, pa.int64()))
        assert cutter(part).column(TEXT).to_pylist() == whole.column(TEXT).take(pa.array(rows, pa.int64())).to_pylist()


def test_what_is_left_too_short_is_removed_with_value_and_threshold_and_what_was_not_cut_is_not_looked_at() -> None:
    shared = "A line of the template that all have."
    texts = [
        f"{shared}\nOne two three four five six. Seven eight.",
        f"{shared}\nOne two.",
        f"{shared}\nOne two three four five six seven",
        "Short.",
    ]
    done = step(texts, [SpanRule(unit="lines", keep="none")], min_words=6, min_sentences=2)
    columns = zip(*(done.column(name).to_pylist() for name in (FATE, REASON, VALUE, THRESHOLD)), strict=True)
    assert list(columns) == [
        (None, None, None, None),
        ("removed", "too_few_words", 3.0, 6.0),
        ("removed", "too_few_sentences", 1.0, 2.0),
        (None, None, None, None),
    ]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"unit": "words"}, {"unit": "lines", "run": 0}, {"unit": "lines", "run": 17}, {"unit": "lines", "x": 1}],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SpanRule(**wrong)  # type: ignore[arg-type]


def bench_texts(shared: Path, copies: int, others: int) -> list[str]:
    """Altered copies and their originals, then other real documents."""
    texts: list[str] = []
    for name, count in (("dedup_en", copies), ("corpus_en_4000", others)):
        with gzip.open(shared / "bench" / f"{name}.jsonl.gz") as file:
            texts += [json.loads(line)["text"] for line, _ in zip(file, range(count), strict=False)]
    return texts


def test_sentences_are_removed_as_datatrove_removes_them(shared: Path, tmp_path: Path) -> None:
    """The three stages of datatrove over one file, with its default of three sentences and its least of words."""
    dedup = pytest.importorskip("datatrove.pipeline.dedup.sentence_dedup")
    from datatrove.data import Document

    texts = bench_texts(shared, 250, 250)
    config = dedup.SentDedupConfig()
    pages = [Document(text=text, id=str(number)) for number, text in enumerate(texts)]
    dedup.SentenceDedupSignature(str(tmp_path / "s"), config=config).run(iter(pages))
    dedup.SentenceFindDedups(str(tmp_path / "s"), str(tmp_path / "d"), config=config).run()
    kept = dedup.SentenceDedupFilter(str(tmp_path / "d"), config=config).run(iter(pages))
    theirs = {int(page.id): page.text for page in kept}
    done = step(texts, [SpanRule(unit="sentences", run=3)], min_words=50, min_sentences=3)
    ours = dict(zip(range(len(texts)), zip(done.column(TEXT).to_pylist(), done.column(FATE).to_pylist(), strict=True)))
    assert {number: text for number, (text, fate) in ours.items() if fate is None} == theirs
    changed = [number for number in theirs if theirs[number] != texts[number]]
    assert len(changed) > 20 and len(theirs) < len(texts) - 10


def test_spans_of_sentences_have_datatroves_hashes(shared: Path, tmp_path: Path) -> None:
    dedup = pytest.importorskip("datatrove.pipeline.dedup.sentence_dedup")
    from datatrove.data import Document

    signer = dedup.SentenceDedupSignature(str(tmp_path), config=dedup.SentDedupConfig())
    texts = bench_texts(shared, 0, 150)
    for text, hashes in zip(texts, spans_of(texts, SpanRule(unit="sentences", run=3)), strict=True):
        theirs: Iterable[tuple[int, int, int]] = signer.get_hashes(Document(text=text, id=""), 0)
        assert [(value, 0, span) for span, value in enumerate(hashes) if value] == list(theirs)
