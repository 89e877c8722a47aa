"""What kept text looks like: beginnings of documents drawn by their ids, as they stand in the corpus, redacted."""

from __future__ import annotations

from curation.audit.story import Ledger
from curation.report.markup import Html, code, count, escape, folded, joined, paragraph, tag, web
from curation.report.tables import ask

ORDER = 90
TITLE = "A sample of what was kept"

DOCUMENTS = 12
EXCERPT = 600  # characters


def render(ledger: Ledger) -> Html:
    """The sample; the same documents every time."""
    drawn = ask(ledger, f"SELECT doc_id FROM fates WHERE fate = 'kept' ORDER BY doc_id LIMIT {DOCUMENTS}")
    if not drawn:
        return paragraph("No document was kept.")
    return joined(
        paragraph(
            f"{count(len(drawn))} kept documents, drawn by their ids, which are hashes of where they come from: a random sample "
            f"that is the same every time. Shown are the first {count(EXCERPT)} characters of the redacted text. Characters "
            "that would not be seen are shown by their code points."
        ),
        *excerpts(ledger, [bytes(row["doc_id"]) for row in drawn]),
    )


def excerpts(ledger: Ledger, doc_ids: list[bytes]) -> list[Html]:
    """Kept documents, folded: URL, language, tokens, and how the text begins."""
    rows = ask(
        ledger,
        f"""SELECT doc_id, url, source, lang, tokens, left(text, {EXCERPT}) AS beginning, length(text)::BIGINT AS characters
            FROM documents WHERE doc_id IN (SELECT unnest(?::BLOB[])) ORDER BY doc_id""",
        doc_ids,
    )
    shown = []
    for row in rows:
        facts = [row["source"], row["lang"] or "", f"{count(row['characters'])} characters"]
        facts += [f"{count(row['tokens'])} tokens"] if row["tokens"] else []
        more = "…" if row["characters"] > EXCERPT else ""
        summary = joined(web(row["url"], 100), tag("span", " ", ", ".join(filter(None, facts)), class_="quiet"))
        text = tag("blockquote", tag("bdi", escape(row["beginning"], EXCERPT), more), class_="excerpt")
        shown.append(folded(summary, text, paragraph("Document ", code(bytes(row["doc_id"]).hex()))))
    return shown
