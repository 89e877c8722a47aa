"""Vocabulary: how well the run's tokenizer fits its text, by source and language."""

from __future__ import annotations

from curation.audit.fertility import Fit, fits
from curation.audit.story import Ledger
from curation.report.markup import Child, Html, count, joined, paragraph, share, table

ORDER = 65
TITLE = "Vocabulary"

MOST_ROWS = 30
HEADS = ["Source", "Language", "Documents", "Tokens", "Tokens a word", "Bytes a token", "Characters a token", "Used"]


def render(ledger: Ledger) -> Html:
    """The fits, the whole first."""
    found = fits(ledger)
    if not found:
        return paragraph("This run makes no tokens, or kept no text.")
    whole, rest = found[0], found[MOST_ROWS:]
    note = f"{count(len(rest))} more pairs of source and language." if rest else ""
    return joined(
        paragraph(
            f"Measured on a sample of {count(whole.documents)} kept documents, {count(whole.bytes)} bytes. A word is a run of "
            "characters without white space, so tokens a word say nothing of scripts that set none. Used is the share of "
            f"the {count(whole.vocabulary)} tokens that came up."
        ),
        table("How well the vocabulary fits", HEADS, [cells(fit) for fit in found[:MOST_ROWS]], "--rrrrrr", note),
    )


def cells(fit: Fit) -> list[Child]:
    """A row of the table."""
    ratios = (fit.tokens_a_word, fit.bytes_a_token, fit.characters_a_token)
    return [
        "all" if fit.source is None else fit.source,
        "all" if fit.lang is None else fit.lang or "none",
        count(fit.documents),
        count(fit.tokens),
        *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
        share(fit.used, fit.vocabulary),
    ]
