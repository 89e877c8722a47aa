"""The run's tokenizer: given by the user and copied into the run, or trained on a sample of the run's own text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import xxhash

from connectors import storage
from connectors.storage import Written
from curation.engines.engine import Engine
from curation.pipeline.survivors import read_matches, read_survivors
from curation.recipes.model import Recipe
from curation.recipes.tokenize import TRAIN, Tokenize
from curation.run.documents import DOC_ID, texts
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.train import train_bpe

UNIT = "vocabulary"


@dataclass(frozen=True)
class SampleTexts:
    """A task: the texts of a split's kept documents that fall into a sample.

    A document is in the sample by a hash of its id, so the sample does not depend on engine or order.
    """

    run: RunFolder
    share: float

    def __call__(self, unit: str) -> list[str]:
        matches = read_matches(self.run, unit)
        chosen: list[str] = []
        for first, batch in read_survivors(self.run, unit):
            ids = batch.column(DOC_ID).to_pylist()
            drawn = [first + i not in matches and in_sample(doc_id, self.share) for i, doc_id in enumerate(ids)]
            chosen += texts(batch.filter(pa.array(drawn, pa.bool_())))
        return chosen


def in_sample(doc_id: bytes, share: float) -> bool:
    """Whether a document is in a sample of that share: by a hash of its id, so the same in every run."""
    return int(xxhash.xxh3_64_intdigest(doc_id, seed=1)) < share * 2.0**64


def make_vocabulary(engine: Engine, run: RunFolder, plan: str, recipe: Recipe, refined: Sequence[Receipt]) -> str:
    """What to load as the run's tokenizer: a path in the run folder, or a name. Trains it where the recipe says so."""
    receipt = run.once(UNIT, UNIT, plan, lambda: settle(engine, run, plan, recipe, refined))
    return str(receipt.facts["tokenizer"])


def settle(engine: Engine, run: RunFolder, plan: str, recipe: Recipe, refined: Sequence[Receipt]) -> Receipt:
    """Trains or copies the tokenizer."""
    assert recipe.tokenize is not None
    started = time.perf_counter()
    if recipe.tokenize.tokenizer == TRAIN:
        chosen = run.tokenizer
        outputs = {chosen: train(engine, run, recipe.tokenize, refined)}
    else:
        chosen, outputs = copy(run, recipe.tokenize.tokenizer)
    timing = {"wall": time.perf_counter() - started}
    return Receipt(UNIT, plan, "", 0, 0, {}, outputs, {"tokenizer": chosen}, timing)


def tokenizer_location(run: RunFolder, chosen: str) -> str:
    """Where to load a run's tokenizer from: what `make_vocabulary` gave, made absolute if it is a path."""
    return run.uri(chosen) if storage.exists(run.uri(chosen)) else chosen


def train(engine: Engine, run: RunFolder, settings: Tokenize, refined: Sequence[Receipt]) -> Written:
    """Trains a byte-level BPE on a bounded sample of the kept text."""
    total = sum(receipt.facts["text_bytes"] for receipt in refined)
    units = [receipt.unit for receipt in refined if receipt.facts["survivors"]]
    task = SampleTexts(run, min(1.0, settings.sample_bytes / max(1, total)))
    sampled: dict[int, list[str]] = dict(engine.map(task, units))
    in_order = [text for number in sorted(sampled) for text in sampled[number]]
    special = settings.end_of_document or "<|endoftext|>"
    return storage.write_bytes(run.uri(run.tokenizer), train_bpe(in_order, settings.vocabulary, special))


def copy(run: RunFolder, tokenizer: str) -> tuple[str, dict[str, Written]]:
    """Copies a tokenizer's file or folder into the run, so that workers and auditors have it. A name stays a name.

    Raises `UserError` for what is neither.
    """
    load_tokenizer(tokenizer)
    local = storage.local_path(tokenizer)
    if not local.exists():
        return tokenizer, {}
    base = f"tokenizer/{local.name}"
    if local.is_file():
        return base, {base: storage.write_bytes(run.uri(base), local.read_bytes())}
    files = [path for path in sorted(local.iterdir()) if path.is_file()]
    return base, {f"{base}/{f.name}": storage.write_bytes(run.uri(f"{base}/{f.name}"), f.read_bytes()) for f in files}
