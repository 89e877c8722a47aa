"""The commands as a person types them: what they print, where, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.pipeline.prepared import ENVIRONMENT, ROOT, command, content


def test_curate_prints_the_funnel_the_balance_and_what_to_ask_next(
    light_recipe: Path, light_run: Path, crawl: Path, tmp_path: Path
) -> None:
    words = ("curate", light_recipe, "-i", f"{crawl}/*.warc.gz", "-r", tmp_path / "run", "--workers", "2")
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert "Where every document went" in done.stdout and "The balance" in done.stdout
    assert "refine" in done.stderr and "documents" in done.stderr  # progress is no output
    assert content(tmp_path / "run") == content(light_run)
    asked = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("corpusmill ")]
    assert [line.split()[1] for line in asked] == ["why", "trace", "verify", "report"]
    assert all(str(tmp_path / "run") in line for line in asked)
    trace = next(line for line in asked if " trace " in line).split()[1:]
    assert command(*trace).returncode == 0

    again = command(*words)
    assert again.returncode == 0 and again.stdout == done.stdout
    assert again.stderr == ""  # nothing was left to do


def test_commands_end_well_when_their_reader_has_seen_enough(light_run: Path) -> None:
    pipe = f"{sys.executable} -m jobs.cli verify {light_run} | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], cwd=ROOT, env=ENVIRONMENT, capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stderr == b""


def test_control_c_says_that_the_same_command_goes_on(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    inputs = [word for n in range(8) for word in ("-i", f"part{n}={crawl}/*.warc.gz")]  # or it is done before it hears
    words = ["curate", str(light_recipe), *inputs, "-r", str(tmp_path / "run"), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", *words],
        cwd=ROOT,
        env=ENVIRONMENT,
        text=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests run in the background ignore it
    )
    until = time.monotonic() + 60
    while not list((tmp_path / "run").glob("receipts/refine/**/*.json")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped; the same command goes on where it stopped" in errors and "Traceback" not in errors


def test_every_command_has_help() -> None:
    listed = command("--help").stdout
    for word in ("curate", "why", "trace", "verify"):
        assert word in listed
        done = command(word, "--help")
        assert done.returncode == 0 and "Usage:" in done.stdout and len(done.stdout.splitlines()) > 8
