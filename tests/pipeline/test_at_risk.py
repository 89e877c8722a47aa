"""A document that kills its worker ends in quarantine, and no other document fares differently for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.audit.verify import verify
from curation.engines.engine import Engine
from curation.pipeline.at_risk import AtRisk
from curation.pipeline.curate import curate
from tests.pipeline import ledger_of
from tests.pipeline.prepared import LIGHT, ROOT


@pytest.fixture
def victims(light_run: Path) -> list[bytes]:
    """Two documents of one archive that are kept and that nobody is a duplicate of."""
    fates = ledger_of.fates(light_run)
    originals = {row["duplicate_of"] for row in fates.values()}
    archive = dict(zip(*[ledger_of.table(light_run, "records")[name].to_pylist() for name in ("doc_id", "archive")]))
    kept = [
        i for i, row in fates.items() if row["fate"] == "kept" and i not in originals and archive[i].startswith("00003")
    ]
    return sorted(kept)[:2]


@pytest.mark.parametrize("name", ["local", pytest.param("spark", marks=pytest.mark.spark)])
def test_deadly_documents_are_quarantined_and_all_others_are_as_ever(
    name: str, light_run: Path, crawl: Path, victims: list[bytes], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    opened: Engine = request.getfixturevalue("engine" if name == "local" else "spark_engine")
    urls = ledger_of.urls(light_run)
    step = {"tests.pipeline.deadly:DiesOfPages": {"urls": [urls[victim] for victim in victims]}}
    recipe = tmp_path / "deadly.yaml"
    recipe.write_text(LIGHT.replace("filters:\n", f"filters:\n  - {json.dumps(step)}\n"))

    summary = curate(str(recipe), f"{crawl}/*.warc.gz", str(tmp_path / "run"), engine=opened)

    expected = ledger_of.verdicts(light_run)
    expected |= dict.fromkeys(victims, ("quarantined", "read", "killed_worker"))
    assert ledger_of.verdicts(tmp_path / "run") == expected
    undisturbed = json.loads((light_run / "manifest.json").read_text())["sources"]["crawl"]
    assert summary.manifest["sources"]["crawl"] == undisturbed | {
        "kept": undisturbed["kept"] - len(victims),
        "quarantined": undisturbed["quarantined"] + len(victims),
    }
    assert verify(str(tmp_path / "run")) == []
    assert str(ROOT) not in (tmp_path / "run" / "manifest.json").read_text()  # nor where the step's module lies


BATCH = 4


def attempt_at(uri: str, session: str = "one command") -> AtRisk:
    return AtRisk.of_earlier_attempt(uri, session, BATCH)


def test_rows_in_hand_at_a_death_come_alone_and_the_one_that_kills_twice_alone_is_blamed(tmp_path: Path) -> None:
    uri = str(tmp_path / "note.json")
    attempt = attempt_at(uri)
    assert not attempt.suspects and not attempt.blamed
    attempt.take(10, 14)  # dies with four rows in hand
    attempt = attempt_at(uri)
    assert [row for row in range(20) if attempt.is_suspect(row)] == [10, 11, 12, 13]
    attempt.take(12, 13)  # dies of row 12 alone
    attempt = attempt_at(uri)
    assert not attempt.blamed
    attempt.take(11, 12)  # 11 goes well again
    attempt.take(12, 13)  # dies of row 12 again
    assert attempt_at(uri).blamed == {12}
    attempt_at(uri).take(13, 14)  # dies of another one: 12 stays blamed
    assert attempt_at(uri).blamed == {12}


def test_rows_that_went_well_alone_are_not_blamed_for_a_later_death(tmp_path: Path) -> None:
    uri = str(tmp_path / "note.json")
    attempt_at(uri).take(0, 3)
    for _ in range(5):
        attempt = attempt_at(uri)
        for row in range(3):
            attempt.take(row, row + 1)
        attempt.take(3, 200)  # killed from outside, each time in another batch
    assert attempt_at(uri).blamed == set()


def test_a_single_row_batch_is_blamed_no_sooner(tmp_path: Path) -> None:
    """With batches of one document, the first death makes it a suspect only."""
    uri = str(tmp_path / "note.json")
    attempt_at(uri).take(5, 6)
    assert attempt_at(uri).blamed == set()


def test_whoever_kills_the_whole_command_again_and_again_gets_nobody_blamed(tmp_path: Path) -> None:
    """A slow document that is in hand at every kill of the run: deaths of different commands do not add up."""
    uri = str(tmp_path / "note.json")
    for number in range(6):
        attempt = attempt_at(uri, f"command {number}")
        assert attempt.blamed == set()
        attempt.take(7, 8)


def test_an_error_is_nobodys_death(tmp_path: Path) -> None:
    uri = str(tmp_path / "note.json")
    for _ in range(4):
        attempt = attempt_at(uri)
        attempt.take(7, 9)
        attempt.release()
    attempt = attempt_at(uri)
    assert attempt.blamed == set() and not attempt.suspects


def test_a_row_that_cannot_even_be_read_ends_the_reading_before_it(tmp_path: Path) -> None:
    """Nothing in hand but the next row: dies while it is read, then alone twice."""
    uri = str(tmp_path / "note.json")
    attempt_at(uri).take(8, 8)
    attempt = attempt_at(uri)
    assert attempt.is_suspect(8) and attempt.is_suspect(8 + BATCH)
    attempt.take(9, 9)
    assert attempt_at(uri).unreadable == -1
    attempt_at(uri).take(9, 9)
    assert attempt_at(uri).unreadable == 9
