"""The same command goes on where it stopped, to the same bits; what is wrong is said in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import UserError
from trainer.checkpoint import store
from trainer.loop import Outcome, _Session, train
from trainer.metrics import read_metrics
from trainer.prove.toy import toy_training
from trainer.prove.toy_run import write_toy_run

ROOT = Path(__file__).resolve().parents[2]
TIMES = ("seconds", "tokens_per_second")
STEPS = 20


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_toy_run(tmp_path / "run")
    return tmp_path / "run"


def small(name: str, **parts: Any) -> Any:
    plain = toy_training(**({"checkpoint": {"every": 6, "keep_last": 2}} | parts)).model_dump()
    plain["model"] |= {"layers": 1, "hidden": 16, "heads": 2, "kv_heads": 2, "feed_forward": 32}
    return type(toy_training()).model_validate(plain | {"name": name})


def lines(run: Path, name: str) -> list[dict[str, Any]]:
    records = read_metrics(run / "train" / name / "metrics.jsonl")
    return [{key: value for key, value in record.items() if key not in TIMES} for record in records]


def last(run: Path, name: str) -> store.Checkpoint:
    return store.Checkpoint(run / "train" / name / "checkpoints" / store.folder_name(STEPS))


def trained(run: Path, config: Any, **given: Any) -> Outcome:
    return train(config, run, **given)


def test_a_run_leaves_config_metrics_checkpoints_and_perplexity(run: Path) -> None:
    outcome = trained(run, small("a"))
    folder = run / "train" / "a"
    records = read_metrics(folder / "metrics.jsonl")
    assert outcome.step == STEPS and outcome.loss == records[-1]["loss"]
    assert [record["step"] for record in records] == list(range(STEPS))
    assert records[-1]["samples"] == STEPS * 8 and records[-1]["tokens"] == STEPS * 8 * 64
    assert list(store.list_checkpoints(folder / "checkpoints")) == [18, 20], "two are kept, the last step's among them"
    for record in records:
        by_source = record["loss_by_source"]
        assert set(by_source) <= {"a", "b/c", "d"} and min(by_source.values()) <= record["loss"] <= max(
            by_source.values()
        )
    assert "sequence_length: 64" in (folder / "config.yaml").read_text()
    again = trained(run, small("a"))
    assert (again.step, again.perplexity) == (outcome.step, outcome.perplexity)
    assert read_metrics(folder / "metrics.jsonl") == records, "a finished run is left as it is"


def program(run: Path, config: Any, task: Path, events: str = "") -> subprocess.Popen[bytes]:
    """A real process that trains; `events` is Python that runs before."""
    task.write_text(json.dumps(config.model_dump()))
    code = f"""
import json, os, signal, sys
from pathlib import Path
from trainer.config import Training
from trainer.loop import _Session, train
from trainer.checkpoint import store
def at_step(step, number):
    account = _Session._account
    def wrapped(self, *given):
        account(self, *given)
        if self.step == step:
            os.kill(os.getpid(), number)
    _Session._account = wrapped
{events}
outcome = train(Training.model_validate(json.loads(Path({str(task)!r}).read_text())), {str(run)!r})
print(outcome.step, outcome.stopped_by)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1"}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, process_group=0)


def finished(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    try:
        output, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, output.decode().strip()


@pytest.mark.timeout(300)
def test_killed_and_stopped_and_resumed_has_the_same_bits(run: Path, tmp_path: Path) -> None:
    trained(run, small("straight"))
    task = tmp_path / "task.json"
    events = ("at_step(8, signal.SIGKILL)", "at_step(15, signal.SIGTERM)", "")
    ends = [finished(program(run, small("stopped"), task, event)) for event in events]
    assert ends == [(-signal.SIGKILL, ""), (0, "15 SIGTERM"), (0, f"{STEPS}")]
    assert lines(run, "stopped") == lines(run, "straight")
    assert store.equal_tensors(last(run, "stopped"), last(run, "straight"))


def test_a_packed_training_stopped_and_gone_on_with_has_the_same_bits(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"sequence_length": 64, "seed": 3, "documents": "isolated", "packing": "best_fit"}
    trained(run, small("straight", data=data))
    account = _Session._account

    def stopping(self: _Session, *given: Any) -> None:
        account(self, *given)
        if self.step == 8:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(_Session, "_account", stopping)
        assert trained(run, small("stopped", data=data)).stopped_by == "SIGTERM"
    assert trained(run, small("stopped", data=data)).step == STEPS
    assert lines(run, "stopped") == lines(run, "straight")
    assert store.equal_tensors(last(run, "stopped"), last(run, "straight"))
    full = json.loads((run / "train" / "stopped" / "packing.json").read_text())
    assert full["sequence_length"] == 64 and list(full["by_source"]) == ["a", "b/c", "d"]


@pytest.mark.timeout(120)
def test_a_step_that_never_ends_leaves_stacks_and_a_code(run: Path, tmp_path: Path) -> None:
    code = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from trainer.faults import Watchdog
with Watchdog(shortest=0.5) as watchdog:
    watchdog.beat()
    def waits_for_ever():
        time.sleep(60)
    waits_for_ever()
"""
    start = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 4 and "waits_for_ever" in ended.stderr and "No step has ended" in ended.stderr
    assert time.monotonic() - start < 30


def change(config: Any, **parts: dict[str, Any]) -> Any:
    plain = config.model_dump()
    for part, values in parts.items():
        plain[part] |= values
    return type(config).model_validate(plain)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"model": {"layers": 2}}, "model.layers was 1, is 2"),
        ({"data": {"sequence_length": 32}}, "data.sequence_length was 64, is 32"),
        ({"data": {"seed": 4}}, "data.seed was 3, is 4"),
        ({"batch": {"sequences": 16}}, "batch.sequences was 8, is 16"),
        ({"optimizer": {"lr": 0.5}}, r"optimizer.lr was 0.001, is 0.5 \(--change allows it\)"),
    ],
)
def test_another_configuration_of_the_same_name_is_refused(run: Path, parts: Any, said: str) -> None:
    config = small("a", schedule={"steps": 1})
    trained(run, config)
    with pytest.raises(UserError, match=f"another configuration: {said}. Put it back") as error:
        trained(run, change(config, **parts))
    assert "\n" not in str(error.value)


def test_layout_of_micro_batches_and_cadence_may_change(run: Path) -> None:
    config = small("a", schedule={"steps": 2})
    trained(run, config)
    longer = change(config, schedule={"steps": 4}, batch={"micro": 4}, checkpoint={"every": 1})
    outcome = trained(run, longer, change=True)
    assert outcome.step == 4
    lineage = store.Checkpoint(run / "train" / "a" / "checkpoints" / store.folder_name(4)).state["lineage"]
    assert [entry["from_step"] for entry in lineage] == [0, 2] and lineage[1]["micro"] == 4


def test_another_tokenizer_is_refused(run: Path) -> None:
    config = small("a", schedule={"steps": 1})
    trained(run, config)
    manifest = run / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"toy"', '"another"'))
    with pytest.raises(UserError, match="the tokenizer's digest was toy, is another"):
        trained(run, config)


def test_other_shards_are_refused(run: Path) -> None:
    config = small("a", schedule={"steps": 1})
    trained(run, config)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"]["shards/a/00000.bin"]["sha256"] = "0" * 64
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="plan differs: shard 0 is another"):
        trained(run, config)


def test_a_broken_checkpoint_is_said_and_the_one_before_it_is_taken(run: Path) -> None:
    from rich.console import Console

    trained(run, small("a"))
    path = run / "train" / "a" / "checkpoints" / store.folder_name(STEPS) / "tensors" / "0.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    console = Console(record=True, width=200, file=open(os.devnull, "w"))  # noqa: SIM115
    assert trained(run, small("a"), console=console).step == STEPS
    said = console.export_text()
    assert (
        "Broken checkpoint step-00000020: tensors/0.safetensors has" in said and "going on from step-00000018" in said
    )
    path.unlink()
    for folder in (run / "train" / "a" / "checkpoints").iterdir():
        (folder / "manifest.json").unlink()
    with pytest.raises(UserError, match="No checkpoint .* is whole"):
        trained(run, small("a"))


def test_a_torn_line_of_metrics_is_cut(run: Path) -> None:
    trained(run, small("a"))
    expected, path = lines(run, "a"), run / "train" / "a" / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + b'{"step": 99, "lo')
    (run / "train" / "a" / "checkpoints" / store.folder_name(20)).rename(run / "gone")
    trained(run, small("a"))
    assert lines(run, "a") == expected


def test_two_at_once_are_refused(run: Path) -> None:
    import fcntl

    trained(run, small("a", schedule={"steps": 1}))
    with (run / "train" / "a" / ".lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="being trained by another process"):
            trained(run, small("a", schedule={"steps": 1}))


def test_held_out_samples_were_never_trained_on(run: Path) -> None:
    import numpy as np

    from trainer.data.plan import DataPlan
    from trainer.evaluate.perplexity import held_out_batches, held_out_samples

    plan = DataPlan(small("a", schedule={"steps": 2}), run)
    numbers = held_out_samples(plan)
    seen = plan.samples(np.arange(plan.first_sample(plan.steps)))
    kept = plan.samples(numbers)
    assert len(numbers) and numbers.min() >= plan.first_sample(plan.steps)
    assert not set(zip(seen.source, seen.chunk)) & set(zip(kept.source, kept.chunk))
    for data in (1, 2, 3):  # whatever the layout: the same weights in all, as many micro-batches on each rank
        ranks = [list(held_out_batches(plan, rank, data)) for rank in range(data)]
        assert len({len(batches) for batches in ranks}) == 1
        weights = sum(float(batch.weights_BS.sum()) for batches in ranks for batch in batches)
        assert weights == plan.trained(kept)
