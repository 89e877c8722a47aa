"""Deduplication: which documents count as one.

- `signature`  MinHash signatures of texts
- `keys`       a document's keys: the hash of its text and one key a band, packed into blobs that travel
- `stars`      from documents that share a key to edges, each to the one that ranks first
"""
