"""What an erasure would do, did and proves, for a person to read in a terminal. Addresses come from the web: plain text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from curation.audit.erase.account import Checkpoint, counts
from curation.audit.erase.found import Found
from curation.audit.erase.proof import Proof
from curation.audit.erase.requests import Request
from curation.audit.pages import open_table
from curation.audit.show import plain


def found_tables(found: Found, requests: Sequence[Request], most: int) -> list[Table | Text]:
    """What goes, by request; document by document, `most` of them; and from which shards."""
    parts: list[Table | Text] = [by_request(found, requests, most), by_document(found, most)]
    if any(one.shard for one in found.documents.values()):
        parts.append(by_shard(found))
    if found.elsewhere:
        told = "1 of these was" if found.elsewhere == 1 else f"{found.elsewhere:,} of these were"
        parts.append(Text(f"{told} removed for documents that an earlier run keeps: erase there, too."))
    return parts


def by_request(found: Found, requests: Sequence[Request], most: int) -> Table:
    """A row a request, by its number in the order given, `most` of them; texts and patterns are not repeated."""
    columns = ("documents", "similar", "duplicates", "other records", "tokens")
    table = open_table("What the requests come to", "request", *columns, right=columns)
    rows = counts(found, requests)
    for number, (request, row) in enumerate(zip(requests[:most], rows), 1):
        said = (
            request.value[:80] if request.kind in ("url", "domain", "doc_id") else f"{len(request.value):,} characters"
        )
        figures = (row["asked"], row["similar"], row["duplicates"], row["records"], row["tokens"])
        table.add_row(Text(plain(f"{number} {request.kind} {said}")), *(f"{figure:,}" for figure in figures))
    if len(requests) > most:
        table.add_row(f"and {len(requests) - most:,} more")
    similar = sum(one.how == "similar" for one in found.documents.values())
    figures = (len(found.documents) - similar, similar, len(found.duplicates), len(found.records), found.tokens)
    table.add_row("all, each once", *(f"{figure:,}" for figure in figures))
    return table


def by_document(found: Found, most: int) -> Table:
    """The kept documents that go."""
    table = open_table("Documents that go", "document", "why", "page", "shard", "tokens", right=("tokens",))
    for doc_id, one in sorted(found.documents.items())[:most]:
        numbers = ", ".join(str(number + 1) for number in one.requests)
        why = f"request {numbers}" if one.how == "asked" else f"similar ({one.similarity:.2f}) to request {numbers}"
        table.add_row(doc_id.hex(), why, Text(plain(one.url or "(no URL)")), one.shard, f"{one.tokens:,}")
    if len(found.documents) > most:
        table.caption = Text(f"and {len(found.documents) - most:,} more; --rows {len(found.documents)} shows them all")
        table.caption_justify = "left"
    return table


def by_shard(found: Found) -> Table:
    """The shards whose tokens are overwritten; no other is touched."""
    table = open_table("Shards that change", "shard", "documents", "tokens", right=("documents", "tokens"))
    totals: dict[str, list[int]] = {}
    for one in found.documents.values():
        if one.shard:
            total = totals.setdefault(one.shard, [0, 0])
            total[0], total[1] = total[0] + 1, total[1] + one.tokens
    for shard, (documents, tokens) in sorted(totals.items()):
        table.add_row(shard, f"{documents:,}", f"{tokens:,}")
    return table


def checkpoint_table(checkpoints: Sequence[Checkpoint]) -> Table | Text:
    """The checkpoints whose weights saw what goes."""
    if not checkpoints:
        return Text("No checkpoint of this run was trained on what goes.")
    table = open_table(
        "Checkpoints trained on it", "training", "checkpoint", "first step that held any", right=("checkpoint",)
    )
    for one in checkpoints:
        first = "not known: trained on shards in another order" if one.first_step is None else f"{one.first_step:,}"
        table.add_row(one.training, f"{one.step:,}", first)
    return table


def proof_table(proof: Proof) -> Table:
    """What was searched, and what was found."""
    table = open_table("Searched again", "what", "searched", "found", right=("searched", "found"))
    names = dict.fromkeys([*proof.scanned, *(name for name, count in proof.hits.items() if count)])
    for name in names:
        hits = proof.hits.get(name)
        table.add_row(
            name, f"{proof.scanned[name]:,}" if name in proof.scanned else "", "" if hits is None else f"{hits:,}"
        )
    return table
