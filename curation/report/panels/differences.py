"""Near duplicates word by word: what differs between a removed document and the one that was kept for it."""

from __future__ import annotations

from collections.abc import Iterator

from curation.audit.differences import CHARACTERS, stretches
from curation.audit.story import Ledger
from curation.report.markup import Html, figure, folded, joined, paragraph, tag, web
from curation.report.tables import Row, ask

ORDER = 85
TITLE = "Near duplicates, word by word"

PAIRS = 8

# Least similar first: they are the ones that a reader will doubt.
_PAIRS = f"""
WITH pairs AS (SELECT n.doc_id, n.duplicate_of, n.similarity, n.jaccard, n.text FROM near_duplicates n
               JOIN records r ON r.doc_id = n.duplicate_of
               ORDER BY coalesce(n.jaccard, n.similarity), n.doc_id LIMIT {PAIRS})
SELECT p.similarity, p.jaccard, p.text AS removed, left(d.text, {CHARACTERS}) AS kept, a.url AS url, b.url AS kept_url
FROM pairs p JOIN documents d ON d.doc_id = p.duplicate_of
JOIN records a ON a.doc_id = p.doc_id JOIN records b ON b.doc_id = p.duplicate_of
ORDER BY coalesce(p.jaccard, p.similarity), p.doc_id
"""


def render(ledger: Ledger) -> Html:
    """The least similar pairs of those whose beginnings the run keeps."""
    pairs = ask(ledger, _PAIRS)
    if not pairs:
        return paragraph("There is no near duplicate of this run's own documents to show.")
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
    measured = f"Jaccard {figure(row['jaccard'])}, " if row["jaccard"] is not None else ""
    title = joined(
        f"{measured}similarity {figure(row['similarity'])}: ", web(row["url"], 80), " beside ", web(row["kept_url"], 80)
    )
    differences = tag("bdi", *differing(row["removed"], row["kept"]))
    return folded(title, tag("blockquote", differences, class_="excerpt"))


def differing(removed: str, kept: str) -> Iterator[Html]:
    """Both texts as one, in words: equal stretches shortened to their ends, the rest marked."""
    for stretch in stretches(removed, kept):
        shown = [
            stretch.both or None,
            tag("del", stretch.removed) if stretch.removed else None,
            tag("ins", stretch.kept) if stretch.kept else None,
        ]
        for piece in shown:
            if piece is not None:
                yield joined(piece, " ")
