"""Trains a model on a run's shards.

corpusmill train --run RUN
corpusmill train train.yaml --run RUN --ranks 4 --set layout.tensor=2 --set backend=megatron
torchrun --nproc-per-node 4 -- jobs/train.py train.yaml --run RUN       (`--`: or torchrun takes --run for its own)
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from connectors.errors import missing_extra
from jobs import command
from jobs.command import status
from trainer.backends.opening import check_layout
from trainer.config import Training
from trainer.launch import RankCrashed, hold_lifeline, is_rank, launch, reporting
from trainer.load_config import load_training, settled


def main(
    run: Annotated[Path, typer.Option("--run", "-r", help="Folder of a curated run; RUN/shards is trained on.")],
    config: Annotated[Path | None, typer.Argument(help="YAML file; without it, the defaults.")] = None,
    ranks: Annotated[
        int, typer.Option(min=1, help="Processes on this machine, where torchrun has not started them.")
    ] = 1,
    set: Annotated[
        list[str] | None, typer.Option("--set", "-s", help="Changes the configuration: key.key=value; may be repeated.")
    ] = None,
    change: Annotated[
        bool, typer.Option("--change", help="Go on from a checkpoint with another optimizer or schedule.")
    ] = False,
) -> None:
    """Train a model on a run's shards; the same command goes on where it stopped."""
    if not is_rank():
        for package in ("torch", "safetensors"):
            if importlib.util.find_spec(package) is None:
                raise missing_extra(package, "train")
    if is_rank():
        hold_lifeline()
        with reporting():
            _train(load_training(config, set or []), run, change)
    elif ranks == 1:
        _train(load_training(config, set or []), run, change)
    else:
        _launch(load_training(config, set or []), run, ranks, _arguments(run, config, set or [], change))


def _train(training: Training, run: Path, change: bool) -> None:
    """One rank's part."""
    from trainer.loop import train

    rank = int(os.environ.get("RANK", 0))
    outcome = train(training, run, console=status if rank == 0 else None, change=change, command=_command())
    if rank or outcome.stopped_by:
        return
    loss = "not finite" if outcome.loss is None else f"{outcome.loss:.4f}"
    held_out = " · no perplexity: nothing is left that was not trained on"
    if outcome.perplexity is not None:
        value = outcome.perplexity["perplexity"]
        held_out = f" · held-out perplexity {'not finite' if value is None else f'{value:,.2f}'}"
    status.print(
        f"✓ {outcome.folder}: {outcome.step} steps · loss {loss}{held_out}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _launch(training: Training, run: Path, ranks: int, arguments: list[str]) -> None:
    """Starts the ranks, once what can be known without them is right."""
    check_layout(training, ranks)
    settled(training, run)
    os.environ[_TYPED] = shlex.join(["corpusmill", "train", *arguments, "--ranks", str(ranks)])
    rank_command = [sys.executable, "-m", "jobs.train", *arguments]
    try:
        launch(rank_command, ranks, run / "train" / training.name / "logs")
    except RankCrashed as crash:
        status.print(str(crash), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


_TYPED = "CORPUSMILL_TYPED"  # the command that the user typed, for ranks that tell how to go on


def _arguments(run: Path, config: Path | None, changes: list[str], change: bool) -> list[str]:
    sets = [part for item in changes for part in ("--set", item)]
    return [*([str(config)] if config else []), "--run", str(run), *sets, *(["--change"] if change else [])]


def _command() -> str:
    """What the user types to go on."""
    if _TYPED in os.environ:
        return os.environ[_TYPED]
    if is_rank():
        return shlex.join(["torchrun", "--nproc-per-node", os.environ["WORLD_SIZE"], "--", *sys.argv])
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


if __name__ == "__main__":
    command.run(main)
