"""An engine by its name."""

from __future__ import annotations

from connectors.errors import UserError, nearest
from curation.engines.engine import Engine
from curation.engines.freed_memory import keep_freed_memory
from curation.engines.local import LocalEngine
from curation.engines.spark import SparkEngine

ENGINES = ("local", "spark")


def require_known(name: str) -> None:
    """Raises `UserError` for a name that is no engine's."""
    if name not in ENGINES:
        raise UserError(f"Unknown engine '{name}'.{nearest(name, ENGINES)}")


def open_engine(name: str, scratch: str, workers: int | None = None, partitions: int | None = None) -> Engine:
    """The engine by name. Raises `UserError` for an unknown one.

    scratch     folder for what a shuffle puts down
    workers     processes of the local engine
    partitions  tasks that a Spark stage is cut into
    """
    require_known(name)
    keep_freed_memory()  # who opens an engine does itself what is little
    return LocalEngine(scratch, workers) if name == "local" else SparkEngine(scratch, partitions)
