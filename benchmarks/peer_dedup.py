"""datatrove's four MinHash stages as the peer of deduplication: 14 bands of 8, its local executor, one worker.

Its stages hand files to each other, so each can be run and timed on its own: `sign`, then `bucket`, `cluster` and `drop`.
`put_signatures` writes the files of its first stage from signatures that are known already.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from connectors.errors import missing_extra
from curation.dedup.signature import BANDS, ROWS, Signatures


class PeerStages:
    """The stages over a folder of Parquet files with `text` and `doc_id`; what they write lies in temporary folders."""

    def __init__(self, inputs: str) -> None:
        try:
            from datatrove.executor import LocalPipelineExecutor
            from datatrove.pipeline.dedup import minhash
            from datatrove.pipeline.readers import ParquetReader
        except ImportError:
            raise missing_extra("datatrove", "parity") from None
        self._executor, self._stages = LocalPipelineExecutor, minhash
        self._reader = ParquetReader(inputs, id_key="doc_id", read_metadata=False)
        self._files = len(list(Path(inputs).glob("*.parquet")))
        self._kept = tempfile.TemporaryDirectory()
        self.folder = Path(self._kept.name)

    def sign(self) -> None:
        """Stage 1: signatures of every document, sorted by band."""
        self._run([self._reader, self._stages.MinhashDedupSignature(self._at("signatures"))], self._files)

    def bucket(self) -> None:
        """Stage 2: pairs that share a band."""
        self._run([self._stages.MinhashDedupBuckets(self._at("signatures"), self._at("buckets"))], BANDS)

    def cluster(self) -> None:
        """Stage 3: pairs to clusters."""
        self._run([self._stages.MinhashDedupCluster(self._at("buckets"), self._at("remove"))], 1)

    def drop(self) -> None:
        """Stage 4: reads the documents again and lets through one of each cluster."""
        self._run([self._reader, self._stages.MinhashDedupFilter(self._at("remove"))], self._files)

    def removed(self) -> int:
        """How many documents stage 3 named."""
        return sum(path.stat().st_size for path in (self.folder / "remove").glob("*.remove")) // 4

    def signature_files(self) -> dict[str, bytes]:
        """Content of stage 1's files, by path."""
        base = self.folder / "signatures"
        return {str(path.relative_to(base)): path.read_bytes() for path in base.rglob("*.minhash.sig")}

    def put_signatures(self, file: int, signed: Signed) -> None:
        """Writes what stage 1 would for one input file."""
        for path, content in signature_files(file, signed).items():
            (self.folder / "signatures" / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / "signatures" / path).write_bytes(content)

    def _at(self, name: str) -> str:
        return str(self.folder / name)

    def _run(self, pipeline: list[Any], tasks: int) -> None:
        from loguru import logger

        logger.remove()
        logging = tempfile.mkdtemp(dir=self.folder)
        with contextlib.redirect_stderr(io.StringIO()):  # where it opens a log of its own for each task
            self._executor(pipeline, tasks=tasks, workers=1, logging_dir=logging).run()


class Signed(NamedTuple):
    """Documents by row: their signatures, whether they have one, and whether they have any text."""

    values: Signatures
    present: np.ndarray[Any, Any]
    filled: np.ndarray[Any, Any]


def signature_files(file: int, signed: Signed) -> dict[str, bytes]:
    """datatrove's files of one input file: by band, eight values and the document's number in the file, sorted.

    Its reader passes over documents without text, so they have no number.
    """
    record = np.dtype([("values", "<u8", ROWS), ("document", "<u4")])
    rows = np.flatnonzero(signed.present)
    numbers = (np.cumsum(signed.filled) - 1)[rows]
    files = {}
    for band in range(BANDS):
        here = signed.values[rows, band * ROWS : (band + 1) * ROWS]
        records = np.zeros(len(rows), record)
        records["values"], records["document"] = here, numbers
        order = np.lexsort((numbers, *here.T[::-1]))
        files[f"bucket_{band:03d}/{file:05d}.minhash.sig"] = records[order].tobytes()
    return files
