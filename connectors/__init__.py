"""Where bytes come from and go to: storage, archives, corpora, and Megatron's shard files.

This room knows formats and nothing of curation. Its parts:

- `storage`   one way to open, list and write a URI; `mapped_files` to look into one without reading it
- `settings`  from YAML to a pydantic model, mistakes in one line
- `records`, `record_columns`  what every reader yields, one by one or as columns
- `readers`   which reader reads which file name
- `warc`, `jsonl`, `parquet`   one format each; `http`, `gzip_members`, `fields`, `text_columns`   what they are read with
- `megatron`  Megatron's `.bin/.idx` shard files; `erased_spans` what was erased from one
"""
