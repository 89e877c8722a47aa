"""Documents many times over, each copy with noise of its own: a corpus of any size whose near duplicates are known to exist.

    python -m benchmarks.noisy_corpus --corpus documents.jsonl.gz --into folder

Copy 0 is the documents as they are. Copy 1 has them at a Jaccard similarity with copy 0 that is far below any threshold, copy
2 about the threshold, copy 3 close above it, copy 4 far below again, and so on (`RANGES`, from which a document's similarity is
drawn evenly). Words are replaced and put in at places of each copy's own, so two noisy copies are less similar to each other
than either to copy 0. Short texts, in which no word or one is hit, come out equal or further away than meant. The same documents
give the same corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from benchmarks.corpora import documents
from benchmarks.dedup_run import write_survivors
from curation.dedup.signature import WORDS
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt
from curation.text.columns import batch_of
from curation.text.shingles import jaccard
from jobs import command
from jobs.command import output

COPIES = 25
RANGES = ((0.05, 0.45), (0.7, 0.9), (0.9, 0.995))  # of the Jaccard similarity with copy 0, taken in turn
INSERTED = 0.25  # share of the noise that is put in between words; the rest replaces a word
MADE = 0.1  # share of the noise words that no document has: 0.7 % of all words, rather more than text of its own accord brings
BINS = (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.99, 1.01)


def copies(texts: Sequence[str], number: int) -> Iterator[str]:
    """Copy `number` of the documents, one by one."""
    pool = noise_words(texts)
    for document, text in enumerate(texts):
        yield copy_of(text, document, number, pool)


def noise_words(texts: Sequence[str]) -> list[str]:
    """Words that noise is made of: those of every twentieth document."""
    return sorted({word for text in texts[::20] for word in text.split(" ") if word.isalpha()}) or ["word"]


def copy_of(text: str, document: int, number: int, pool: Sequence[str]) -> str:
    """Copy `number` of a document, which is given by its text and its place among all."""
    if not number:
        return text
    low, high = RANGES[(number - 1) % len(RANGES)]
    draws = np.random.default_rng((number, document))
    return noisy(text, low + (high - low) * draws.random(), pool, draws)


def noisy(text: str, similarity: float, pool: Sequence[str], draws: np.random.Generator) -> str:
    """The text with so many words replaced or put in that about this Jaccard similarity is left.

    A shingle stays if none of its words is hit: a share of s stays for a Jaccard similarity of s / (2 - s).
    """
    words = text.split(" ")
    rate = 1 - (2 * similarity / (1 + similarity)) ** (1 / WORDS)
    places = np.flatnonzero(draws.random(len(words)) < rate)
    chosen = draws.integers(len(pool), size=(len(places), 2)).tolist()
    kinds = draws.random((len(places), 2))
    for place, (one, other), inserts, made in zip(
        places.tolist(), chosen, kinds[:, 0] < INSERTED, kinds[:, 1] < MADE, strict=True
    ):
        word = pool[one] + pool[other] if made else pool[one]
        words[place] = f"{words[place]} {word}" if inserts else word
    return " ".join(words)


def write_noisy_corpus(run: RunFolder, texts: Sequence[str], number_of_copies: int = COPIES) -> list[Receipt]:
    """Writes each copy of the documents as the survivors of a split."""
    return [write_survivors(run, f"{number:02}", copies(texts, number)) for number in range(number_of_copies)]


def similarities(texts: Sequence[str], number: int) -> list[float]:
    """The true Jaccard similarity of each document of a copy with the document itself, of those that have shingles."""
    originals, noise = batch_of(texts).shingles(WORDS), batch_of(list(copies(texts, number))).shingles(WORDS)
    pairs = zip(np.split(originals.hashes, originals.offsets[1:-1]), np.split(noise.hashes, noise.offsets[1:-1]))
    return [jaccard(one, other) for one, other in pairs if len(one) and len(other)]


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    into: Annotated[str, typer.Option(help="Folder for a Parquet file a copy, as a run has them; default: none.")] = "",
    number_of_copies: Annotated[int, typer.Option("--copies")] = COPIES,
) -> None:
    """Show how similar the first copies are to the documents, and write all of them."""
    texts = documents(corpus)
    table = Table(title="noisy_corpus: share of documents by Jaccard similarity with copy 0", title_justify="left")
    for name in ("copy", *(f"≥ {low}" for low in BINS[:-1])):
        table.add_column(name)
    for number in range(1, len(RANGES) + 1):
        counts, _ = np.histogram(similarities(texts, number), BINS)
        table.add_row(str(number), *(f"{count / len(texts):.3f}" for count in counts))
    output.print(table)
    if into:
        write_noisy_corpus(RunFolder(into), texts, number_of_copies)
    output.print(f"noisy_corpus documents={number_of_copies * len(texts)}", highlight=False)


if __name__ == "__main__":
    command.run(main)
