"""How homes ask each other about documents: a question a home, an answer of as many rows, and nothing that names either.

    ask      a home writes down which documents of every other home it wants to know about
    answer   a home goes through all questions to it and answers each, in the order asked
    hear     the asking home reads the answers, and looks its own documents up

The files of all homes are there, so that one that was never reached is an error and not silence. A document is asked about
once by a home, however many edges lead to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.storage import Written
from curation.dedup.distinct import distinct_with_places
from curation.dedup.homes import Home, Neighbourhood, Numbers, Places
from curation.dedup.signature_files import in_one
from curation.run.folder import RunFolder
from curation.run.sections import map_section, read_section, write_sections

Lookup = Callable[[Places], pa.Table | pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The files of one exchange, in a folder of the run; `schema` is that of the answers."""

    run: RunFolder
    folder: str
    schema: pa.Schema
    neighbourhood: Neighbourhood

    def ask(self, home: Home, numbers: Numbers) -> dict[str, Written]:
        """Writes a home's questions. `numbers` ascend, each once; the home's own may be among them and are not written."""
        numbers = numbers[(numbers < np.uint64(home.first)) | (numbers >= np.uint64(home.stop))]
        cuts, firsts = self.neighbourhood.cuts(numbers), self.neighbourhood.firsts
        sections = (
            (other, (numbers[cuts[other] : cuts[other + 1]] - np.uint64(firsts[other])).astype(np.uint32).tobytes())
            for other in np.flatnonzero(np.diff(cuts)).tolist()
        )
        path = self._questions(home.number)
        return {path: write_sections(self.run.uri(path), sections, self.neighbourhood.homes)}

    def answer(self, home: Home, lookup: Lookup) -> dict[str, Written]:
        """Writes a home's answers to all homes. `lookup` gives a row for each place, which ascend; it is called once."""
        asked = [self._asked(other, home.number) for other in range(self.neighbourhood.homes)]
        places, rows = distinct_with_places(np.concatenate(asked).astype(np.uint64))
        answers = self._looked_up(lookup, places.astype(np.int64))
        assert len(answers) == len(places)
        sections = self._sections(np.split(rows, np.cumsum([len(each) for each in asked])[:-1]), answers)
        path = self._answers(home.number)
        return {path: write_sections(self.run.uri(path), sections, len(asked))}

    def _looked_up(self, lookup: Lookup, places: Places) -> pa.RecordBatch:
        columns = [in_one(c) if isinstance(c, pa.ChunkedArray) else c for c in lookup(places).columns]
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _asked(self, asking: int, answering: int) -> npt.NDArray[np.uint32]:
        return np.frombuffer(read_section(self.run.uri(self._questions(asking)), answering), np.uint32)

    @staticmethod
    def _sections(wanted: Sequence[Places], answers: pa.RecordBatch) -> Iterator[tuple[int, pa.Buffer]]:
        for other, rows in enumerate(wanted):
            if len(rows):
                chosen = answers if len(rows) == len(answers) else answers.take(pa.array(rows))
                yield other, chosen.serialize()

    def hear(self, home: Home, asked: Numbers, lookup: Lookup) -> pa.Table:
        """What the home wanted to know: a row for each document that it asked about, in that order, a chunk a home.

        `lookup` is asked about the home's own. Raises `RuntimeError` where an answer is missing.
        """
        low, high = np.searchsorted(asked, np.array([home.first, home.stop], np.uint64))
        own = (asked[low:high] - np.uint64(home.first)).astype(np.int64)
        batches: list[pa.RecordBatch] = []
        for other in range(self.neighbourhood.homes):
            if other == home.number:
                batches += [self._looked_up(lookup, own)] if len(own) else []
                continue
            content = map_section(self.run.uri(self._answers(other)), home.number)
            if content.size:
                batches.append(pa.ipc.read_record_batch(content, self.schema))
        heard = pa.Table.from_batches(batches, self.schema)
        if len(heard) != len(asked):
            raise RuntimeError(f"home {home.number} asked about {len(asked)} documents and heard of {len(heard)}")
        return heard

    def _questions(self, home: int) -> str:
        return f"{self.folder}/questions/{home}"

    def _answers(self, home: int) -> str:
        return f"{self.folder}/answers/{home}"
