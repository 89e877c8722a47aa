"""Where bytes come from and go to: storage, archives, corpora, and Megatron's shard files.

This room knows formats and nothing of curation. Its parts:

- `storage`   one way to open, list and write a URI
- `records`   what every reader yields
- `readers`   which reader reads which file name
- `warc`, `http`, `jsonl`, `parquet`   one format each
- `megatron`  Megatron's `.bin/.idx` shard files
"""
