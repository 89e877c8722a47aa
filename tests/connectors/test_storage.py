"""Files by the one door: what is mapped and let go of again, and what is passed on without waiting for the disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from connectors import storage
from connectors.mapped_files import let_go, mapped

SIZE = 32 << 20


def resident_file_kib() -> int:
    """Memory of this process that is some file's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssFile:")))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells memory as Linux does")
def test_what_was_looked_at_and_let_go_of_takes_no_memory_and_reads_as_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(np.arange(SIZE // 8, dtype=np.uint64).tobytes())
    content = mapped(str(path))
    before, total = resident_file_kib(), np.frombuffer(content, np.uint64).sum()
    looked_at = resident_file_kib()
    let_go(content)
    assert looked_at - before > 0.9 * SIZE / 1024
    assert resident_file_kib() - before < 0.1 * SIZE / 1024
    assert np.frombuffer(content, np.uint64).sum() == total


def test_an_empty_file_can_be_mapped(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert mapped(str(tmp_path / "file")).size == 0


def test_another_file_of_the_same_name_has_another_stamp(tmp_path: Path) -> None:
    uri = str(tmp_path / "file")
    storage.write_bytes(uri, b"one")
    first = storage.stamp(uri)
    assert storage.stamp(f"file://{uri}") == first
    storage.write_bytes(uri, b"two")
    assert storage.stamp(uri) != first


def test_what_is_passed_on_is_whole_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forced: list[int] = []
    monkeypatch.setattr(os, "fsync", forced.append)
    uri = str(tmp_path / "folder" / "file")
    assert storage.pass_on(uri, b"content") == storage.Written(7, "")
    assert storage.read_bytes(uri) == b"content" and not forced
    storage.write_bytes(uri, b"to stay")
    assert len(forced) == 1


def test_what_could_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    for lasting in (True, False):
        with pytest.raises(KeyError), storage.writing(str(tmp_path / "file"), lasting) as path:
            path.write_bytes(b"half")
            raise KeyError
    assert list(tmp_path.iterdir()) == []
