"""What only the local engine can be held to: its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.engines import local
from curation.engines.local import LocalEngine
from tests.engines import tasks
from tests.pipeline.prepared import ENVIRONMENT, ROOT

PARENT = """
import sys
from curation.engines.local import LocalEngine
from tests.engines import tasks
if __name__ == "__main__":
    list(LocalEngine(sys.argv[1], 2).map(tasks.sleep_and_tell, [(sys.argv[1], n) for n in range(2)]))
"""


def test_no_worker_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(program), str(tmp_path)], cwd=ROOT, env=ENVIRONMENT)
    try:
        wait_for(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        workers = [int(path.read_text()) for path in wait_written(tmp_path)]
        assert all(alive(worker) for worker in workers)
    finally:
        parent.kill()
        parent.wait()
    wait_for(lambda: not any(alive(worker) for worker in workers), seconds=10)


def test_close_ends_the_workers_at_once(tmp_path: Path) -> None:
    engine = LocalEngine(str(tmp_path), 2)
    results = engine.map(tasks.square, list(range(4)))
    next(results)
    workers = [pid for pool in engine._pools.values() for pid in pool._processes]
    started = time.monotonic()
    engine.close()
    assert time.monotonic() - started < 5
    assert workers and not any(alive(worker) for worker in workers)


def test_an_item_that_always_kills_ends_in_one_line_that_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "DEATHS_ALLOWED", 2)
    engine = LocalEngine(str(tmp_path), 1)
    try:
        with pytest.raises(UserError, match="3 workers died .* 1 tasks are left.*the same command goes on") as raised:
            list(engine.map(tasks.always_dies, [0]))
        assert "\n" not in str(raised.value)
    finally:
        engine.close()


def test_a_worker_killed_while_idle_is_replaced(tmp_path: Path) -> None:
    engine = LocalEngine(str(tmp_path), 1)
    try:
        assert dict(engine.map(tasks.square, [3])) == {0: 9}
        (worker,) = [pid for pool in engine._pools.values() for pid in pool._processes]
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: not alive(worker))
        assert dict(engine.map(tasks.square, [4])) == {0: 16}
    finally:
        engine.close()


def wait_written(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("*.pid"))
    wait_for(lambda: all(path.read_text() for path in paths))
    return paths


def alive(process: int) -> bool:
    """Whether a process is there and more than a dead child that nobody has asked about."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)
