"""Questions to a run, answered from its folder alone.

- `story`   everything that the ledger knows of one document
- `find`    `why`: the documents of a URL or an id;  `trace`: the document that a token comes from
- `verify`  whether the run is still what its manifest says
- `funnel`  where the documents went, step by step
"""
