"""Which tokens every step trains on: a pure function of shards, configuration and step. Its state is one integer, the step.

Sample n is draw n of its stage's blend, which is a draw of a source, which is a chunk. A stage begins where the last one
stopped: each source goes on at the draw that it had come to, so a blend may change, and a source join or leave, at any
step, with nothing repeated or left out.

The set of a step's samples does not depend on the layout: row j of micro-batch q on data rank r is sample
`first_sample(step) + q·(data·micro) + r·micro + j`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.erased_spans import read_erased
from connectors.errors import UserError, nearest
from trainer.config import Data, Stage, Training
from trainer.data.blend import Blend
from trainer.data.manifest import TRAIN, ShardRow, erased_file, open_shard, read_shards
from trainer.data.packed_source import PackedSource
from trainer.data.packing import Fill
from trainer.data.source import Pieces, Source

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Samples of the run, arrays of one length. `start`: what the source finds the row by, see `trainer.data.source.Chunks`."""

    number: Indices
    source: Indices  # index into the plan's sources
    draw: Indices
    epoch: Indices
    chunk: Indices
    start: Indices

    def __len__(self) -> int:
        return len(self.number)

    def take(self, places: Indices) -> Samples:
        """The samples at these places, in their order."""
        arrays = (self.number, self.source, self.draw, self.epoch, self.chunk, self.start)
        return Samples(*(array[places] for array in arrays))


@dataclass(frozen=True)
class _Section:
    """A stage, worked out. `base`: draws of each of the plan's sources that earlier stages have taken."""

    first_sample: int
    sources: Indices  # of the blend: indices into the plan's sources
    blend: Blend
    base: Indices

    def draws(self, samples: int) -> Indices:
        """Draws of each of the plan's sources after this many samples of the stage, from the start of the run."""
        draws = self.base.copy()
        for place, source in enumerate(self.sources.tolist()):
            draws[source] += self.blend.count(place, samples)
        return draws


class DataPlan:
    """The data of a training run.

    configuration  its parts `data`, `batch`, `model.vocabulary` and `schedule.steps` are used
    run            folder of the curation run; default: where `data.shards` (RUN/shards) lies

    Raises `UserError` for a run that is missing, unfinished or without tokens, sources whose tokenizers differ, a model's
    vocabulary below the tokenizer's, a source too short for a sequence, a source that is not there, stages out of order,
    and a plan that would repeat a source more often than `data.max_epochs` allows.
    """

    def __init__(self, configuration: Training, run: str | Path | None = None) -> None:
        self.data = configuration.data
        self.sequences, self.micro = configuration.batch.sequences, configuration.batch.micro
        self.steps = configuration.schedule.steps
        if run is None and not self.data.shards:
            raise UserError("data.shards is empty: set it to the folder RUN/shards of a curated run.")
        self.run = Path(self.data.shards).parent if run is None else Path(run)  # of the curation
        shards = Path(self.data.shards) if run is None else self.run / "shards"
        rows = read_shards(shards)
        stages = _stages(self.data.stages, rows)
        self.source_names = list(dict.fromkeys(row.source for row in rows if row.source in _drawn(stages)))
        self.rows_of_shards = [row for row in rows if row.source in self.source_names]
        _check_tokenizers(self.rows_of_shards, configuration.model.vocabulary)
        self.sources = [self._open(shards, name) for name in self.source_names]
        self._sections = self._work_out(stages)
        self._check_epochs(_all_names(rows))

    @property
    def sequence_length(self) -> int:
        """S: labels of a row."""
        return self.data.sequence_length

    @property
    def isolated(self) -> bool:
        """Whether documents of a row do not see each other."""
        return self.data.documents == "isolated"

    @property
    def packed(self) -> bool:
        """Whether whole documents are put together, and rows padded, in place of a stream that is cut."""
        return self.data.packing == "best_fit"

    def _open(self, shards: Path, name: str) -> Source:
        return open_source(shards, [row for row in self.rows_of_shards if row.source == name], self.data)

    def _work_out(self, stages: tuple[Stage, ...]) -> list[_Section]:
        base = np.zeros(len(self.sources), dtype=np.int64)
        sections: list[_Section] = []
        for stage in stages:
            first = self.first_sample(stage.from_step)
            if sections:
                base = sections[-1].draws(first - sections[-1].first_sample)
            # In the run's order: the order of a blend's keys says nothing.
            names = [name for name in self.source_names if name in stage.blend]
            sources = np.array([self.source_names.index(name) for name in names], dtype=np.int64)
            sections.append(_Section(first, sources, Blend([stage.blend[name] for name in names]), base))
        return sections

    def _check_epochs(self, known: list[str]) -> None:
        for name, most in self.data.max_epochs.items():
            if name not in known:
                raise UserError(f"data.max_epochs names '{name}', which is no source of the run.{nearest(name, known)}")
            epochs = self.epochs(self.steps)[self.source_names.index(name)] if name in self.source_names else 0.0
            if epochs > most:
                raise UserError(
                    f"{self.steps:,} steps would read source '{name}' {epochs:.2f} times; data.max_epochs allows {most:g}. "
                    "Lower its weight in data.stages, train fewer steps, or raise the limit."
                )

    def first_sample(self, step: int) -> int:
        """The first sample of a step: where a batch ramp would have its closed form."""
        return step * self.sequences

    def step_of(self, sample: int) -> int:
        """The step that a sample is trained in: the inverse of `first_sample`."""
        return sample // self.sequences

    def samples(self, numbers: npt.ArrayLike) -> Samples:
        """Where these samples of the run come from, all at once."""
        number = np.atleast_1d(np.asarray(numbers, dtype=np.int64)).ravel()
        source, draw, epoch, chunk, start = (np.empty_like(number) for _ in range(5))
        section_of = np.searchsorted([section.first_sample for section in self._sections], number, side="right") - 1
        for index in np.unique(section_of).tolist():
            section, here = self._sections[index], section_of == index
            place, within = section.blend.locate(number[here] - section.first_sample)
            source[here] = section.sources[place]
            draw[here] = section.base[source[here]] + within
        for index in np.unique(source).tolist():
            here = source == index
            chunks = self.sources[index].locate(draw[here])
            epoch[here], chunk[here], start[here] = chunks.epoch, chunks.chunk, chunks.start
        return Samples(number, source, draw, epoch, chunk, start)

    def sample(self, number: int) -> Samples:
        """Where one sample comes from: arrays of length 1."""
        return self.samples([number])

    def sample_number(self, source: int, draw: int) -> int | None:
        """The sample that is this draw of a source, the inverse of `samples`; None where the last stage leaves it out."""
        for index, section in enumerate(self._sections):
            is_last = index + 1 == len(self._sections)
            if not is_last and draw >= self._sections[index + 1].base[source]:
                continue
            if source not in section.sources:
                return None
            place = section.sources.tolist().index(source)
            return section.first_sample + section.blend.number(place, draw - int(section.base[source]))
        raise AssertionError("a plan has a stage")

    def draws(self, step: int) -> Indices:
        """Draws of each source before a step."""
        first = self.first_sample(step)
        section = [section for section in self._sections if section.first_sample <= first][-1]
        return section.draws(first - section.first_sample)

    def fills(self) -> dict[str, Fill]:
        """How full the sequences of each source are; none where they are cut from a stream, which leaves no room."""
        return {source.name: source.packing.fill for source in self.sources if isinstance(source, PackedSource)}

    def epochs(self, step: int) -> list[float]:
        """How often each source has been read before a step."""
        return [int(draws) / source.chunks for draws, source in zip(self.draws(step), self.sources)]

    def numbers(self, step: int) -> Indices:
        """All samples of a step, over all ranks."""
        first = self.first_sample(step)
        return np.arange(first, self.first_sample(step + 1), dtype=np.int64)

    def rows(self, step: int, data_rank: int = 0, data_size: int = 1) -> Indices:
        """Numbers of the samples that a data rank trains on in a step, [micro-batches, micro].

        Raises `UserError` where the step's sequences can't be dealt out evenly.
        """
        per_turn = data_size * self.micro
        if self.sequences % per_turn:
            raise UserError(
                f"batch.sequences {self.sequences} can't be dealt out to {data_size} data ranks in micro-batches of "
                f"{self.micro}: it must be a multiple of {per_turn}."
            )
        return self.numbers(step).reshape(-1, data_size, self.micro)[:, data_rank, :]

    def trained_tokens(self, step: int) -> int:
        """The sum of the weights of a step over all ranks, from the plan alone."""
        return self.trained(self.samples(self.numbers(step)))

    def trained(self, samples: Samples) -> int:
        """The sum of the weights of samples."""
        tokens = self.sequence_length * len(samples)
        for source, start in zip(samples.source.tolist(), samples.start.tolist()):
            if self.isolated or self.packed or len(self.sources[source].erased):
                tokens -= int(self.untrained(source, self.sources[source].pieces(start)).sum())
        return tokens

    def untrained(self, source: int, pieces: Pieces) -> Indices:
        """How many labels of each piece have weight 0: padding, what was erased, and the first of an isolated document."""
        erased, stop = self.sources[source].erased, pieces.position + pieces.tokens
        gone = erased.before(stop) - erased.before(pieces.position)
        if self.isolated:
            gone += pieces.begins & ~erased.holds(pieces.position)
        return np.where(pieces.document >= 0, gone, pieces.tokens)

    def description(self) -> dict[str, Any]:
        """All that the plan depends on, as JSON. Two plans with equal descriptions are one plan."""
        return {
            "version": 1,
            "sequence_length": self.sequence_length,
            "seed": self.data.seed,
            "documents": self.data.documents,
            "packing": self.data.packing,
            "sequences": self.sequences,
            "shards": [row.description() for row in self.rows_of_shards],
            "stages": [
                {
                    "first_sample": section.first_sample,
                    "weights": {
                        self.source_names[source]: weight
                        for source, weight in zip(section.sources.tolist(), section.blend.weights)
                    },
                }
                for section in self._sections
            ],
        }

    def digest(self) -> str:
        """SHA-256 of the description: what a resume compares."""
        return hashlib.sha256(json.dumps(self.description(), sort_keys=True).encode()).hexdigest()


def open_source(shards: Path, rows: list[ShardRow], data: Data) -> Source:
    """One source, cut or packed as the configuration says. `rows`: its shards. Raises `UserError` as `DataPlan` does."""
    readers = [(row.name, open_shard(shards, row)) for row in rows]
    erased = {row.name: read_erased(erased_file(shards, row), row.tokens) for row in rows if row.erased_sha256}
    name, size = rows[0].source, data.sequence_length
    if data.packing == "best_fit":
        return PackedSource(name, readers, size, data.seed, erased, end_of_document=rows[0].end_of_document)
    return Source(name, readers, size, data.seed, erased)


def difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The first difference between two plans' descriptions, as words for one line; "" where they are equal."""
    for name in new:
        if old.get(name) == new[name]:
            continue
        if not isinstance(new[name], list):
            return f"{name} was {old.get(name)} and is {new[name]}"
        before, now = old.get(name) or [], new[name]
        at = next((k for k, (a, b) in enumerate(zip(before, now)) if a != b), min(len(before), len(now)))
        if at == len(before) or at == len(now):
            return f"there were {len(before)} {name} and are {len(now)}"
        return f"{name[:-1]} {at} is another"
    return ""


def _all_names(rows: list[ShardRow]) -> list[str]:
    return list(dict.fromkeys(row.source for row in rows))


def _drawn(stages: tuple[Stage, ...]) -> set[str]:
    return {name for stage in stages for name in stage.blend}


def _stages(stages: tuple[Stage, ...], rows: list[ShardRow]) -> tuple[Stage, ...]:
    """The stages, checked; where there are none, one of all sources of training data by their tokens."""
    tokens = {name: sum(row.tokens for row in rows if row.source == name) for name in _all_names(rows)}
    if not stages:
        train = {row.source for row in rows if row.part == TRAIN}
        return (Stage(blend={name: float(count) for name, count in tokens.items() if count and name in train}),)
    for number, stage in enumerate(stages):
        if not stage.blend:
            raise UserError(f"data.stages, number {number + 1}: the blend is empty. Sources: {', '.join(tokens)}.")
        for name in stage.blend:
            if name not in tokens:
                raise UserError(f"data.stages blends '{name}', which is no source of the run.{nearest(name, tokens)}")
    steps = [stage.from_step for stage in stages]
    if steps[0] != 0 or any(later <= earlier for earlier, later in zip(steps, steps[1:])):
        raise UserError(f"data.stages begin at the steps {steps}: the first must be 0, each later than the one before.")
    return stages


def _check_tokenizers(rows: list[ShardRow], vocabulary: int) -> None:
    first = rows[0]
    for row in rows:
        if row.tokenizer != first.tokenizer:
            raise UserError(
                f"Sources '{first.source}' and '{row.source}' were made with different tokenizers: curate them with one "
                "(tokenize.tokenizer), or leave one of them out of data.stages."
            )
        if row.vocabulary > vocabulary:
            raise UserError(
                f"The tokenizer has {row.vocabulary:,} tokens, the model's vocabulary is {vocabulary:,}: set "
                f"model.vocabulary to {-(-row.vocabulary // 128) * 128:,} or more."
            )
