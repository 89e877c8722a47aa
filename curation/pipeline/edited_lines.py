"""Which lines of a document a step edits or drops, and why, found by showing it each line as a document of its own.

That works for every step that counts its edits and looks at lines one by one, whoever wrote it. Whether it did is checked: the
lines must account for all edits that the step counted in the whole document; where they do not, none is named.
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from curation.run.documents import EDIT, REASON, TEXT, Step, with_column

MOST_LINES = 20_000  # of a document that is looked at line by line


class EditedLine(NamedTuple):
    """A line between single newlines: its number from 1, where it stands in the text, the kinds of its edits."""

    number: int
    start: int
    stop: int
    kinds: tuple[str, ...]


def edits_of(step: Step, batch: pa.RecordBatch, row: int) -> dict[str, int]:
    """What a step counted in one document, by kind, zeros included."""
    prefix = f"{EDIT}{step.name}."
    return {
        name.removeprefix(prefix): int(batch.column(name)[row].as_py() or 0)
        for name in batch.schema.names
        if name.startswith(prefix)
    }


def edited_lines(step: Step, before: pa.RecordBatch, after: pa.RecordBatch) -> list[EditedLine]:
    """The lines of the one document of `before` that a step, which gave `after`, edited or ended the document by."""
    whole = edits_of(step, after, 0)
    text: str = before.column(TEXT)[0].as_py()
    lines = text.split("\n")
    if not whole or len(lines) > MOST_LINES:
        return []
    try:
        judged = step(_each_line(before, [*(line + "\n" for line in lines[:-1]), lines[-1], ""]))
    except Exception:  # a step of the user's own that cannot take a line for a document
        return []
    ending = _ending_line(after, judged)
    found: list[EditedLine] = []
    start = 0
    for number, line in enumerate(lines):
        counts = {kind: count for kind, count in edits_of(step, judged, number).items() if count}
        if any(count > whole[kind] for kind, count in counts.items()):
            break  # the document had ended before this line
        for kind, count in counts.items():
            whole[kind] -= count
        kinds = (*counts, *([after.column(REASON)[0].as_py()] if number == ending else []))
        if kinds:
            found.append(EditedLine(number + 1, start, start + len(line), kinds))
        start += len(line) + 1
    return found if not any(whole.values()) else []


def _each_line(batch: pa.RecordBatch, lines: list[str]) -> pa.RecordBatch:
    """A batch with a document for each line, in all other columns like the one of `batch`."""
    rows = batch.take(pa.array([0] * len(lines)))
    return with_column(rows, TEXT, pa.array(lines, batch.schema.field(TEXT).type))


def _ending_line(after: pa.RecordBatch, judged: pa.RecordBatch) -> int:
    """The first line that alone ends a document for the reason that ended the whole; -1 if an empty line, too, would."""
    if REASON not in after.schema.names or after.column(REASON)[0].as_py() is None:
        return -1
    *reasons, of_nothing = judged.column(REASON).to_pylist()
    reason = after.column(REASON)[0].as_py()
    return reasons.index(reason) if reason in reasons and reason != of_nothing else -1
