"""Which documents a URL or an id names, and which document a token comes from."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any

import duckdb

from connectors import storage
from connectors.errors import UserError, nearest
from curation.audit.duplicates import with_duplicates
from curation.audit.story import Ledger, Story, as_pattern
from curation.redact.urls import redact_url

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
        records = ledger.rows("records", "doc_id = ?", [key])
    else:
        records = ledger.rows("records", f"url IN (?, ?) LIMIT {MOST_STORIES}", [url, redact_url(url)])
    if not records:
        raise UserError(f"No record of {doc_id or url} in this run.{_similar(ledger, url)}")
    return [with_duplicates(ledger, ledger.story(record)) for record in records]


def _similar(ledger: Ledger, url: str) -> str:
    site = "/".join(url.split("/")[:3])
    if not url:
        return ""
    found = ledger.rows("records", "starts_with(url, ?) ORDER BY url LIMIT 1000", [site], "DISTINCT url")
    if not found:
        return f" There is nothing of {site or 'that site'}: was it in the input?"
    urls = [row["url"] for row in found]
    return nearest(url, difflib.get_close_matches(url, urls, n=1) or urls[:8])


def trace(run: str, shard: str, token: int) -> Story:
    """The document that a token of a shard comes from. Raises `UserError` for a shard or token that is not there."""
    ledger = Ledger(run)
    shards: dict[str, dict[str, Any]] = {row["shard"]: row for row in ledger.manifest["shards"]}
    if shard not in shards:
        raise UserError(f"No shard '{shard}' in this run.{nearest(shard, shards)}")
    if "dtype" not in shards[shard]:
        raise UserError("This run has no tokens: its recipe does not tokenize")
    if not 0 <= token < shards[shard]["tokens"]:
        raise UserError(f"Shard {shard} has the tokens 0 to {shards[shard]['tokens'] - 1}, not {token}")
    index = ledger.folder.uri(ledger.folder.shard(shard, "docs.parquet"))
    row = duckdb.execute(
        "SELECT doc_id, first_token, tokens FROM read_parquet(?) WHERE first_token <= ? AND ? < first_token + tokens",
        [as_pattern(index), token, token],
    ).fetchall()[0]
    doc_id, first, tokens = bytes(row[0]), int(row[1]), int(row[2])
    story = ledger.story(ledger.rows("records", "doc_id = ?", [doc_id])[0])
    place = {"shard": shard, "token": token, "of_document": token - first, "first_token": first, "tokens": tokens}
    return replace(story, tokens=place)


def text_of(run: str, story: Story) -> str:
    """The curated text of a kept document, "" for any other."""
    shard = story.fate["shard"]
    if story.fate["fate"] != "kept" or not shard:
        return ""
    ledger = Ledger(run)
    uri = ledger.folder.uri(ledger.folder.documents(shard))
    if not storage.exists(uri):
        return ""
    rows = duckdb.execute(
        "SELECT text FROM read_parquet(?) WHERE doc_id = ?", [as_pattern(uri), bytes.fromhex(story.doc_id)]
    ).fetchall()
    return str(rows[0][0]) if rows else ""
