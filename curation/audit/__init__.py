"""Questions to a run, answered from its folder alone.

- `story`   everything that the ledger knows of one document
- `find`    `why`: the documents of a URL or an id;  `trace`: the document that a token comes from
- `tokens`  the same for many tokens at once: documents, records, texts
- `verify`  whether the run is still what its manifest says; `damaged_tokens` finds the documents that are hit
- `funnel`  where the documents went, step by step
"""
