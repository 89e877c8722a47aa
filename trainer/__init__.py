"""Training on Corpusmill's shards, with exchangeable backends. Knows the shards (`connectors`) and nothing of curation.

Its rooms, highest first: `prove` (claims with a command), `loop` (the only loop), `checkpoint`, `backends`, `models`, `data`.
"""
