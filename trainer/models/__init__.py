"""The models, as canonical tensors and as the reference computes them.

- `naming`   canonical names and shapes
- `initial`  initial values by name, the same in every layout
- `gpt`      the reference model, in plain PyTorch
"""
