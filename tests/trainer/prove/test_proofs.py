"""Proofs hold, and can fail. `corpusmill prove` runs all of them at full size; here are the parts that fit a test run."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from trainer.prove import mutants
from trainer.prove.compare import Difference, difference, report
from trainer.prove.resume import stopped_and_resumed
from trainer.prove.toy import Case, run_cases, toy_folder


def quiet() -> Console:
    return Console(record=True, width=200, file=open(os.devnull, "w"))


@pytest.mark.timeout(300)
def test_every_known_bug_is_caught_by_name() -> None:
    console = quiet()
    caught = mutants.prove(console)
    said = console.export_text()
    assert caught, said
    assert all(name in said for name in mutants.MUTANTS)
    assert said.strip().splitlines()[-1] == f"{len(mutants.MUTANTS)} of {len(mutants.MUTANTS)} known bugs caught"


@pytest.mark.timeout(300)
def test_data_parallel_ranks_train_as_one_process() -> None:
    base = Case("one", gradients=True, stop=6)
    others = [replace(base, name="two", ranks=2), replace(base, name="accumulated", micro=1)]
    with toy_folder() as folder:
        results = run_cases(folder, [base, *others])
        apart = {case.name: difference(results["one"], results[case.name]) for case in others}
        assert all(row.holds for row in apart.values()), apart
        assert len(results["one"].losses) == 6
    console = quiet()
    assert report(console, "title", apart, "the figure") and console.export_text().strip().endswith("the figure")


@pytest.mark.timeout(300)
def test_a_resume_that_forgets_the_optimizer_is_not_bit_equal() -> None:
    with toy_folder() as folder:
        row = stopped_and_resumed(folder, "reference", 1, {}, mutant="optimizer begins anew at resume")
    assert not row.holds and row.lines_that_differ and not row.tensors_equal
    assert row.story == "0 → killed at 14, 7 → stopped at 13, 13 → done at 20"


def test_what_is_not_a_number_does_not_hold() -> None:
    sound = Difference(0.0, 0.0, "", 0.0, 0.0, 0.0, 0.0, 0.0)
    assert sound.holds
    for name in ("first_loss", "gradient", "loss", "by_source", "forward"):
        assert not replace(sound, **{name: float("nan")}).holds
        assert not replace(sound, **{name: 1e-4}).holds
    assert not report(quiet(), "title", {}, "nothing compared")


def test_cases_of_a_world_leave_their_logs(tmp_path: Path) -> None:
    from trainer.launch import RankCrashed

    with toy_folder() as folder, pytest.raises(RankCrashed, match="rank 0: Traceback"):
        run_cases(folder, [Case("no such checkpoint", start=str(tmp_path / "none"), stop=1)])
