"""How far a split has come: a few figures that a worker leaves in the run folder, about once a second, for whoever watches."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field

from connectors import storage

SECONDS_BETWEEN = 1.0


@dataclass(slots=True)
class Heartbeat:
    """Documents and input bytes that a unit has done so far, and how many documents went on."""

    uri: str
    documents: int = 0
    bytes: int = 0
    kept: int = 0
    _written: float = field(default=0.0, repr=False)

    def beat(self, documents: int, kept: int, bytes_done: int) -> None:
        """Adds a batch; writes at most once a second."""
        self.documents += documents
        self.kept += kept
        self.bytes = bytes_done
        if time.monotonic() - self._written > SECONDS_BETWEEN:
            self._written = time.monotonic()
            figures = {key: value for key, value in asdict(self).items() if key in ("documents", "bytes", "kept")}
            storage.write_bytes(self.uri, json.dumps(figures).encode())


def read_heartbeat(uri: str) -> tuple[int, int, int]:
    """Documents, kept documents and bytes of a unit's last beat; zeros where there is none."""
    try:
        figures = json.loads(storage.read_bytes(uri))
        return figures["documents"], figures["kept"], figures["bytes"]
    except (OSError, ValueError, KeyError):
        return 0, 0, 0
