"""`trace` of thousands of tokens at once: the decoded token stands at that place in the text that it is traced to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tokenizers import Encoding, Tokenizer

from connectors.errors import UserError
from connectors.megatron import ShardReader
from curation.audit.find import trace
from curation.audit.story import Ledger
from curation.audit.tokens import FIRST_TOKEN, documents_at, documents_numbered, records_of, texts_of
from tests.pipeline import ledger_of

TOKENS = 10_000


@pytest.fixture(scope="module")
def ledger(light_run: Path) -> Ledger:
    return Ledger(str(light_run))


def drawn(ledger: Ledger, count: int) -> Iterator[tuple[str, list[int]]]:
    """Random tokens of a run, by shard."""
    draw = random.Random(11)
    shards = [row for row in ledger.shards.values() if row["tokens"]]
    chosen = draw.choices(shards, [row["tokens"] for row in shards], k=count)
    for row in shards:
        yield row["shard"], [draw.randrange(row["tokens"]) for _ in range(chosen.count(row))]


def test_the_words_of_ten_thousand_tokens_stand_where_they_are_traced_to(light_run: Path, ledger: Ledger) -> None:
    """Oracle: `tokenizers`, which says of each token of a text from where to where it goes."""
    tokenizer = Tokenizer.from_file(str(light_run / "tokenizer.json"))
    encoded: dict[bytes, Encoding] = {}
    seen = ends = words = 0
    for shard, tokens in drawn(ledger, TOKENS):
        documents = documents_at(ledger, shard, tokens)
        reader = ShardReader(light_run / "shards" / shard)
        ids = reader.range(0, reader.tokens)[tokens].tolist()
        for token, number, row, text in zip(tokens, ids, documents.to_pylist(), texts_of(ledger, documents)):
            seen += 1
            if token == row[FIRST_TOKEN] + row["tokens"] - 1:
                assert tokenizer.id_to_token(number) == "<|endoftext|>"
                ends += 1
                continue
            if row["doc_id"] not in encoded:
                encoded[row["doc_id"]] = tokenizer.encode(text, add_special_tokens=False)
            of_text, place = encoded[row["doc_id"]], token - row[FIRST_TOKEN]
            assert of_text.ids[place] == number and len(of_text.ids) == row["tokens"] - 1
            word = tokenizer.decode([number])
            if "\ufffd" not in word:  # a part of a letter of several bytes
                start, stop = of_text.offsets[place]
                assert text[start:stop].strip() == word.strip()
                words += 1
    assert seen == TOKENS and ends < TOKENS / 100 and words > TOKENS * 0.9


def test_many_at_once_say_what_one_by_one_say(light_run: Path, ledger: Ledger) -> None:
    for shard, tokens in list(drawn(ledger, 60)):
        documents = documents_at(ledger, shard, tokens)
        records = records_of(ledger, documents, ["url", "archive", "offset"]).to_pylist()
        texts = texts_of(ledger, documents)
        for token, row, record, text in zip(tokens[:3], documents.to_pylist(), records, texts):
            story = trace(str(light_run), shard, token)
            assert story.doc_id == row["doc_id"].hex() and story.tokens["first_token"] == row[FIRST_TOKEN]
            assert {name: story.record[name] for name in record} == record
            assert (story.fate["shard"], story.fate["position"]) == (shard, row[FIRST_TOKEN]) and text


def test_a_story_has_all_that_the_ledger_has(run: Path) -> None:
    """Oracle: the ledger's tables, read whole."""
    fates, urls = ledger_of.fates(run), ledger_of.urls(run)
    measures = {row["doc_id"]: row for row in ledger_of.table(run, "measures").to_pylist()}
    edits: dict[bytes, list[tuple[str, str, int]]] = {}
    for row in ledger_of.table(run, "edits").to_pylist():
        edits.setdefault(row["doc_id"], []).append((row["step"], row["kind"], row["count"]))
    edited = 0
    for shard, tokens in drawn(Ledger(str(run)), 40):
        for token in tokens[:4]:
            story = trace(str(run), shard, token)
            doc_id = bytes.fromhex(story.doc_id)
            assert story.fate == fates[doc_id] and story.record["url"] == urls[doc_id]
            known = {name: value for name, value in measures[doc_id].items() if value is not None}
            assert story.measures.items() <= known.items() and len(story.measures) == len(known) - 4
            assert story.language == (known["lang"], known["lang_score"])
            assert sorted(story.edits) == sorted(edits.get(doc_id, []))
            edited += bool(story.edits)
    assert edited


def test_documents_by_their_number(light_run: Path, ledger: Ledger) -> None:
    index = pq.read_table(light_run / "shards/crawl/00001.docs.parquet").to_pylist()
    numbers = np.array([len(index) - 1, 0, 0, 3])
    assert documents_numbered(ledger, "crawl/00001", numbers).to_pylist() == [index[number] for number in numbers]


def test_trace_opens_no_other_file(light_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is named by shard, split and unit: the same few files, however many the run has."""
    opened: list[str] = []
    original = Ledger.opened

    def noted(self: Ledger, path: str) -> object:
        opened.append(path)
        return original(self, path)

    monkeypatch.setattr(Ledger, "opened", noted)
    monkeypatch.setattr("connectors.storage.list_files", lambda *_: pytest.fail("a folder was searched"))
    monkeypatch.setattr("duckdb.connect", lambda *_: pytest.fail("a table was scanned"))
    story = trace(str(light_run), "crawl/00001", 5)
    assert {path.rsplit(".parquet")[0] for path in opened} == {
        "shards/crawl/00001.docs",
        *(f"ledger/{part}/{story.split}" for part in ("records", "refine", "measures", "edits", "contamination")),
        *(f"ledger/{part}{story.unit}" for part in ("finish/", "edits/finish/")),
    }


def test_mistakes(light_run: Path, ledger: Ledger) -> None:
    with pytest.raises(UserError, match="No shard 'crawl/0001' in this run. Did you mean 'crawl/00001'?"):
        trace(str(light_run), "crawl/0001", 0)
    tokens = ledger.shards["crawl/00001"]["tokens"]
    for token in (-1, tokens):
        with pytest.raises(UserError, match=f"Shard crawl/00001 has the tokens 0 to {tokens - 1}, not {token}"):
            trace(str(light_run), "crawl/00001", token)
