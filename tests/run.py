"""All checks, one after another: lint, types, import rules, tests. Ends with pytest's summary; stops at the first that fails.

./corpusmill test            everything
./corpusmill test -k ledger  only pytest, with its own arguments
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = {
    "lint": ["ruff", "check", "--no-cache", "."],
    "format": ["ruff", "format", "--no-cache", "--check", "--quiet", "."],
    "types": ["mypy"],
    "import rules": ["lint-imports", "--no-cache"],
}


def run(title: str, command: list[str]) -> None:
    """Runs one check from the root; ends the program if it fails."""
    started = time.monotonic()
    print(f"── {title}: {' '.join(command)}", flush=True)
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode
    print(f"── {title}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True)
    if code:
        sys.exit(code)


if __name__ == "__main__":
    given = sys.argv[1:]
    if not given:
        for title, command in CHECKS.items():
            run(title, command)
    workers = [] if given else ["-n", str(min(4, len(os.sched_getaffinity(0)))), "--dist", "loadfile"]
    run("tests", [sys.executable, "-m", "pytest", *workers, *given])
