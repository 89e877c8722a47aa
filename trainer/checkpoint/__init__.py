"""Checkpoints: one format for every backend and layout, of safetensors and JSON alone, so that loading one runs no code.

- `layout`     regions of canonical tensors: which file holds which part, and how a region is put together from others
- `store`      writes a checkpoint whole, finds the latest one that verifies, reads tensors from it
- `retention`  which checkpoints stay

    step-00000050/tensors/RANK.safetensors   each rank's parts; a part that several ranks hold is written by its owner
    step-00000050/index.json                 canonical name, role → shape, type, list of (file, region)
    step-00000050/state.json                 step, samples, digests, what wrote it
    step-00000050/manifest.json              size and SHA-256 of each file; written last: without it there is no checkpoint
"""
