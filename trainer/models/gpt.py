"""The reference model: a decoder-only transformer in plain PyTorch, for one device, in two architectures.

    llama   RMSNorm, rotary positions (halves are rotated), SwiGLU, no biases     (Touvron et al. 2023, section 2.2)
    gpt2    LayerNorm, learned positions, GELU (exact), biases                    (Radford et al. 2019, section 2.3)

Both are pre-norm, with grouped queries where `kv_heads` is less than `heads` (Ainslie et al. 2023).
State-dict keys are the canonical names (`trainer.models.naming`).

Letters of shapes: B rows, S tokens, D hidden, H heads, K key/value heads, E head size, F feed-forward, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.config import Model

Rotation = tuple[Tensor, Tensor]  # cosine and sine of the angles, [B, 1, S, E]


class GPT(nn.Module):
    """Tokens to the loss of each. Values are not set here: see `trainer.models.initial`."""

    def __init__(self, model: Model, sequence_length: int) -> None:
        super().__init__()
        self.model = model
        gpt2 = model.architecture == "gpt2"
        self.embedding = nn.Embedding(model.vocabulary, model.hidden)
        self.positions = nn.Embedding(sequence_length, model.hidden) if gpt2 else None
        self.layers = nn.ModuleList(Layer(model) for _ in range(model.layers))
        self.final_norm = norm(model)
        self.output = None if model.is_tied else nn.Linear(model.hidden, model.vocabulary, bias=False)
        self.register_state_dict_post_hook(_to_canonical)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_from_canonical)  # type: ignore[no-untyped-call]

    def forward(self, tokens_BS: Tensor, labels_BS: Tensor, positions_BS: Tensor, isolated: bool = False) -> Tensor:
        """The loss of predicting each label, `nll_BS`, in float32 and in nats; neither weighted nor summed."""
        logits_BSV = self.logits(tokens_BS, positions_BS, isolated).float()
        return F.cross_entropy(logits_BSV.flatten(0, 1), labels_BS.flatten(), reduction="none").view_as(labels_BS)

    def logits(self, tokens_BS: Tensor, positions_BS: Tensor, isolated: bool = False) -> Tensor:
        """`logits_BSV`: the scores of the next token. With `isolated`, a token sees its own document alone."""
        mask_B1SS = same_document_and_earlier(positions_BS) if isolated else None
        rotation = None
        x_BSD = self.embedding(tokens_BS)
        if self.positions is not None:
            x_BSD = x_BSD + self.positions(positions_BS)
        else:
            rotation = rotary(positions_BS, self.model.hidden // self.model.heads, self.model.rope_base, x_BSD.dtype)
        for layer in self.layers:
            x_BSD = layer(x_BSD, rotation, mask_B1SS)
        x_BSD = self.final_norm(x_BSD)
        output_VD = self.embedding.weight if self.output is None else self.output.weight
        return F.linear(x_BSD, output_VD)


class Layer(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        gpt2 = model.architecture == "gpt2"
        self.head_size = model.hidden // model.heads
        key_value, wide = model.key_value_heads * self.head_size, model.feed_forward_size
        self.attention_norm = norm(model)
        self.query = nn.Linear(model.hidden, model.hidden, bias=gpt2)
        self.key = nn.Linear(model.hidden, key_value, bias=gpt2)
        self.value = nn.Linear(model.hidden, key_value, bias=gpt2)
        self.attention_output = nn.Linear(model.hidden, model.hidden, bias=gpt2)
        self.feed_forward_norm = norm(model)
        self.gate = None if gpt2 else nn.Linear(model.hidden, wide, bias=False)
        self.up = nn.Linear(model.hidden, wide, bias=gpt2)
        self.down = nn.Linear(wide, model.hidden, bias=gpt2)

    def forward(self, x_BSD: Tensor, rotation: Rotation | None, mask_B1SS: Tensor | None) -> Tensor:
        x_BSD = x_BSD + self.attention(self.attention_norm(x_BSD), rotation, mask_B1SS)
        return x_BSD + self.feed_forward(self.feed_forward_norm(x_BSD))

    def attention(self, x_BSD: Tensor, rotation: Rotation | None, mask_B1SS: Tensor | None) -> Tensor:
        q_BHSE, k_BKSE, v_BKSE = (self.heads(linear(x_BSD)) for linear in (self.query, self.key, self.value))
        if rotation is not None:
            q_BHSE, k_BKSE = rotate(q_BHSE, rotation), rotate(k_BKSE, rotation)
        mixed_BHSE = F.scaled_dot_product_attention(
            q_BHSE,
            k_BKSE,
            v_BKSE,
            attn_mask=mask_B1SS,
            is_causal=mask_B1SS is None,
            enable_gqa=q_BHSE.size(1) != k_BKSE.size(1),
        )
        out: Tensor = self.attention_output(mixed_BHSE.transpose(1, 2).flatten(2))
        return out

    def heads(self, x_BSD: Tensor) -> Tensor:
        """[B, S, heads · E] → [B, heads, S, E]."""
        return x_BSD.view(*x_BSD.shape[:2], -1, self.head_size).transpose(1, 2)

    def feed_forward(self, x_BSD: Tensor) -> Tensor:
        up_BSF = self.up(x_BSD)
        inner_BSF = F.gelu(up_BSF) if self.gate is None else F.silu(self.gate(x_BSD)) * up_BSF
        out: Tensor = self.down(inner_BSF)
        return out


def norm(model: Model) -> nn.Module:
    """The normalisation over D of an architecture."""
    kind = nn.LayerNorm if model.architecture == "gpt2" else nn.RMSNorm
    return kind(model.hidden, eps=model.norm_epsilon)


def rotary(positions_BS: Tensor, head_size: int, base: float, dtype: torch.dtype) -> Rotation:
    """Cosine and sine of position · base^(−2i/E), i < E/2, repeated for both halves (Su et al. 2021); angles in float32."""
    even = torch.arange(0, head_size, 2, device=positions_BS.device, dtype=torch.float32)
    angles = positions_BS[:, None, :, None].float() * (1.0 / base ** (even / head_size))
    angles_B1SE = torch.cat([angles, angles], dim=-1)
    return angles_B1SE.cos().to(dtype), angles_B1SE.sin().to(dtype)


def rotate(x_BHSE: Tensor, rotation: Rotation) -> Tensor:
    """Turns each pair (x_i, x_{i + E/2}) by its position's angle."""
    cosine_B1SE, sine_B1SE = rotation
    first, second = x_BHSE.chunk(2, dim=-1)
    return x_BHSE * cosine_B1SE + torch.cat([-second, first], dim=-1) * sine_B1SE


def same_document_and_earlier(positions_BS: Tensor) -> Tensor:
    """Boolean [B, 1, S, S], true where the query (row) may see the key (column).

    A document of the input begins at the start of the row, whatever its position, and wherever positions restart at 0.
    """
    document_BS = (positions_BS == 0).cumsum(dim=1)
    same_BSS = document_BS[:, :, None] == document_BS[:, None, :]
    return same_BSS.tril()[:, None]


def canonical_parameters(model: GPT) -> dict[str, nn.Parameter]:
    """The parameters under canonical names, in the order of `naming.shapes`; a tied output is not named twice."""
    return {name.removesuffix(".weight"): parameter for name, parameter in model.named_parameters()}


def _to_canonical(module: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
    for name in list(state):
        state[name.removesuffix(".weight")] = state.pop(name)


def _from_canonical(module: nn.Module, state: dict[str, Any], prefix: str, *unused: Any) -> None:
    for name in list(state):
        state[name if name.endswith(".bias") else f"{name}.weight"] = state.pop(name)
