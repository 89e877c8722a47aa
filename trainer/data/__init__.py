"""Which tokens every step trains on, as pure functions of shards, configuration and step. NumPy only, no state, no file.

- `permutation`  a keyed bijection with an inverse
- `blend`        draws over weighted sources, in closed form both ways
- `blend_rules`  from temperature, shares, epochs and limits to weights; `blend_file` writes and reads them
- `source`       a source's shards as one stream of tokens, cut into chunks
- `packed_source` the same with whole documents a chunk, as `packing` puts them together; `best_fit` is the packing of lengths
- `manifest`     what a curation run hands over
- `plan`         sample n of the run, and a step's samples on every data rank
- `micro_batch`  the contract with the backends
- `batch`        samples to micro-batches
- `prefetch`     reading ahead, in one thread
- `trace`        from a step to its documents, and back
- `erased`       what an erasure means to trainings that have begun
"""
