"""The stage `vocabulary`: which text is drawn, what is counted of it, and how well the vocabulary fits."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer

from connectors.errors import UserError
from curation.audit.fertility import fits
from curation.audit.story import Ledger
from curation.dedup.duplicates import DUPLICATES
from curation.engines.local import LocalEngine
from curation.pipeline import pre_token_counting, training_sample
from curation.pipeline.pre_token_counting import count_pre_tokens
from curation.pipeline.refine import SURVIVORS
from curation.pipeline.segments import parts
from curation.pipeline.training_sample import Sample, draw, in_tasks
from curation.pipeline.vocabulary import make_vocabulary
from curation.recipes.load import parse_recipe
from curation.recipes.model import Recipe
from curation.recipes.shards import HeldOut
from curation.recipes.vocabulary import Weights
from curation.run.documents import TEXT, document_id
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.train import train_bpe
from jobs import vocabulary as command
from tests.pipeline import prepared

FERTILITY = "ledger/vocabulary/fertility.parquet"
UNITS, DOCUMENTS = ("books/0", "web/0", "web/1"), 60
LANGUAGES = ("en", "de", None)


@pytest.fixture
def fresh(refined: tuple[RunFolder, list[Receipt]], tmp_path: Path) -> tuple[RunFolder, list[Receipt]]:
    """The same in a folder of its own: workers keep a run's tokenizer open."""
    run, receipts = refined
    return RunFolder(str(shutil.copytree(run.root, tmp_path / "run"))), receipts


def text_of(unit: str, place: int) -> str:
    words = ["the", "thee", "then", unit[:3], "abcdefg"[place % 7], "there"]
    return " ".join(words[(place + i * i) % 6] for i in range(12)) + ("\n\n" if place % 5 else "")


@pytest.fixture(scope="module")
def refined(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, list[Receipt]]:
    """Survivors of three splits; the first document of each is a duplicate."""
    run = RunFolder(str(tmp_path_factory.mktemp("refined")))
    receipts = []
    for unit in UNITS:
        texts = [text_of(unit, place) for place in range(DOCUMENTS)]
        source = unit.split("/")[0]
        columns = {
            "doc_id": [document_id("s", unit, place) for place in range(DOCUMENTS)],
            "row": range(DOCUMENTS),
            "source": [source] * DOCUMENTS,
            "lang": [LANGUAGES[place % 3] for place in range(DOCUMENTS)],
            "text": texts,
        }
        filled = {"url": "", "archive": "", "offset": 0, "date": "", "lang_score": 1.0, "meta": "{}"}
        rows = {**columns, **{name: [value] * DOCUMENTS for name, value in filled.items()}}
        batch = pa.RecordBatch.from_pydict({name: list(rows[name]) for name in SURVIVORS.names}, SURVIVORS)
        with ParquetOutput(run.uri(run.survivors(unit)), SURVIVORS) as output:
            for start in range(0, DOCUMENTS, 25):
                output.write(batch.slice(start, 25))
        gone = dict.fromkeys(DUPLICATES.names) | {
            "ordinal": 0,
            "reason": "exact",
            "kept": bytes(16),
            "elsewhere": False,
        }
        Path(run.uri(run.duplicates(unit))).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([gone], DUPLICATES), run.uri(run.duplicates(unit)))
        facts = {"survivors": DOCUMENTS, "text_bytes": sum(map(len, texts))}
        receipts.append(Receipt(unit, "p", source, DOCUMENTS, 0, {}, {}, facts, {}))
    return run, receipts


def kept(language: str | None = "all") -> list[str]:
    """All kept texts, or those of a language."""
    places = [place for place in range(1, DOCUMENTS) if language in ("all", LANGUAGES[place % 3])]
    return [text_of(unit, place) for unit in UNITS for place in places]


def drawn(sample: Sample) -> list[str]:
    batches = [pair for unit in UNITS for pair in sample.batches(unit)]
    return [t for batch, times in batches for t, n in zip(batch.column(TEXT).to_pylist(), times) for _ in range(n)]


def recipe(**tokenize: object) -> Recipe:
    return parse_recipe({"recipe": "own", "tokenize": tokenize}, "own")


def test_all_kept_text_is_drawn_where_there_is_little(
    refined: tuple[RunFolder, list[Receipt]], engine: LocalEngine
) -> None:
    run, receipts = refined
    assert drawn(draw(engine, run, receipts, 1 << 20, Weights())) == kept()


def test_weights_of_languages_and_sources(refined: tuple[RunFolder, list[Receipt]], engine: LocalEngine) -> None:
    run, receipts = refined
    none_of_de = draw(engine, run, receipts, 1 << 20, Weights(languages={"de": 0}, sources={"books": 0}))
    assert not set(drawn(none_of_de)) & {text_of("books/0", place) for place in range(DOCUMENTS)}
    assert len(drawn(none_of_de)) == 2 * (len(kept("en")) + len(kept(None))) // 3
    doubled = draw(engine, run, receipts, 1 << 20, Weights(languages={"en": 2.0}))
    assert Counter(drawn(doubled)) == Counter(kept() + kept("en"))


def test_a_weighted_sample_has_about_the_bytes_that_were_asked_for(
    refined: tuple[RunFolder, list[Receipt]], engine: LocalEngine
) -> None:
    run, receipts = refined
    total = sum(map(len, kept()))
    sample = draw(engine, run, receipts, total // 2, Weights(languages={"en": 3.0, "de": 0.5}))
    assert 0.7 * total / 2 < sum(map(len, drawn(sample))) < 1.3 * total / 2


@pytest.mark.parametrize("weights", [Weights(), Weights(languages={"en": 2.0})])
def test_what_is_held_out_teaches_no_vocabulary(
    refined: tuple[RunFolder, list[Receipt]], engine: LocalEngine, weights: Weights
) -> None:
    """The sample is the training part, as the shards of the same recipe have it. Oracle: `segments.parts`."""
    run, receipts = refined
    held_out, seed = HeldOut(validation=0.2, test=0.1), 3
    trained_on = []
    for unit in UNITS:
        survivors = pq.read_table(run.uri(run.survivors(unit))).combine_chunks().to_batches()[0]
        in_training = (parts(survivors, held_out, seed) == 0).tolist()
        for place, (row, taken) in enumerate(zip(survivors.to_pylist(), in_training, strict=True)):
            trained_on += [row["text"]] * int(taken and place > 0) * int(weights.of(row["source"], row["lang"]))
    assert 0.5 < len(trained_on) / len(drawn(draw(engine, run, receipts, 1 << 20, weights))) < 0.9
    assert drawn(draw(engine, run, receipts, 1 << 20, weights, held_out, seed)) == trained_on


def test_a_weight_of_no_source_is_one_line(refined: tuple[RunFolder, list[Receipt]], engine: LocalEngine) -> None:
    with pytest.raises(UserError, match="no input is called 'wb'. Did you mean 'web'?"):
        draw(engine, *refined, 1 << 20, Weights(sources={"wb": 2.0}))


@pytest.mark.parametrize(("partition_bytes", "task_bytes"), [(1 << 20, 1 << 20), (2_000, 10), (37, 10_000)])
def test_counts_do_not_depend_on_partitions_and_tasks(
    refined: tuple[RunFolder, list[Receipt]],
    engine: LocalEngine,
    monkeypatch: pytest.MonkeyPatch,
    partition_bytes: int,
    task_bytes: int,
) -> None:
    """The ten most frequent pre-tokens, of equals the first by bytes."""
    run, receipts = refined
    monkeypatch.setattr(pre_token_counting, "BYTES_PER_PARTITION", partition_bytes)
    monkeypatch.setattr(training_sample, "TASK_BYTES", task_bytes)
    counts = count_pre_tokens(engine, Sample(run, 1.0), in_tasks(receipts), "gpt2", 10, 4_000)
    truth = Counter(piece for text in kept() for piece in pieces(text))
    expected = sorted(truth.items(), key=lambda item: (-item[1], item[0].encode()))[:10]
    found = zip([word.decode() for word in counts.words()], counts.counts.tolist())
    assert sorted(found) == sorted(expected)
    assert counts.totals.documents == len(kept()) and counts.totals.distinct == len(truth) > 10


def pieces(text: str) -> list[str]:
    """Pre-tokens of texts of plain words."""
    words = text.removesuffix("\n\n").split(" ")
    return [words[0], *(f" {word}" for word in words[1:]), *(["\n\n"] if text.endswith("\n\n") else [])]


def test_a_vocabulary_is_that_of_its_text(
    fresh: tuple[RunFolder, list[Receipt]], engine: LocalEngine, tmp_path: Path
) -> None:
    run, receipts = fresh
    training = {"pattern": "llama3", "special": ["<|pad|>"]}
    settings = recipe(vocabulary=300, training=training)
    chosen = make_vocabulary(engine, run, "llama", settings, receipts)
    content = Path(run.uri(chosen)).read_bytes()
    assert content == train_bpe(kept(), 300, pattern="llama3", special=["<|pad|>"])
    (stage,) = run.receipts("vocabulary")
    assert stage.facts["trained_on"]["documents"] == len(kept())
    assert set(stage.outputs) == {"tokenizer.json", FERTILITY}


@pytest.mark.parametrize(
    ("model", "file"),
    [("wordpiece", "tokenizer.json"), ("unigram", "tokenizer.model"), ("sentencepiece-bpe", "tokenizer.model")],
)
def test_other_models(fresh: tuple[RunFolder, list[Receipt]], engine: LocalEngine, model: str, file: str) -> None:
    pytest.importorskip("sentencepiece")
    run, receipts = fresh
    settings = recipe(vocabulary=290, training={"model": model}, engine="reference")
    assert make_vocabulary(engine, run, model, settings, receipts) == file
    loaded = load_tokenizer(run.uri(file))
    assert {row["vocabulary"] for row in pq.read_table(run.uri(FERTILITY)).to_pylist()} == {loaded.vocabulary_size}
    assert 30 < loaded.vocabulary_size <= 290


def test_too_small_a_vocabulary_is_found_before_any_work() -> None:
    with pytest.raises(UserError, match="tokenize.vocabulary: 258 is too small: bytes and special tokens are 259"):
        recipe(vocabulary=258, training={"special": ["<|a|>", "<|b|>"]})
    with pytest.raises(UserError, match="training.model"):
        recipe(training={"model": "bpee"})


def test_fertility_is_what_the_documents_say(light_run: Path) -> None:
    """Sums over all kept documents, counted again from their text and the tokens in the ledger."""
    documents = [
        row
        for path in sorted((light_run / "documents").rglob("*.parquet"))
        for row in pq.read_table(path, columns=["text", "tokens"]).to_pylist()
    ]
    (whole,) = fits(Ledger(str(light_run)))
    assert (whole.source, whole.lang, whole.documents) == (None, None, len(documents))
    assert whole.tokens == sum(row["tokens"] - 1 for row in documents)
    assert whole.words == sum(len(row["text"].split()) for row in documents)
    assert whole.bytes == sum(len(row["text"].encode()) for row in documents)
    pipeline = Tokenizer.from_file(str(light_run / "tokenizer.json"))
    ids = {token for row in documents for token in pipeline.encode(row["text"]).ids}
    assert (whole.used, whole.vocabulary) == (len(ids), 600)


def test_fertility_by_source_and_language(fresh: tuple[RunFolder, list[Receipt]], engine: LocalEngine) -> None:
    run, receipts = fresh
    make_vocabulary(engine, run, "by", recipe(vocabulary=270), receipts)
    rows = pq.read_table(run.uri(FERTILITY)).to_pylist()
    by_key = {(row["source"], row["lang"]): row for row in rows}
    assert len(by_key) == len(rows) == 1 + 2 + 3 + 6
    assert {row["vocabulary"] for row in rows} == {270}
    assert by_key[None, "de"]["documents"] == len(kept("de"))
    assert by_key["books", ""]["words"] == sum(len(t.split()) for t in kept(None)[: len(kept(None)) // 3])
    for name in ("documents", "bytes", "characters", "words", "tokens"):
        pairs = [row[name] for key, row in by_key.items() if None not in key]
        assert sum(pairs) == by_key[None, None][name]
    assert all(row["used"] <= by_key[None, None]["used"] < row["vocabulary"] for row in rows)


def test_the_command_shows_it(light_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(str(light_run))
    shown = capsys.readouterr().out
    assert "600 tokens, measured on" in shown and "tokens/word" in shown
    with pytest.raises(UserError, match="holds no run"):
        command.main(str(light_run / "nowhere"))


def test_one_manifest_names_the_table(light_run: Path) -> None:
    files = json.loads((light_run / "manifest.json").read_text())["files"]
    assert FERTILITY in files
    assert prepared.content(light_run)[FERTILITY] == (files[FERTILITY]["sha256"])
