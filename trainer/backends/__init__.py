"""What takes a step: forward, backward, reduction, clipping, update. The loop owns time, a backend owns tensors.

- `protocol`    what every backend offers, and nothing of how
- `opening`     the backend that a configuration names, its layout held against the processes
- `reference`   plain PyTorch on one process, or data parallel
- `megatron`    Megatron-Core: tensor, pipeline and data parallel

A backend is one file with a class `(config, sources)`, a line in `opening`, and its place in the tests that hold all to one.
"""
