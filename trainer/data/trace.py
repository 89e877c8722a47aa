"""From a step to its documents, and from a document to its steps: both computed, before or after the run, without a log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trainer.data.plan import DataPlan


@dataclass(frozen=True)
class Part:
    """A document's labels in one sample of a step."""

    step: int
    sample: int
    source: str
    document: int  # index in its source
    shard: str
    index: int  # of the document in its shard: the row of its document index
    first: int  # first label's position in the row
    tokens: int  # labels of the document
    trained: int  # of which have weight 1


@dataclass(frozen=True)
class Seen:
    """A document's labels in one sample that is or was trained on."""

    step: int
    sample: int
    epoch: int  # of the source, from 0
    first: int
    tokens: int
    trained: int


def documents_of_step(plan: DataPlan, step: int) -> Iterator[Part]:
    """All documents of a step, sample by sample, in the order of their labels."""
    samples = plan.samples(plan.numbers(step))
    for number, at, start in zip(samples.number.tolist(), samples.source.tolist(), samples.start.tolist()):
        source = plan.sources[at]
        pieces = source.pieces(start)
        trained = (pieces.tokens - plan.untrained(at, pieces)).tolist()
        columns = (column.tolist() for column in (pieces.document, pieces.first, pieces.tokens))
        for document, first, tokens, of_which in zip(*columns, trained):
            if document >= 0:
                shard, index = source.shard_of(document)
                yield Part(step, number, source.name, document, shard, index, first, tokens, of_which)


def steps_of_document(plan: DataPlan, source: int, document: int, stop: int | None = None) -> list[Seen]:
    """Where a document is trained on before step `stop` (default: the schedule's last), in the order of training.

    A place where only its first token is a label, which isolated documents do not train on, is left out, and so is one where
    all its labels were erased.
    """
    draws = int(plan.draws(plan.steps if stop is None else stop)[source])
    seen: list[Seen] = []
    for epoch in range(-(-draws // plan.sources[source].chunks)):
        for sighting in plan.sources[source].sightings(document, epoch):
            begins = plan.isolated and sighting.has_start and not sighting.start_erased
            trained = sighting.tokens - sighting.erased - begins
            if sighting.draw >= draws or not trained:
                continue
            number = plan.sample_number(source, sighting.draw)  # rises with the draw: `seen` stays in order
            assert number is not None
            place = plan.step_of(number), number, epoch
            seen.append(Seen(*place, sighting.first, sighting.tokens, trained))
    return seen
