"""The step `Classifier`, in which a linear model scores each text, and the training of one from labelled files."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.quality.cutoff import Cutoff, Share, cutoff
from curation.quality.linear_model import LinearModel, train
from curation.run.documents import STRICT, texts, with_verdicts


@functools.cache
def _model(path: str) -> LinearModel:
    return LinearModel.load(path)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Classifier:
    """Removes texts that the model does not call `label` with a probability of at least `min_score`.

    The probability is the measure `classifier` and the verdict's value. `model` is a file that `train_from_files`
    wrote. `keep` with `calibration` takes the place of `min_score`: the share of the best scores to keep, see `cutoff`;
    without either (`min_score: null`) the step only measures. Raises `UserError` at the first batch for a file that is no
    model, or a label that it does not know.
    """

    model: str
    label: str = "good"
    min_score: Annotated[float, Field(ge=0, le=1)] | None = 0.5
    keep: Share | None = None
    calibration: str = ""
    reason: str = "classifier"

    name: ClassVar[str] = "classifier"
    measures: ClassVar[tuple[str, ...]] = ("classifier",)

    def __post_init__(self) -> None:
        _ = self.cutoff

    @functools.cached_property
    def cutoff(self) -> Cutoff:
        """The line between what goes on and what does not."""
        least = self.min_score if self.keep is None else None
        return cutoff(self.name, min=least, keep=self.keep, calibration=self.calibration)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that decide what the step does."""
        return tuple(filter(None, (self.model, self.calibration)))

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with measure and verdicts."""
        model = _model(self.model)
        if self.label not in model.labels:
            raise UserError(f"The model '{self.model}' has no label '{self.label}'.{nearest(self.label, model.labels)}")
        place = model.labels.index(self.label)
        scores = [float(model.scores(text)[place]) for text in texts(batch)]
        verdicts = [self.cutoff.verdict(score, self.reason) for score in scores]
        return with_verdicts(batch, self.name, verdicts, measures={"classifier": scores})


def train_from_files(paths: Sequence[str | Path], out: str | Path, **settings: Any) -> LinearModel:
    """Trains on rows with `text` and `label`, writes the model to `out`; `settings` are those of `linear_model.train`.

    Files are JSONL (`.jsonl`, `.json`, `.ndjson`, also with `.gz`) or Parquet (`.parquet`), read in the order given.
    Raises
    `UserError`, with file and line, for what cannot be read.
    """
    if not paths:
        raise UserError(
            "No file with labelled rows was given. Give JSONL or Parquet files with the columns text and label."
        )
    model = train((row for path in paths for row in labelled_rows(Path(path))), **settings)
    model.save(out)
    return model


def labelled_rows(path: Path) -> Iterator[tuple[str, str]]:
    """The (text, label) rows of a file, streamed in order."""
    if not path.is_file():
        raise UserError(f"No such file: '{path}'.")
    suffix = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
    try:
        if path.suffix == ".parquet":
            yield from _parquet_rows(path)
        elif suffix and suffix[0] in (".jsonl", ".json", ".ndjson"):
            with gzip.open(path, "rb") if path.suffix == ".gz" else open(path, "rb") as file:
                yield from _json_rows(path, file)
        else:
            raise UserError(
                f"'{path}' is neither JSONL nor Parquet by its name. Name it .jsonl, .jsonl.gz or .parquet."
            )
    except (OSError, EOFError, pa.ArrowException):
        raise UserError(f"'{path}' is damaged or no such format as its name says.") from None


def _json_rows(path: Path, lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, label = row["text"], row["label"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise UserError(f"'{path}', line {number}: no JSON object with the keys text and label.") from None
        if not isinstance(text, str) or not isinstance(label, str):
            raise UserError(f"'{path}', line {number}: text and label must be strings.")
        yield text, label


def _parquet_rows(path: Path) -> Iterator[tuple[str, str]]:
    file = pq.ParquetFile(path)
    for name in ("text", "label"):
        field = file.schema_arrow.field(name) if name in file.schema_arrow.names else None
        if field is None or not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            raise UserError(f"'{path}': no column '{name}' of strings. Columns: {', '.join(file.schema_arrow.names)}.")
    for batch in file.iter_batches(batch_size=1000, columns=["text", "label"]):
        for text, label in zip(*(batch.column(name).to_pylist() for name in ("text", "label")), strict=True):
            if text is None or label is None:
                raise UserError(f"'{path}': a row without text or label. Leave such rows out.")
            yield text, label
