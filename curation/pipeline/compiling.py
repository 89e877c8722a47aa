"""All kernels compiled, by using each once. They are kept beside their sources, or in the user's cache where that is read-only.

Those of some rooms lead to the text engine's, so two processes compile at once: `python -m curation.pipeline.compiling ROOM…`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType

import pyarrow as pa

from connectors.errors import UserError
from curation.dedup.signature import signatures
from curation.extract import fast_engine
from curation.quality import linear_model
from curation.quality.c4 import C4
from curation.quality.measure import shipped
from curation.quality.word_trie import WordTrie
from curation.run.documents import TEXT
from curation.text.columns import shared_batch, text_batch
from curation.text.kernels.compiling import are_kept
from curation.text.segmentation import Text

NAME = "curation.pipeline.compiling"
TEXT_ENGINE = "text"
PROCESSES = (  # rooms with kernels, by the process that compiles them: none is compiled by both, and both take about as long
    (TEXT_ENGINE, "dedup", "decontaminate"),
    ("extract.main_text", "extract", "tokenize"),
)
MARKDOWN = "extract.main_text.markdown"  # compiled with the second process's, where a recipe asks for it

# One of everything that leads to a kernel of its own: a citation, a phrase over two chunks, a character left to Python.
TEXTS = ["Some words (not many).\n\nAnd, once more, [1] some words! ( = It's ΑΣ.\n- a line", "a '", "…", ""]


def kernels_of(room: str) -> ModuleType:
    """A room's kernels: a module with the function `modules` and, but for the text engine and Markdown, `warm_up`."""
    return import_module(f"curation.{room}" if room == MARKDOWN else f"curation.{room}.kernels")


def prepare_kernels(say: Callable[[str], object], markdown: bool) -> None:
    """Compiles the kernels if not all are kept, and says so: so that workers don't, each for itself and without a word.

    Raises `UserError` where that fails.
    """
    first, second = PROCESSES
    processes = (first, (*second, MARKDOWN) if markdown else second)
    rooms = {room for rooms in processes for room in rooms}
    needed = {module.__name__ for room in rooms for module in kernels_of(room).modules()}
    if not are_kept(needed):
        say("compiling kernels (once a machine; a minute or two)")
        compile_kernels(processes)


def compile_kernels(processes: Sequence[Sequence[str]]) -> None:
    """Uses every kernel of these rooms, in a process for each group of them: two CPU minutes where none is compiled yet.

    Raises `UserError` with what the first that failed has to say.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    at_work = [
        subprocess.Popen([sys.executable, "-m", NAME, *rooms], env=environment, stderr=subprocess.PIPE, text=True)
        for rooms in processes
    ]
    said = [process.communicate()[1] for process in at_work]
    for process, errors in zip(at_work, said):
        if process.returncode:
            raise UserError(f"The kernels could not be compiled: {errors.strip()[-2000:]}")


def compile_room(room: str) -> None:
    """Uses every kernel of one room, so that it is compiled if it is not kept yet."""
    if room == TEXT_ENGINE:
        use_text_engine()
    elif room == MARKDOWN:
        fast_engine.main_text(b"<p>One page.</p>", format="markdown", comments="drop")
    else:
        kernels_of(room).warm_up()


def use_text_engine() -> None:
    """Uses every kernel that steps call on texts."""
    column = pa.array(TEXTS, pa.string())
    batch = text_batch(column)
    for measure in shipped().values():
        measure.values(batch)
    documents = pa.record_batch({TEXT: column})
    C4()(documents)
    for again in (column, pa.array(TEXTS, pa.string())):
        shared_batch(again)
    signatures(batch)
    assert Text(TEXTS[0]).words
    WordTrie.of(["a"]).count(TEXTS[0], whole_words=True)
    linear_model.train(
        [(f"{label} {number}", label) for label in ("good", "bad") for number in range(linear_model.MIN_ROWS)]
    )


if __name__ == "__main__":
    for given in sys.argv[1:]:
        compile_room(given)
