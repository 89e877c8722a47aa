"""What is kept of compiled kernels: used again, and renewed when a source changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import caching

from curation.pipeline.compiling import PROCESSES
from curation.text.kernels import compiling
from tests.pipeline.prepared import ENVIRONMENT

PROGRAM = """
import pyarrow as pa
from curation.text.columns import text_batch
from curation.text import kernels
from curation.text.kernels import compiling
print(compiling.are_kept([module.__name__ for module in kernels.modules()]), end=" ")
from curation.text.kernels.matching import match_rows
import numpy as np
zero, one = np.zeros(72, np.uint8), np.array([0, 1])
match_rows(zero, one, zero, one, np.zeros(1, np.int64))
print(len(match_rows.stats.cache_hits), len(match_rows.stats.cache_misses))
"""


# Which entries are compiled, or loaded, and which are not, once everything was used that `corpusmill compile` uses.
ALL_USED = """
import gc, sys
from numba.core.dispatcher import Dispatcher
from curation.pipeline.compiling import PROCESSES, compile_room
rooms = PROCESSES[int(sys.argv[1])]
for room in rooms:
    compile_room(room)
folders = tuple(f"curation.{room}.kernels." for room in rooms)
entries = [e for e in gc.get_objects() if isinstance(e, Dispatcher) and e.__module__.startswith(folders)]
kept = [e for e in entries if type(e._cache).__name__ == "FunctionCache"]
print(len(kept) > 3, sorted(e.__name__ for e in kept if not e.signatures))
"""


def run(cache: Path, digest: str) -> str:
    """A process of its own with a cache of its own, in which the sources have this digest."""
    patched = (
        f"from curation.text.kernels import compiling; compiling.sources_digest = lambda folder: '{digest}'\n" + PROGRAM
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", patched], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_kernels_are_kept_until_a_source_changes(tmp_path: Path) -> None:
    assert run(tmp_path, "a") == "False 0 1"
    assert run(tmp_path, "a") == "False 1 0"  # this one is kept now, the others are not yet
    assert run(tmp_path, "b") == "False 0 1"


@pytest.mark.parametrize("process", range(len(PROCESSES)))
def test_every_entry_is_compiled_by_the_command(process: int) -> None:
    """Else what is kept would never be whole, and every run would compile before it begins."""
    command = [sys.executable, "-c", ALL_USED, str(process)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True []"]


def test_the_digest_covers_every_kernel_and_the_layout() -> None:
    names = {path.name for path in compiling.SOURCES}
    assert {"ngrams.py", "primitives.py", "compiling.py", "layout.py"} <= names


def test_another_rooms_kernels_are_stamped_with_their_own_sources_too(tmp_path: Path) -> None:
    """An edit there renews what is kept there, and nothing of the text engine's."""
    room = tmp_path / "room"
    room.mkdir()
    digest = compiling.sources_digest.__wrapped__
    engine = digest(Path(compiling.__file__).parent)
    (room / "kernels.py").write_text("first")
    first = digest(room)
    (room / "kernels.py").write_text("second")
    assert digest(room) not in (first, engine)
    assert digest(Path(compiling.__file__).parent) == engine


def test_where_nothing_can_be_kept_kernels_work_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])

    def doubled(number: int) -> int:
        return 2 * number

    assert compiling.entry(doubled)(21) == 42
