"""Ranks end together, and what ended them is told once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connectors.errors import UserError
from trainer.launch import RankCrashed, launch

RANK = "import os, sys, time; rank = int(os.environ['RANK']); "


def ranks(code: str, folder: Path, count: int = 3, limit: float = 60) -> None:
    preamble = RANK + "from connectors.errors import UserError; from trainer.launch import reporting, hold_lifeline; "
    launch([sys.executable, "-c", preamble + code], count, folder, quiet=True, limit=limit)


def test_all_that_end_well_end_well(tmp_path: Path) -> None:
    ranks("print(rank, os.environ['WORLD_SIZE'], os.environ['LOCAL_RANK'], os.environ['MASTER_ADDR'])", tmp_path)
    assert (tmp_path / "rank-2.log").read_text() == "2 3 2 127.0.0.1\n"


def test_a_users_mistake_is_told_once_as_its_line(tmp_path: Path) -> None:
    code = "\nwith reporting():\n    if rank == 2: time.sleep(.3)\n    raise UserError('lower the rate')"
    with pytest.raises(UserError, match="^lower the rate$"):
        ranks(code, tmp_path)
    assert not any((tmp_path / f"rank-{rank}.log").read_text() for rank in range(3))


def test_a_rank_that_was_killed_is_named_and_the_others_end(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(UserError, match=r"Rank 1 of 3 was killed by SIGKILL \(out of memory, perhaps\)"):
        ranks("print(os.getpid(), flush=True); rank == 1 and os.kill(os.getpid(), 9); time.sleep(60)", tmp_path)
    assert time.monotonic() - start < 30
    for rank in range(3):
        number = (tmp_path / f"rank-{rank}.log").read_text().strip()
        assert not number or not Path(f"/proc/{number}").exists()


def test_a_crash_is_the_traceback_of_the_rank_that_failed_first(tmp_path: Path) -> None:
    code = "\nwith reporting():\n    if rank == 1: raise KeyError('ours')\n    time.sleep(1)\n    raise OSError('lost a peer')"
    with pytest.raises(RankCrashed, match="rank 1: Traceback(.|\n)*KeyError: 'ours'"):
        ranks(code, tmp_path)


def test_a_rank_that_hung_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Rank 0 of 3 hung"):
        ranks("rank == 0 and os._exit(4); time.sleep(60)", tmp_path)
    with pytest.raises(UserError, match="No end after 1 s"):
        ranks("time.sleep(60)", tmp_path, limit=1)


def test_a_port_in_use_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("MASTER_PORT", str(taken.getsockname()[1]))
        with pytest.raises(UserError, match="is in use or none: set MASTER_PORT"):
            ranks("pass", tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ranks_do_not_outlive_what_started_them(tmp_path: Path, number: int) -> None:
    rank = (
        "import os, time; from trainer.launch import hold_lifeline; hold_lifeline(); print(os.getpid(), flush=True); "
        "time.sleep(60)"
    )
    code = (
        "import sys; from pathlib import Path; from trainer.launch import launch; "
        f"launch([sys.executable, '-c', {rank!r}], 2, Path({str(tmp_path)!r}), quiet=True)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL, process_group=0)
    logs = [tmp_path / f"rank-{rank}.log" for rank in range(2)]
    deadline = time.monotonic() + 60
    while not all(log.exists() and log.read_text().strip() for log in logs):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    parent.send_signal(number)
    parent.wait(30)
    while any(_alive(int(log.read_text())) for log in logs):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
