"""A kill at any moment leaves a run that the same command finishes, with the bytes of a run that nobody disturbed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors import storage
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from tests.pipeline.prepared import ENVIRONMENT, ROOT, content

Files = dict[str, tuple[int, int]]

MOMENTS: dict[str, Callable[[Path], bool]] = {
    "a batch is in hand": lambda run: bool(list(run.glob("work/at_risk/**/*.json"))),
    "a few splits are refined": lambda run: len(receipts(run, "refine")) >= 3,
    "most splits are refined": lambda run: len(receipts(run, "refine")) >= 8,
    "duplicates are being found": lambda run: len(receipts(run, "refine")) == 10,
    "candidates are compared": lambda run: "near-0-compared.json" in receipts(run, "dedup"),
    "near duplicates are decided": lambda run: "near-0-decided.json" in receipts(run, "dedup"),
    "the vocabulary is there": lambda run: bool(receipts(run, "vocabulary")),
    "some units are finished": lambda run: len(receipts(run, "finish")) >= 2,
    "some shards are made": lambda run: len(receipts(run, "shards")) >= 1,
}


def test_killed_again_and_again_the_run_ends_with_the_same_bytes_and_repeats_nothing(
    light_run: Path, light_recipe: Path, crawl: Path, tmp_path: Path
) -> None:
    """SIGKILL to the whole process group at nine moments of one run, in both passes and between them."""
    run = tmp_path / "run"
    words = ["curate", str(light_recipe), "-i", f"{crawl}/*.warc.gz", "-r", str(run), "--workers", "2"]
    for name, moment in MOMENTS.items():
        before = receipts(run)
        process = subprocess.Popen(
            ["nice", "-n", "19", sys.executable, "-m", "jobs.cli", *words],  # so that it never outruns who watches it
            cwd=ROOT,
            env=ENVIRONMENT,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until = time.monotonic() + 120
        while not moment(run):
            assert process.poll() is None, f"{name}: the run ended before it could be killed"
            assert time.monotonic() < until, name
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
        _, errors = process.communicate()
        assert b"Traceback" not in errors, errors.decode()
        assert json.loads((run / "manifest.json").read_text())["status"] == "open", name
        assert before.items() <= receipts(run).items(), f"{name}: what had its receipt was done again"
    before = receipts(run)
    done = subprocess.run([sys.executable, "-m", "jobs.cli", *words], cwd=ROOT, env=ENVIRONMENT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert content(run) == content(light_run)
    assert before.items() <= receipts(run).items()
    assert not list(run.rglob(f"*{storage.PARTIAL}")) and not (run / "work").exists()


def test_killed_while_it_is_being_opened_the_run_begins_again(
    light_run: Path, light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    """What a kill between the first files of a run leaves: a half-written manifest, or the file that tries the folder."""
    run = tmp_path / "run"
    run.mkdir()
    (run / f".manifest.json.123{storage.PARTIAL}").write_text('{"status": "op')
    (run / ".writable").touch()
    curate(str(light_recipe), f"{crawl}/*.warc.gz", str(run), engine=engine)
    assert content(run) == content(light_run)


def test_killed_before_work_was_removed_the_same_command_removes_it(
    light_run: Path, light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    curate(str(light_recipe), f"{crawl}/*.warc.gz", str(run), engine=engine, keep_work=True)
    assert (run / "work" / "survivors").is_dir()
    before = receipts(run)
    curate(str(light_recipe), f"{crawl}/*.warc.gz", str(run), engine=engine)
    assert content(run) == content(light_run) and not (run / "work").exists()
    assert receipts(run) == before


def test_a_receipt_whose_output_is_gone_or_cut_counts_for_nothing(
    light_run: Path, light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    curate(str(light_recipe), f"{crawl}/*.warc.gz", str(run), engine=engine, keep_work=True)
    reopen(run)
    gone, cut = "crawl/00002.warc.gz", "crawl/00004.warc.gz"
    (run / "work" / "survivors" / f"{gone}.parquet").unlink()
    path = run / "ledger" / "records" / f"{cut}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    before = receipts(run, "refine")
    curate(str(light_recipe), f"{crawl}/*.warc.gz", str(run), engine=engine)
    after = receipts(run, "refine")
    assert {name for name in before if before[name] != after[name]} == {"00002.warc.gz.json", "00004.warc.gz.json"}
    assert content(run) == content(light_run)


def test_a_worker_that_is_killed_from_outside_changes_nothing(
    light_run: Path, light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    """One kill of a worker in each pass, as the kernel does when memory runs out."""
    run = tmp_path / "run"
    killed: list[int] = []

    def kill_one_in(stage: str) -> None:
        while not receipts(run, stage):
            time.sleep(0.001)
        worker = next(pid for pool in list(engine._pools.values()) for pid in list(pool._processes))
        os.kill(worker, signal.SIGKILL)
        killed.append(worker)

    killers = [threading.Thread(target=kill_one_in, args=(stage,), daemon=True) for stage in ("refine", "finish")]
    for killer in killers:
        killer.start()
    curate(str(light_recipe), f"{crawl}/*.warc.gz", str(run), engine=engine, batch_documents=5)
    for killer in killers:
        killer.join(5)
    assert len(set(killed)) == 2
    assert content(run) == content(light_run)


@pytest.mark.parametrize("times", [1, 3])
def test_an_earlier_attempts_note_only_makes_a_batch_slower(
    light_run: Path, light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path, times: int
) -> None:
    """Suspects in every archive: rows taken one by one give the same bytes."""
    run = tmp_path / "run"
    for number in range(10):
        path = run / "work" / "at_risk" / "refine" / "crawl" / f"{number:05d}.warc.gz.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"session": "", "in_hand": [3, 20 * times], "deaths": 0}))
    (run / "manifest.json").write_text((light_run / "manifest.json").read_text())
    reopen(run)
    curate(str(light_recipe), f"{crawl}/*.warc.gz", str(run), engine=engine)
    assert {path: sha for path, sha in content(run).items() if path != "recipe.yaml"} == {
        path: sha for path, sha in content(light_run).items() if path != "recipe.yaml"
    }


def reopen(run: Path) -> None:
    """Makes a finished run look as if it had been killed just before it was closed."""
    manifest = json.loads((run / "manifest.json").read_text())
    opened = {"status": "open", "plan_digest": manifest["plan_digest"], "plan": manifest["plan"]}
    (run / "manifest.json").write_text(json.dumps(opened))


def receipts(run: Path, stage: str = "") -> Files:
    """Receipts with the time and the inode of their files."""
    folder = run / "receipts" / stage
    found: Files = {}
    for path in folder.rglob("*.json"):
        state = path.stat()
        found[path.relative_to(folder).as_posix().removeprefix("crawl/")] = (state.st_mtime_ns, state.st_ino)
    return found
