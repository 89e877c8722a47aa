"""What a model is worth, by the forward pass alone.

- `perplexity`  of sequences that the run never trained on, by source
"""
