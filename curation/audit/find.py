"""Which documents a URL or an id names, and which document a token comes from."""

from __future__ import annotations

import difflib
from dataclasses import replace

from connectors.errors import UserError, nearest
from curation.audit.duplicates import with_duplicates
from curation.audit.story import Ledger, Story
from curation.audit.tokens import FIRST_TOKEN, SPLIT, documents_at, texts_by_id
from curation.redact.urls import redact_url
from curation.run.documents import ROW

MOST_STORIES = 20
NOT_A_RESPONSE = "not_a_response"  # the reason of a record that only accompanies a page


def why(run: str, url: str = "", doc_id: str = "") -> list[Story]:
    """The stories of all records with that URL, or of the document with that id (32 hex digits).

    Raises `UserError` where there is none, with the nearest URLs of the same site.
    """
    ledger = Ledger(run)
    if doc_id:
        try:
            key = bytes.fromhex(doc_id)
        except ValueError:
            raise UserError(f"'{doc_id}' is no document id: it has 32 hex digits") from None
        stories = ledger.look_up("doc_id = ?", [key])
    else:
        stories = ledger.look_up(f"url IN (?, ?) LIMIT {MOST_STORIES}", [url, redact_url(url)])
    if not stories:
        raise UserError(f"No record of {doc_id or url} in this run.{_similar(ledger, url)}")
    return [with_duplicates(ledger, story) for story in stories]


def _similar(ledger: Ledger, url: str) -> str:
    site = "/".join(url.split("/")[:3])
    if not url:
        return ""
    found = ledger.rows("records", "starts_with(url, ?) ORDER BY url LIMIT 1000", [site], "DISTINCT url")
    if not found:
        return f" There is nothing of {site or 'that site'}: was it in the input?"
    urls = [row["url"] for row in found]
    return nearest(url, difflib.get_close_matches(url, urls, n=1) or urls[:8])


def trace(run: str | Ledger, shard: str, token: int) -> Story:
    """The document that a token of a shard comes from. Raises `UserError` for a shard or token that is not there.

    Takes the footer and one row group of each file that it reads, whatever the size of the run; see `tokens` for many at once.
    A run that is open already is not opened again.
    """
    ledger = opened(run)
    found = documents_at(ledger, shard, [token]).to_pylist()[0]
    first = found[FIRST_TOKEN]
    place = {"shard": shard, "token": token, "of_document": token - first, "first_token": first}
    return replace(ledger.story(found[SPLIT], found[ROW]), tokens=place | {"tokens": found["tokens"]})


def text_of(run: str | Ledger, story: Story) -> str:
    """The curated text of a kept document, "" for any other, and where the run keeps no text. See `Ledger.keeps_text`."""
    if story.fate["fate"] != "kept":
        return ""
    ledger = opened(run)
    file = ledger.opened(ledger.folder.documents(story.unit))
    doc_id = bytes.fromhex(story.doc_id)
    return "" if file is None else texts_by_id(file, [story.record[ROW]], [doc_id]).get(doc_id, "")


def opened(run: str | Ledger) -> Ledger:
    """The ledger of a run folder, or one that is open."""
    return Ledger(run) if isinstance(run, str) else run
