"""All new files of an erasure moved into place, or none: written aside, listed in a journal, then renamed one by one.

    RUN/erasures/.new/…         the new files under their paths, whole
    RUN/erasures/journal.json   which they are, with their hashes; from the moment that it is there, the erasure will be done

A kill before the journal leaves the run as it was; a kill after it leaves a run that the next command finishes. The manifest is
moved last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from connectors import storage
from connectors.errors import UserError
from connectors.storage import Written
from curation.run.folder import RunFolder

FOLDER = "erasures"
NEW = f"{FOLDER}/.new"
JOURNAL = f"{FOLDER}/journal.json"


@dataclass(frozen=True, slots=True)
class Change:
    """A file of the run and what becomes of it. `before` is None for a new one, `after` for one that goes."""

    path: str
    before: Written | None
    after: Written | None


def aside(run: RunFolder, path: str) -> str:
    """Where the new form of a file is written."""
    return run.uri(f"{NEW}/{path}")


def clear(run: RunFolder) -> None:
    """Removes what an erasure that was never decided has left."""
    storage.remove_tree(run.uri(NEW))


def decide(run: RunFolder, changes: Sequence[Change], removed: Sequence[str]) -> None:
    """Writes the journal. `removed` are files and folders of the run that no manifest names."""
    moves = [{"path": change.path, **asdict(change.after)} for change in changes if change.after is not None]
    gone = [change.path for change in changes if change.after is None]
    content = {"moves": moves, "removed": [*gone, *removed]}
    storage.write_bytes(run.uri(JOURNAL), (json.dumps(content, indent=1) + "\n").encode())


def is_open(run: RunFolder) -> bool:
    """Whether an erasure was decided and is not done."""
    return storage.exists(run.uri(JOURNAL))


def carry_out(run: RunFolder) -> None:
    """Does what the journal says, from wherever it stands. Does nothing where there is none.

    Raises `UserError` where a file is neither aside nor in place.
    """
    if not is_open(run):
        return
    try:
        content = json.loads(storage.read_bytes(run.uri(JOURNAL)))
        moves = [(str(row["path"]), Written(row["bytes"], row["sha256"])) for row in content["moves"]]
        removed = [str(path) for path in content["removed"]]
        if any(path.startswith("/") or ".." in path.split("/") for path in [*removed, *(path for path, _ in moves)]):
            raise ValueError("a path outside of the run")
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{run.uri(JOURNAL)} is damaged: bring the run back from a copy, and erase again") from None
    for path, written in moves:
        new, target = storage.local_path(aside(run, path)), storage.local_path(run.uri(path))
        if new.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            new.replace(target)
        elif not target.exists() or storage.digest(str(target)) != written:
            raise UserError(
                f"{path} got lost in the middle of an erasure: bring the run back from a copy, and erase again"
            )
    for path in removed:
        local = storage.local_path(run.uri(path))
        if local.is_dir():
            storage.remove_tree(str(local))
        else:
            local.unlink(missing_ok=True)
    storage.local_path(run.uri(JOURNAL)).unlink()
    clear(run)
