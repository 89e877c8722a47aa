"""Where bytes come from and go to: storage, archives, corpora, and Megatron's shard files.

This room knows formats and nothing of curation. Its parts:

- `storage`   one way to open, list and write a URI
- `settings`  from YAML to a pydantic model, mistakes in one line
- `records`   what every reader yields
- `readers`   which reader reads which file name
- `warc`, `jsonl`, `parquet`   one format each; `http`, `gzip_members`, `fields`   what they are read with
- `megatron`  Megatron's `.bin/.idx` shard files
"""
