"""`trace`: what a question costs in a run of 10^9 documents, and whether 10,000 random tokens lead to their words.

    python -m benchmarks.trace
    python -m benchmarks.trace --run RUN            the tokens of a run of your own, with any `tokenizers` vocabulary

The first run is synthetic: the manifest of 10^9 documents (10,000 splits, 90,000 files), one shard with 10^7 of them, the ledger of
some of its splits, and 2,000 other splits around. Each question opens the run anew, as the command does. A question reads the
manifest's head, the footers of seven files and a row group of each: only the manifest and the shard's own footer grow with
anything, so both are given at full size. The second run is a composed crawl, curated here.

Milliseconds are of CPU time, files in the page cache; the first question of a process, which imports, is not counted.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table
from tokenizers import Tokenizer

from benchmarks.synthetic_run import SHARD, SyntheticRun, split_name, unit_name, write_run
from connectors.megatron import ShardReader
from curation.audit.find import text_of, trace
from curation.audit.story import Ledger
from curation.audit.tokens import FIRST_TOKEN, documents_at, records_of, texts_of
from curation.pipeline.curate import curate
from curation.sample import write_sample
from jobs import command
from jobs.command import output

TOKENS = 10_000
WINDOW = 6  # tokens on each side of the one that is looked for


def questions(run: SyntheticRun, count: int) -> npt.NDArray[np.float64]:
    """CPU milliseconds of each of some questions, with the text; every answer is checked."""
    root = run.folder.root
    taken = []
    for token in run.traceable(np.random.default_rng(3), count + 1).tolist():
        started = time.process_time()
        ledger = Ledger(root)
        story = trace(ledger, SHARD, token)
        text = text_of(ledger, story)
        taken.append(1e3 * (time.process_time() - started))
        document = int(np.searchsorted(run.first, token, side="right")) - 1
        assert (story.record["row"], story.tokens["first_token"]) == (run.row[document], run.first[document]) and text
    return np.array(taken[1:])


def head_alone(root: str) -> float:
    """CPU milliseconds of what is asked of the manifest, the part that grows with it."""
    started = time.process_time()
    ledger = Ledger(root)
    assert ledger.unit(split_name(9)) == unit_name(9) and ledger.shard(SHARD) and ledger.steps()
    return 1e3 * (time.process_time() - started)


def words(run: Path) -> tuple[int, int, float]:
    """Random tokens of a run, how many of them stand in the text that they lead to, and CPU milliseconds of each."""
    ledger, draw = Ledger(str(run)), np.random.default_rng(5)
    tokenizer = Tokenizer.from_file(str(next(path for path in sorted(run.rglob("tokenizer.json")))))
    shards = [row for row in ledger.shards.values() if row["tokens"]]
    weights = np.array([row["tokens"] for row in shards]) / sum(row["tokens"] for row in shards)
    counts = draw.multinomial(TOKENS, weights)
    right, seconds = 0, 0.0
    for row, count in zip(shards, counts.tolist()):
        tokens = draw.integers(0, row["tokens"], count)
        started = time.process_time()
        documents = documents_at(ledger, row["shard"], tokens)
        records_of(ledger, documents, ["url", "archive", "offset"])
        texts = texts_of(ledger, documents)
        seconds += time.process_time() - started
        reader = ShardReader(run / "shards" / row["shard"])
        found = zip(tokens.tolist(), documents.to_pylist(), texts, strict=True)
        right += sum(stands(tokenizer, reader, *each) for each in found)
    return TOKENS, right, 1e3 * seconds / TOKENS


def stands(tokenizer: Tokenizer, reader: ShardReader, token: int, document: dict[str, Any], text: str) -> bool:
    """Whether the decoded words around a token, its end of the document left out, stand in the text."""
    first, stop = document[FIRST_TOKEN], document[FIRST_TOKEN] + document["tokens"] - 1
    around = reader.range(max(first, token - WINDOW), max(first, min(stop, token + WINDOW + 1))).tolist()
    return tokenizer.decode(around, skip_special_tokens=False).strip("\ufffd ") in text


def real_run(folder: Path) -> Path:
    """A composed crawl of 300 pages, curated."""
    write_sample(folder / "sample", 300, seed=1, pages_per_file=100)
    changes = ["tokenize.vocabulary=4096", "tokenize.shard_tokens=50000"]
    curate("fineweb", f"{folder}/sample/crawl/*.warc.gz", str(folder / "run"), changes=changes)
    return folder / "run"


def main(
    run: Annotated[str, typer.Option(help="A finished run whose tokens are traced, in place of a composed one.")] = "",
    documents: Annotated[float, typer.Option(help="Of the synthetic run.")] = 1e9,
    shard: Annotated[float, typer.Option(help="Documents of its shard.")] = 1e7,
    count: Annotated[int, typer.Option(help="Questions.")] = 300,
    folder: Annotated[str, typer.Option(help="Where files are made and removed (1 GB); default: the system's.")] = "",
) -> None:
    """Measure both."""
    table = Table()
    for name in ("run", "documents", "CPU ms a question", "99 of 100 below", "of it the manifest"):
        table.add_column(name, justify="left" if name == "run" else "right")
    with tempfile.TemporaryDirectory(dir=folder or None) as place:
        synthetic = write_run(f"{place}/synthetic", int(documents), int(shard), present=6, around=2000)
        taken = questions(synthetic, count)
        opening = sorted(head_alone(synthetic.folder.root) for _ in range(20))[10]
        told = (f"{documents:,.0f}", f"{np.median(taken):.1f}", f"{np.quantile(taken, 0.99):.1f}", f"{opening:.1f}")
        table.add_row(f"manifest of all, a shard of {shard:,.0f}", *told)
        found = Path(run) if run else real_run(Path(place))
        tokens, right, each = words(found)
        held = sum(row["documents"] for row in json.loads((found / "manifest.json").read_text())["shards"])
        table.add_row(f"{tokens:,} tokens at once", f"{held:,}", f"{each:.3f}", "", "")
    output.print(table)
    output.print(f"{right:,} of {tokens:,} random tokens lead to a text with their words", highlight=False)
    output.print(
        f"trace milliseconds={np.median(taken):.1f} documents={documents:.0f} shard_documents={shard:.0f} right={right}",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    command.run(main)
