"""Near duplicates word by word: what differs between a removed document and the one that was kept for it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from curation.audit.story import Ledger
from curation.report.markup import Html, figure, folded, joined, paragraph, tag, web
from curation.report.tables import Row, ask

ORDER = 85
TITLE = "Near duplicates, word by word"

PAIRS = 8
CHARACTERS = 2000  # of each text, as many as a run keeps of a duplicate
CONTEXT = 8  # equal words shown on each side of a difference

# Least similar first: they are the ones that a reader will doubt.
_PAIRS = f"""
WITH pairs AS (SELECT doc_id, duplicate_of, similarity, text FROM near_duplicates
               ORDER BY similarity, doc_id LIMIT {PAIRS})
SELECT p.similarity, p.text AS removed, left(d.text, {CHARACTERS}) AS kept, a.url AS url, b.url AS kept_url
FROM pairs p JOIN documents d ON d.doc_id = p.duplicate_of
JOIN records a ON a.doc_id = p.doc_id JOIN records b ON b.doc_id = p.duplicate_of
ORDER BY p.similarity, p.doc_id
"""


def render(ledger: Ledger) -> Html:
    """The least similar pairs of those whose beginnings the run keeps."""
    pairs = ask(ledger, _PAIRS)
    if not pairs:
        return paragraph("No near duplicate was found.")
    return joined(
        paragraph(
            f"The beginnings ({CHARACTERS:,} characters) of the least similar pairs among those that the run keeps. ",
            tag("del", "Struck out"),
            ": only in the document that was removed. ",
            tag("ins", "Underlined"),
            ": only in the one that was kept.",
        ),
        *[_pair(row) for row in pairs],
    )


def _pair(row: Row) -> Html:
    title = joined(
        f"similarity {figure(row['similarity'])}: ", web(row["url"], 80), " beside ", web(row["kept_url"], 80)
    )
    differences = tag("bdi", *differing(row["removed"].split(), row["kept"].split()))
    return folded(title, tag("blockquote", differences, class_="excerpt"))


def differing(removed: list[str], kept: list[str]) -> Iterator[Html]:
    """Both texts as one, in words: equal stretches shortened to their ends, the rest marked."""
    for kind, a, b, c, d in SequenceMatcher(None, removed, kept, autojunk=False).get_opcodes():
        if kind == "equal":
            words = removed[a:b]
            if len(words) > 2 * CONTEXT + 1:
                words = [*words[:CONTEXT], "…", *words[-CONTEXT:]]
            yield joined(" ".join(words), " ")
        else:
            yield joined(
                tag("del", " ".join(removed[a:b])) if b > a else None,
                " " if b > a else None,
                tag("ins", " ".join(kept[c:d])) if d > c else None,
                " " if d > c else None,
            )
