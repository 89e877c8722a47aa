"""`prove order` holds, and can fail."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from rich.console import Console

from trainer.data.plan import DataPlan
from trainer.data.source import Source
from trainer.prove import order
from trainer.prove.order import MUTANTS, Open, Proof, Row, compare, prove_order
from trainer.prove.toy_run import toy_training, write_toy_run


def test_it_holds() -> None:
    proof = prove_order()
    assert [row for row in proof.rows if row.differences] == []
    assert proof.holds
    assert sum(row.what.startswith("mutant caught") for row in proof.rows) == len(MUTANTS)


def test_it_prints_a_table_and_one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    for differences, figure in ((0, "0 of 5 comparisons differ"), (1, "1 of 5 comparisons differ")):
        monkeypatch.setattr(order, "prove_order", lambda found=differences: Proof([Row("a", 2, 0), Row("b", 3, found)]))
        written = io.StringIO()
        assert order.prove(Console(file=written, width=100)) is (differences == 0)
        assert written.getvalue().splitlines()[-1] == figure


def test_a_difference_or_an_empty_comparison_breaks_it() -> None:
    assert Proof([Row("same", 3, 0)]).holds
    assert not Proof([Row("same", 3, 0), Row("other", 3, 1)]).holds
    assert not Proof([Row("nothing", 0, 0)]).holds


def test_the_toy_run_has_two_stages_and_more_than_three_epochs(tmp_path: Path) -> None:
    write_toy_run(tmp_path)
    plan = DataPlan(toy_training("isolated"), tmp_path)
    assert plan.source_names == ["a", "b/c", "d"]
    assert min(plan.epochs(plan.steps)) < 3 < max(plan.epochs(plan.steps))


@pytest.mark.parametrize(("name", "opened", "resumed", "comparison"), MUTANTS)
def test_mutants(tmp_path: Path, name: str, opened: Open, resumed: Open, comparison: str) -> None:
    write_toy_run(tmp_path)
    found = [row.what for row in compare(toy_training("isolated"), tmp_path, opened, resumed) if row.differences]
    assert any(what.endswith(comparison) for what in found)
    if resumed is not opened:  # a mistake at resume is nowhere else to be seen
        assert found == ["isolated: stopped twice, resumed"]


def test_it_sees_one_wrong_token(tmp_path: Path) -> None:
    class OneTokenOff(DataPlan):
        def _open(self, shards: Path, name: str) -> Source:
            source = super()._open(shards, name)
            read = source.read

            def wrong(start: int, tokens: npt.NDArray[np.int64]) -> None:
                read(start, tokens)
                tokens[7] += self.source_names.index(name) == 2 and start == self.wrong

            source.read = wrong  # type: ignore[method-assign]
            return source

        wrong = -1

    write_toy_run(tmp_path)
    plan = DataPlan(toy_training("isolated"), tmp_path)
    samples = plan.samples(plan.numbers(30))
    OneTokenOff.wrong = int(samples.start[samples.source == 2][0])
    rows = {row.what: row.differences for row in compare(toy_training("isolated"), tmp_path, OneTokenOff)}
    assert rows["isolated: every field of the batch"] == 1
