"""What a process frees it has again, without the system clearing it anew. Measured by page faults, in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

SECOND_TIME = """
import resource, sys
import numpy as np
from curation.engines.freed_memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
faults = []
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for size in (40_000_000, 50_000_000):
        np.ones(size, np.uint8)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(faults[-1])
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", SECOND_TIME, how], check=True, capture_output=True, text=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has rules of its own")
def test_freed_memory_is_used_again() -> None:
    assert faults("kept") < 0.1 * faults("as it is") + 5
