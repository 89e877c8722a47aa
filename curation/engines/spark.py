"""The one door to Spark: tasks and blobs go through DataFrames (`mapInArrow`), so that Spark Connect works too.

Only paths and receipts pass the JVM; workers read and write text and blobs themselves. A job costs some 0.15 CPU s, a row
next to nothing: small items share a task.
"""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from connectors.errors import UserError, missing_extra
from curation.engines.blob_files import shuffle_by_files
from curation.engines.engine import Emit, Failure, Item, Reduce, Result, attempt
from curation.engines.freed_memory import keep_freed_memory

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TASKS_PER_CORE = 4  # small enough for an even load, large enough for the cost of a task
FAILURES_ALLOWED = 16  # of one task: a document that kills its worker is found by its deaths, see pipeline/at_risk.py

CONFIGURED_BY = ("PYSPARK_GATEWAY_PORT", "SPARK_REMOTE", "MASTER")  # spark-submit, Spark Connect, the user

LOCAL_SETTINGS = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # paths and receipts are no work to optimise machine code for
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
SETTINGS = {
    "spark.sql.adaptive.enabled": "false",  # it would merge small partitions, and so whole tasks
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(16 << 20),
}

_RESULT = "number long, result binary"


def open_session() -> tuple[SparkSession, bool]:
    """The active session, or a new one, and whether it is new: under spark-submit as that sets it, else on this machine."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise missing_extra("pyspark", "spark") from None
    active = SparkSession.getActiveSession()
    if active is not None:
        return active, False
    require_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("corpusmill")
    if not any(name in os.environ for name in CONFIGURED_BY):
        cores = len(os.sched_getaffinity(0))
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        for key, value in LOCAL_SETTINGS.items():
            builder = builder.config(key, value)
        builder = builder.master(f"local[{cores},{FAILURES_ALLOWED}]")
    session = builder.config("spark.task.maxFailures", FAILURES_ALLOWED).getOrCreate()
    if "SPARK_REMOTE" not in os.environ:
        session.sparkContext.setLogLevel("ERROR")
    return session, True


def require_java() -> None:
    """Raises `UserError` where Spark would have to start Java and there is none: its launcher tells that at length."""
    if "PYSPARK_GATEWAY_PORT" in os.environ or "SPARK_REMOTE" in os.environ:
        return
    home = os.environ.get("JAVA_HOME")
    if not (os.access(f"{home}/bin/java", os.X_OK) if home else shutil.which("java")):
        raise UserError(
            "Spark found no Java runtime: install Java 17 or newer, or set JAVA_HOME; ./corpusmill brings one itself"
        )


class SparkEngine:
    """Runs tasks on a Spark session.

    scratch     folder for what a shuffle puts down, which all workers reach, as they do the run's
    partitions  into how many tasks a stage is cut; default 4 a core
    """

    name = "spark"
    few, few_light = 8, 64  # a job costs some 0.15 CPU s whatever it does, and more while Java warms up

    def __init__(self, scratch: str, partitions: int | None = None) -> None:
        self.scratch = scratch
        self.session, self._own = open_session()
        for key, value in SETTINGS.items():
            self.session.conf.set(key, value)
        self.partitions = partitions or TASKS_PER_CORE * self._cores()

    def _cores(self) -> int:
        try:
            return int(self.session.sparkContext.defaultParallelism)
        except Exception:  # Spark Connect has no context
            return 16

    def map(
        self, task: Callable[[Item], Result], items: Sequence[Item], alike: bool = False
    ) -> Iterator[tuple[int, Result]]:
        """See `Engine.map`. Results come when the stage is done; they are small."""
        if not items:
            return

        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            keep_freed_memory()
            gc.freeze()  # pyspark's worker collects garbage after each task, and would look through all that is loaded
            for batch in batches:
                for row in batch.to_pylist():
                    result = pickle.dumps(attempt(task, pickle.loads(row["item"])))
                    yield pa.RecordBatch.from_pydict({"number": [row["number"]], "result": [result]})

        tasks = max(1, self.partitions // TASKS_PER_CORE) if alike else self.partitions
        for row in self._spread(items, tasks).mapInArrow(run, _RESULT).collect():
            result = pickle.loads(row["result"])
            if isinstance(result, Failure):
                raise result.error
            yield row["number"], result

    def shuffle(self, emit: Emit[Item], items: Sequence[Item], reduce: Reduce, partitions: int) -> Iterator[bytes]:
        """See `Engine.shuffle`: blobs lie in files, only their names pass the JVM."""
        yield from shuffle_by_files(self.map, f"{self.scratch}/shuffle", emit, items, reduce, partitions)

    def _spread(self, items: Sequence[Any], tasks: int) -> DataFrame:
        """One row an item, spread evenly over so many tasks in order. As a table, since rows would be a job of their own."""
        tasks = min(len(items), tasks)
        columns = {
            "number": range(len(items)),
            "item": [pickle.dumps(item) for item in items],
            "task": pa.array([number * tasks // len(items) for number in range(len(items))], pa.int32()),
        }
        return self.session.createDataFrame(pa.table(columns)).repartitionById(tasks, "task").drop("task")

    def close(self) -> None:
        """Stops the session if it was opened here."""
        if self._own:
            self.session.stop()
