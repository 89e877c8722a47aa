"""All kernels compiled, by using each once. They are kept beside their sources, or in the user's cache where that is read-only."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType

import pyarrow as pa

from curation.decontaminate import kernels as decontaminate_kernels
from curation.dedup import kernels as dedup_kernels
from curation.dedup.signature import signatures
from curation.quality import linear_model
from curation.quality.c4 import C4
from curation.quality.measure import shipped
from curation.quality.word_trie import WordTrie
from curation.run.documents import TEXT
from curation.text.columns import text_batch
from curation.text.kernels.compiling import are_kept
from curation.text.segmentation import Text
from curation.tokenize import kernels as tokenize_kernels

ROOMS = (dedup_kernels, decontaminate_kernels, tokenize_kernels)  # that have kernels of their own, each warmed up alone
EXTRACTION = (
    "curation.extract.main_text.kernels"  # only where a recipe extracts with `fast`: they take as long as all others
)

# One of everything that leads to a kernel of its own: a citation, a phrase over two chunks, a character left to Python.
TEXTS = ["Some words (not many).\n\nAnd, once more, [1] some words! ( = It's ΑΣ.\n- a line", "…", ""]


def rooms(extraction: bool) -> list[ModuleType]:
    """The folders of kernels, with those of the engine `fast` where it is used."""
    return [*ROOMS, *([importlib.import_module(EXTRACTION)] if extraction else [])]


def prepare_kernels(say: Callable[[str], object], extraction: bool) -> None:
    """Compiles the kernels if none are kept, and says so: so that workers don't, each for itself and without a word."""
    for room in rooms(extraction):
        room.modules()  # those that are not imported would not be asked for
    if not are_kept():
        say(f"compiling kernels (once a machine; about {'two minutes' if extraction else 'a minute'})")
        compile_kernels(extraction)


def compile_kernels(extraction: bool) -> None:
    """Uses every kernel, at about a CPU minute where none is compiled yet (two with `extraction`) and a second where all are."""
    for room in rooms(extraction):
        room.warm_up()
    column = pa.array(TEXTS, pa.string())
    batch = text_batch(column)
    for measure in shipped().values():
        measure.values(batch)
    documents = pa.record_batch({TEXT: column})
    C4()(documents)
    signatures(batch)
    assert Text(TEXTS[0]).words
    WordTrie.of(["a"]).count(TEXTS[0], whole_words=True)
    linear_model.train(
        [(f"{label} {number}", label) for label in ("good", "bad") for number in range(linear_model.MIN_ROWS)]
    )
