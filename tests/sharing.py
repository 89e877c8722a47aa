"""How workers share the tests: what stays together, and what comes first.

A file stays with one worker, for its fixtures. Each page of the docs is work of its own, as it takes a minute; all that needs
Spark stays together, so that one session is started. The longest comes first, or one worker would wait for the other at
the end: xdist's own order is by number of tests, and the longest have few.
"""

from __future__ import annotations

from typing import Any

import pytest

DOCS = "tests/docs/test_documents.py"
SPARK = (
    "tests/pipeline/test_spark_bytes.py",
    "tests/pipeline/test_at_risk.py",
    "tests/pipeline/test_deduplicate.py",
    "tests/pipeline/test_repeated_spans.py",
    "tests/pipeline/test_full_disk.py",
    "tests/pipeline/test_table.py",
    "tests/engines/test_engines.py",
    "tests/dedup/test_quality.py",
)
LONGEST = (*SPARK, DOCS, "tests/trainer/", "tests/pipeline/", "tests/audit/", "tests/jobs/", "tests/report/")


def part(test: str) -> str:
    """What a test, named by its node, stays together with."""
    file = test.partition("::")[0]
    return "Spark" if file in SPARK else test if file == DOCS else file


def place(test: str) -> int:
    """Where a test stands among all."""
    return next((number for number, begin in enumerate(LONGEST) if test.startswith(begin)), len(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hands out parts, in the order in which they come."""
    from xdist.scheduler import LoadScopeScheduling

    class Parts(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return part(nodeid)

    config.option.loadscopereorder = False
    return Parts(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the longest first, on every worker alike."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place(item.nodeid))
