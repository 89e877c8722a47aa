"""Deduplication: which documents count as one.

- `signature`  MinHash signatures of texts
- `keys`       a document's keys: the hash of its text and one key a band, packed into blobs that travel
- `clusters`   from documents that share a key to clusters, each with its kept member
"""
