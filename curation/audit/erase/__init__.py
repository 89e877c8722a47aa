"""Erasure: from a person's request to proof that what it names is gone from a run.

- `requests`   what is asked: an address, a domain, a document, a text, a pattern
- `matching`   which documents, addresses and shown texts a request names
- `finding`    the passes over a run that find them, and all that are similar: `ledger_rows` and `documents`
- `found`      what they come to
- `places`     everything in a run folder that may hold a text or an address, and what becomes of it
- `rewriting`  the new files, written aside
- `journal`    all of them moved into place, or none
- `erasing`    the order in which this happens
- `account`    what an erasure did, without what it erased
- `decoding`   a shard's tokens as text again
- `proof`      every document, shard and address of the run, searched once more
- `compaction` shards without what was erased, as a new order
- `show`       tables for a person
"""
