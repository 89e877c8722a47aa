"""Cases for proofs: a toy model trained a few steps in some layout, all cases of one world size by one set of processes.

A case leaves a checkpoint, its gradients among the tensors if asked for, and a record of losses: what proofs compare.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainer.config import Layout, Training
from trainer.launch import launch
from trainer.prove.toy_run import VOCABULARY, write_toy_run

STEPS = 20
LIMIT = 300.0  # seconds for all cases of a world size


@dataclass(frozen=True)
class Case:
    """What is trained. `ranks` processes; `first` to `stop` are its steps; `start` is a checkpoint to load before."""

    name: str
    backend: str = "reference"
    architecture: str = "llama"
    ranks: int = 1
    tensor: int = 1
    pipeline: int = 1
    sequence_parallel: bool = False
    micro: int = 2
    first: int = 0
    stop: int = STEPS
    start: str = ""
    resaved: bool = False  # what was loaded is saved again before the first step
    gradients: bool = False  # of the first step are kept and saved
    mutant: str = ""

    def training(self) -> Training:
        """The configuration that the case stands for."""
        return toy_training(
            self.architecture,
            backend=self.backend,
            layout=Layout(tensor=self.tensor, pipeline=self.pipeline, sequence_parallel=self.sequence_parallel),
            batch={"sequences": 8, "micro": self.micro},
        )


def toy_training(architecture: str = "llama", **parts: Any) -> Training:
    """Four layers, hidden 64, S 64, vocabulary 512, three sources, AdamW with warm-up, decay and clipping."""
    plain = {
        "data": {"sequence_length": 64, "seed": 3, "documents": "isolated"},
        "batch": {"sequences": 8, "micro": 2},
        "model": {
            "architecture": architecture,
            "layers": 4,
            "hidden": 64,
            "heads": 4,
            "kv_heads": 2 if architecture == "llama" else None,
            "vocabulary": VOCABULARY,
        },
        "schedule": {"name": "cosine", "steps": STEPS, "warmup": 5},
    }
    return Training.model_validate(plain | parts)


@dataclass(frozen=True)
class Result:
    """What a case came to: a number a step, and where its checkpoints lie. `failed` says why it came to nothing."""

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    by_source: list[list[list[float]]] = field(default_factory=list)
    forward: float = 0.0  # forward only, after the last step
    folder: Path = Path()
    failed: str = ""

    @property
    def after_first(self) -> Path:
        """The checkpoint after the first step, with its gradients."""
        return self.folder / "first"

    @property
    def loaded(self) -> Path:
        """The checkpoint that was saved again as it was loaded."""
        return self.folder / "loaded"

    @property
    def last(self) -> Path:
        """The checkpoint after the last step."""
        return self.folder / "last"


@contextmanager
def toy_folder() -> Iterator[Path]:
    """A temporary folder with a toy run in `run`."""
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        write_toy_run(Path(folder) / "run")
        yield Path(folder)


def run_cases(folder: Path, cases: Sequence[Case]) -> dict[str, Result]:
    """Runs the cases, those of one world size by one set of processes; results by name. Raises `UserError` for a hang."""
    for ranks in sorted({case.ranks for case in cases}):
        task = folder / f"task-{ranks}.json"
        task.write_text(json.dumps([asdict(case) for case in cases if case.ranks == ranks]))
        start(folder, ["-m", "trainer.prove.toy_rank", str(task)], ranks)
    return {case.name: _result(folder / "cases" / case.name) for case in cases}


def start(folder: Path, arguments: Sequence[str], ranks: int) -> None:
    """Runs Python on `ranks` processes that see no accelerator, with a thread each."""
    environment = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1"}
    launch([sys.executable, *arguments], ranks, folder / "logs", quiet=True, limit=LIMIT, environment=environment)


def _result(folder: Path) -> Result:
    return Result(**json.loads((folder / "result.json").read_bytes()), folder=folder)
