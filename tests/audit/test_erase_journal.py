"""The journal of an erasure names files of its run, whoever wrote it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.audit.erase import journal
from curation.run.folder import RunFolder


@pytest.mark.parametrize("path", ["../outside", "ledger/../../outside", "/outside"])
@pytest.mark.parametrize("part", ["removed", "moves"])
def test_a_path_outside_of_the_run_is_refused(tmp_path: Path, path: str, part: str) -> None:
    outside, run = tmp_path / "outside", tmp_path / "run"
    outside.write_text("not the run's")
    moves = [{"path": path, "bytes": 1, "sha256": ""}] if part == "moves" else []
    (run / journal.JOURNAL).parent.mkdir(parents=True)
    (run / journal.JOURNAL).write_text(json.dumps({"moves": moves, "removed": [path] if part == "removed" else []}))
    with pytest.raises(UserError, match=r"journal.json is damaged"):
        journal.carry_out(RunFolder(str(run)))
    assert outside.read_text() == "not the run's"
