"""The command `train`: messages of one line with exit code 2, several ranks, and going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer.checkpoint import store
from trainer.prove.toy_run import write_toy_run

ROOT = Path(__file__).resolve().parents[2]
SMALL = [f"--set=model.{size}" for size in ("layers=1", "hidden=16", "heads=2", "feed_forward=32")]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_toy_run(tmp_path / "run")
    return tmp_path / "run"


def start(run: Path, *arguments: str, launcher: tuple[str, ...] = ("-m", "jobs.train")) -> subprocess.Popen[str]:
    command = [sys.executable, *launcher, "--run", str(run), *SMALL, *arguments]
    return subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, process_group=0)


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        _, said = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, said


def train(run: Path, *arguments: str) -> tuple[int, str]:
    return finished(start(run, *arguments))


@pytest.mark.timeout(200)
def test_two_ranks_train_and_one_goes_on(run: Path) -> None:
    code, said = train(run, "--ranks=2", "--set=schedule.steps=2")
    assert code == 0 and "2 steps · loss" in said and "held-out perplexity" in said
    code, said = train(run, "--set=schedule.steps=6", "--change")
    assert code == 0 and "Going on after step 2/6" in said and "nothing is left that was not trained on" in said
    assert len((run / "train" / "train" / "metrics.jsonl").read_text().splitlines()) == 6


@pytest.mark.timeout(200)
def test_a_signal_to_the_command_saves_on_all_ranks_and_says_how_to_go_on(run: Path) -> None:
    process = start(run, "--ranks=2", "--set=schedule.steps=100000")
    metrics = run / "train" / "train" / "metrics.jsonl"
    deadline = time.monotonic() + 90
    while not (metrics.exists() and metrics.stat().st_size):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    code, said = finished(process)
    assert code == 0 and "Stopped by SIGTERM after step" in said
    assert f"corpusmill train --run {run}" in said and "--ranks 2" in said
    found = store.latest(run / "train" / "train" / "checkpoints")
    assert found is not None and found.step == len(metrics.read_text().splitlines())


@pytest.mark.timeout(200)
def test_torchrun_starts_the_same_job(run: Path) -> None:
    launcher = (
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "--",
        str(ROOT / "jobs" / "train.py"),
    )
    code, said = finished(start(run, "--set=schedule.steps=2", launcher=launcher))
    assert code == 0 and "2 steps · loss" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--ranks=3",), "sequences=8 is not a multiple of micro=2 x 3"),
        (("--ranks=2", "--set=layout.tensor=2"), "the reference backend splits data only"),
        (("--ranks=2", "--set=backend=megatron", "--set=layout.tensor=4"), "does not divide 2 processes"),
        (("--set=model.layer=2",), "unknown key 'layer' in model"),
        (("--set=model.vocabulary=100",), "512 tokens, the model's vocabulary is 100"),
        (("--ranks=2", "--set=data.stages=[{blend: {web: 1}}]"), "'web', which is no source of the run"),
        (("--set=data.sequence_length=5000",), "too few for data.sequence_length"),
    ],
)
def test_a_mistake_is_one_line_before_any_rank_starts(run: Path, arguments: tuple[str, ...], said: str) -> None:
    code, line = train(run, *arguments)
    assert code == 2 and said in line and len(line.splitlines()) == 1 and line.startswith("corpusmill: ")


@pytest.mark.parametrize("broken", ["missing", "unfinished", "no shards"])
def test_a_run_that_is_no_finished_run_is_one_line(run: Path, broken: str) -> None:
    manifest = run / "manifest.json"
    content = json.loads(manifest.read_text())
    if broken == "missing":
        manifest.unlink()
    else:
        content |= {"status": "open"} if broken == "unfinished" else {"shards": []}
        manifest.write_text(json.dumps(content))
    said = {"missing": "holds no run", "unfinished": "is not finished", "no shards": "has no tokens to train on"}[
        broken
    ]
    code, line = train(run)
    assert code == 2 and said in line and len(line.splitlines()) == 1
