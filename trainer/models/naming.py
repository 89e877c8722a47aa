"""Canonical names: unsharded, unfused tensors, the same for every backend, checkpoint and layout.

Letters: V vocabulary, D hidden, H heads, K key/value heads, E head size, F feed-forward, S the longest sequence.

    embedding                     [V, D]        positions (gpt2)   [S, D]
    layers.N.attention_norm       [D]           (gpt2 also attention_norm.bias, and so for every norm)
    layers.N.query                [H E, D]      .key [K E, D]   .value [K E, D]   .attention_output [D, H E]
    layers.N.feed_forward_norm    [D]
    layers.N.gate (llama)         [F, D]        .up [F, D]      .down [D, F]
    final_norm                    [D]           output [V, D] (not when tied)

gpt2 has biases on every linear layer of the blocks, named `….bias`.
"""

from __future__ import annotations

from trainer.config import Model


def shapes(model: Model, sequence_length: int) -> dict[str, tuple[int, ...]]:
    """Every canonical tensor of a model and its shape, in the order of the forward pass."""
    hidden, head = model.hidden, model.hidden // model.heads
    key_value = model.key_value_heads * head
    gpt2 = model.architecture == "gpt2"
    linear = {
        "query": (hidden, hidden),
        "key": (key_value, hidden),
        "value": (key_value, hidden),
        "attention_output": (hidden, hidden),
        **({} if gpt2 else {"gate": (model.feed_forward_size, hidden)}),
        "up": (model.feed_forward_size, hidden),
        "down": (hidden, model.feed_forward_size),
    }
    found: dict[str, tuple[int, ...]] = {"embedding": (model.vocabulary, hidden)}
    if gpt2:
        found["positions"] = (sequence_length, hidden)
    for layer in range(model.layers):
        for name in ("attention_norm", "query", "key", "value", "attention_output", "feed_forward_norm"):
            found |= with_bias(f"layers.{layer}.{name}", linear.get(name, (hidden,)), gpt2)
        for name in ("gate", "up", "down"):
            if name in linear:
                found |= with_bias(f"layers.{layer}.{name}", linear[name], gpt2)
    found |= with_bias("final_norm", (hidden,), gpt2)
    if not model.is_tied:
        found["output"] = (model.vocabulary, hidden)
    return found


def with_bias(name: str, shape: tuple[int, ...], bias: bool) -> dict[str, tuple[int, ...]]:
    """A tensor and, where the model has biases, the bias over its first dimension."""
    return {name: shape, **({f"{name}.bias": shape[:1]} if bias else {})}


def is_decayed(name: str) -> bool:
    """Whether weight decay falls on a tensor: matrices of the blocks and the output, not embeddings, norms or biases."""
    last = name.rpartition(".")[2]
    return last in {"query", "key", "value", "attention_output", "gate", "up", "down", "output"}
