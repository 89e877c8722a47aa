"""What deduplication by a recipe sends, to whom, and what it holds: for `explain`."""

from __future__ import annotations

from collections.abc import Iterator

from curation.dedup.homes import HOME_DOCUMENTS
from curation.dedup.key_blobs import STRIPES
from curation.dedup.signature import AGREEMENT
from curation.dedup.sketches import SKETCH
from curation.pipeline.deduplicate import KEYS_PER_PARTITION, LATER_ROUNDS, MARGIN, SAMPLE
from curation.recipes.dedup import Best, Dedup, MinHash
from curation.recipes.model import Recipe

KEY_BYTES = 6  # of a key and its document, see `dedup/key_blobs.py`
CHECK_BYTES = 8  # the other half of a hash of 128 bits, or of a key all bits
CLASS_BYTES = 2  # where documents of a blob are of several policy classes
RANK_BYTES = 64  # of a key while a stripe's keys become edges, see `dedup/stars.py`
PACKED_BYTES = 24  # of a key while a home's are packed: of the file, of the blobs, checks and classes included
DRIVER = {True: 1, False: 6}  # bytes a document in the driver: verified, by components

SAME_PAGE = "its address in canonical form"
SAME_TEXT = "its text with white space squeezed"


def dedup_passes(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """The rounds of keys, what homes ask each other, and who is kept."""
    dedup = recipe.dedup
    if dedup is None:
        yield "dedup", "no deduplication, and so no shuffle"
        return
    driver = DRIVER[dedup.minhash is None or dedup.minhash.verify]
    held = f"the driver holds {driver} byte{'s' if driver > 1 else ''} a document"
    yield "dedup", f"a shuffle: keys, no text; of alike documents {kept(dedup)} is kept; {held}"
    if dedup.against:
        names = ", ".join(dedup.against)
        yield "dedup: against", f"documents of indexes take part, before all others, and stay: {names}"
    classes = CLASS_BYTES * (dedup.keep != "first" or bool(dedup.sources))
    for wanted, name, what in ((dedup.url, "url", SAME_PAGE), (dedup.exact, "exact", SAME_TEXT)):
        if wanted:
            yield f"dedup: {name}", f"a key of {KEY_BYTES + CHECK_BYTES + classes} bytes a document, the hash of {what}"
    if dedup.minhash is not None:
        yield "dedup: minhash", near_round(dedup.minhash, classes)
        if dedup.minhash.verify:
            yield "dedup: homes", near_questions(dedup.minhash)


def kept(dedup: Dedup) -> str:
    """Which of alike documents stays, in words."""
    keep = dedup.keep
    by = f"the one with the largest {keep.best}" if isinstance(keep, Best) else f"the {keep}"
    return f"{by} of the earliest source in {', '.join(dedup.sources)}" if dedup.sources else by


def near_round(minhash: MinHash, classes: int) -> str:
    """The keys of near duplicates."""
    if minhash.finer is None:
        bytes_each = KEY_BYTES + CHECK_BYTES  # ranks do not count before components are there
        every = f"{minhash.bands} keys of {bytes_each} bytes a document ({minhash.banding})"
        return f"{every}; whatever shares one, however far around, counts as one"
    told = f"{minhash.bands} keys of {KEY_BYTES + classes} bytes a document ({minhash.banding}), then in up to {LATER_ROUNDS}"
    return (
        f"{told} rounds {minhash.finer.bands} ({minhash.finer}) of each that met others and found none that is similar"
    )


def near_questions(minhash: MinHash) -> str:
    """What homes ask each other."""
    signature = min(minhash.values, AGREEMENT)
    return (
        f"of each document that it meets, a home ({HOME_DOCUMENTS:,} documents) asks {signature} bytes of its signature, and"
        f" looks up a sketch of at most {4 * SKETCH >> 10} kB where by those the similarity is within {MARGIN:g} of"
        f" {minhash.target:g}; of about {SAMPLE:,} near duplicates the true similarity is measured"
    )


def dedup_memory(recipe: Recipe) -> Iterator[tuple[str, int]]:
    """What a worker holds while it packs a home's keys, and while it joins a partition's."""
    dedup = recipe.dedup
    if dedup is None:
        return
    keys = max(1, dedup.minhash.bands if dedup.minhash else 1)
    yield f"dedup: keys of a home, {keys} a document", PACKED_BYTES * keys * HOME_DOCUMENTS
    stripe = KEYS_PER_PARTITION // STRIPES
    yield "dedup: keys of a partition, and edges", KEY_BYTES * KEYS_PER_PARTITION + RANK_BYTES * stripe
