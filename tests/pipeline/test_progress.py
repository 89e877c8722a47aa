"""Progress: figures of finished units and of those at work, the same whatever engine does the work."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path

import pytest
from rich.console import Console

from connectors import storage
from curation.engines.local import LocalEngine
from curation.pipeline import progress
from curation.pipeline.curate import curate
from curation.pipeline.progress import RunProgress, StageWatch, figures
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run in the middle of `refine`: one split done, one at work, one not begun."""
    folder = RunFolder(str(tmp_path / "run"))
    done = Receipt("s/a", "plan", "s", 100, 1_000_000, {}, {}, {"survivors": 40}, {})
    storage.write_bytes(folder.uri(folder.receipt("refine", "s/a")), done.to_json())
    beat = json.dumps({"documents": 50, "bytes": 500_000, "kept": 35})
    storage.write_bytes(folder.uri(folder.heartbeat("refine", "s/b")), beat.encode())
    return folder


SIZES = {"s/a": 1_000_000, "s/b": 2_000_000, "s/c": 3_000_000}


def test_a_watch_adds_what_is_done_and_what_is_at_work(run: RunFolder) -> None:
    watch = StageWatch(run, "refine", SIZES)
    assert watch.look() == (150, 75, 1_500_000)
    storage.write_bytes(run.uri(run.heartbeat("refine", "s/c")), b'{"documents": 1, "bytes": 9000000, "kept": 1}')
    assert watch.look() == (151, 76, 4_500_000)  # no unit is more than done


def test_a_watch_reads_a_receipt_once(run: RunFolder) -> None:
    watch = StageWatch(run, "refine", SIZES)
    watch.look()
    storage.local_path(run.uri(run.receipt("refine", "s/a"))).unlink()
    assert watch.look() == (150, 75, 1_500_000)


def test_the_figures_are_documents_speed_and_share(run: RunFolder) -> None:
    watch = StageWatch(run, "refine", SIZES)
    shown = figures(watch.look(), time.monotonic() - 3)
    assert re.fullmatch(r" +150 documents +0\.5 MB/s +50 % kept", shown), shown
    assert StageWatch(run, "dedup", {}).look() == (0, 0, 0)


def test_a_long_stage_shows_its_figures_in_lines_where_nobody_watches_a_terminal(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.1)
    heard = io.StringIO()
    with RunProgress(Console(file=heard, width=120), run).stage("refine", "refine", list(SIZES.items())):
        time.sleep(0.5)
    lines = heard.getvalue().splitlines()
    assert 3 <= len(lines) <= 7
    assert all(re.match(r"refine +150 documents .* 50 % kept", line) for line in lines), lines
    assert re.search(r" in \d+\.\d s$", lines[-1])


def test_a_terminal_gets_a_bar_with_the_time_left(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LOOKS", 0.02)
    heard = io.StringIO()
    console = Console(file=heard, width=120, force_terminal=True, _environ={"TERM": "xterm"})
    with RunProgress(console, run).stage("refine", "refine", list(SIZES.items())):
        time.sleep(0.3)
    assert "150 documents" in heard.getvalue() and "left" in heard.getvalue() and "50 % kept" in heard.getvalue()


def test_a_stage_that_fails_ends_its_watcher_and_passes_the_error_on(run: RunFolder) -> None:
    with pytest.raises(RuntimeError, match="of the work"):
        with RunProgress(Console(file=io.StringIO()), run).stage("refine", "refine", list(SIZES.items())):
            raise RuntimeError("of the work")


def test_without_a_console_nothing_is_said(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with RunProgress(None, run).stage("refine", "refine", list(SIZES.items())):
        pass
    assert capsys.readouterr() == ("", "")


def test_every_stage_of_a_run_reports_and_finish_tells_how_far_it_is(
    light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    heard = io.StringIO()
    console = Console(file=heard, width=120)
    run = tmp_path / "run"
    curate(str(light_recipe), str(crawl), str(run), engine=engine, console=console, keep_work=True)
    lines = heard.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["refine", "dedup", "vocabulary", "finish", "shards", "places"]
    beats = [json.loads(path.read_text()) for path in sorted(run.glob("work/heartbeats/finish/**/*.json"))]
    assert beats and all(beat["bytes"] > 0 and beat["kept"] > 0 for beat in beats)
