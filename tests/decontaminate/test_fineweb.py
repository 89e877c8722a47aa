"""The way `fineweb`. Oracle: datatrove 0.10.1, `NGramsDecontIndexer.compute_hashes` and `NGramsDecontFilter`, on the same texts."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.decontaminate import Decontaminate
from curation.decontaminate.ways import Part
from curation.run.documents import REASON
from tests.decontaminate.composed import batch, write_set

Row = dict[str, Any]
PARTS: dict[tuple[bool, bool], tuple[Part, ...]] = {
    (False, True): ("overlap", "label"),
    (True, True): ("query", "overlap", "label"),
    (False, False): ("label",),
    (True, False): ("query", "label"),
}


def peer(folder: Path, rows: Sequence[Row], query: bool, overlap: bool, ngrams: int) -> Callable[[str], str | None]:
    """datatrove's word on a text: its reason, None where it keeps it. Its indexer's `run` needs a package of its own."""
    module = pytest.importorskip("datatrove.pipeline.decont.n_grams")
    from datatrove.data import Document
    from datatrove.utils.hashing import create_hash_func
    from datatrove.utils.word_tokenizers import load_word_tokenizer

    config = module.NGramsDecontConfig(n_grams=ngrams, find_query_ngrams=query, find_overlap_ngrams=overlap)
    indexer = object.__new__(module.NGramsDecontIndexer)
    indexer.config, indexer.hash_func = config, create_hash_func(config.hash_config)
    indexer.tokenizer = load_word_tokenizer("en")
    hashes = {value for row in rows for value in indexer.compute_hashes(row["text"], row.get("query"))}
    np.array(sorted(hashes), config.hash_config.np_descr).tofile(folder / "task.index.hashes")
    judge = module.NGramsDecontFilter(str(folder), config, language="en")

    def decide(text: str) -> str | None:
        outcome = judge.filter(Document(text=text, id=""))
        return outcome[1] if isinstance(outcome, tuple) else None

    return decide


def documents(shared: Path, rows: Sequence[Row], count: int) -> list[str]:
    """Real documents, every third with a part of an item set into it."""
    draw = random.Random(3)
    with gzip.open(shared / "bench/corpus_en_4000.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    texts = [text for text in draw.sample(texts, 2 * count) if len(text) < 6_000][:count]
    for number in range(0, len(texts), 3):
        row = draw.choice(rows)
        words = f"{row.get('query', '')} {row['text']}".split()
        first = draw.randrange(max(1, len(words) - 8))
        place = draw.randrange(len(texts[number]) + 1)
        part = " ".join(words[first : first + draw.randrange(8, 24)])
        texts[number] = f"{texts[number][:place]} {part} {texts[number][place:]}"
    return texts


@pytest.mark.parametrize(("query", "overlap"), PARTS)
def test_decisions_equal_datatroves_on_real_documents(shared: Path, tmp_path: Path, query: bool, overlap: bool) -> None:
    rows: list[Row] = []
    for name in ("gsm8k-test", "arc-challenge", "mmlu-test-part", "humaneval"):
        with gzip.open(shared / f"data/eval/{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            items = [json.loads(line)["text"] for line in lines][:150]
        split = [text.partition("\n") for text in items]
        rows += [{"query": question, "text": answer or " x"} for question, _, answer in split]
    texts = documents(shared, rows, 360)
    decide = peer(tmp_path, rows, query, overlap, 12)
    step = Decontaminate(sets=(write_set(tmp_path / "task.jsonl", rows),), way="fineweb", parts=PARTS[query, overlap])
    expected = [decide(text) for text in texts]
    assert step(batch(*texts)).column(REASON).to_pylist() == expected
    assert expected.count("contaminated") > (40 if query else 10)


WORDS = st.lists(st.sampled_from(["a", "b", "C", "d.", "1,000", "é"]), max_size=9).map(" ".join)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.none() | WORDS, WORDS), min_size=1, max_size=3), st.lists(WORDS, min_size=1, max_size=5))
def test_decisions_equal_datatroves_on_short_texts(
    tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str | None, str]], texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("peer")
    rows = [{"query": query, "text": text} for query, text in items if text]
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows] or [{"text": "a"}]
    decide = peer(folder, rows, False, True, 3)
    keys = {"ngram": 3, "shortest": 3}
    step = Decontaminate(sets=(write_set(folder / "task.jsonl", rows),), way="fineweb", **keys)  # type: ignore[arg-type]
    assert step(batch(*texts)).column(REASON).to_pylist() == [decide(text) for text in texts]
