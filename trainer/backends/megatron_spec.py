"""Megatron's model of our configuration: its settings, its layers on local modules (no Transformer Engine), its loss of a token.

Letters of shapes: B rows, S tokens, H heads of this tensor rank, K key/value heads, E head size. Megatron puts S before B.
"""

from __future__ import annotations

from trainer.backends import megatron_device

# isort: split
from typing import Any

import torch
import torch.nn.functional as F
from megatron.core import parallel_state
from megatron.core.models.gpt import GPTModel
from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
from megatron.core.transformer.module import MegatronModule
from megatron.core.transformer.transformer_block import TransformerBlockSubmodules, get_num_layers_to_build
from megatron.core.transformer.transformer_config import TransformerConfig
from torch import Tensor

from trainer.config import Training


def transformer_config(config: Training) -> TransformerConfig:
    """Megatron's settings. Fusions that need CUDA extensions or a compiler are off: the same code runs everywhere."""
    model, layout = config.model, config.layout
    llama = model.architecture == "llama"
    return TransformerConfig(
        num_layers=model.layers,
        hidden_size=model.hidden,
        num_attention_heads=model.heads,
        num_query_groups=model.key_value_heads,
        ffn_hidden_size=model.feed_forward_size,
        normalization="RMSNorm" if llama else "LayerNorm",
        gated_linear_unit=llama,
        activation_func=F.silu if llama else F.gelu,
        add_bias_linear=not llama,
        layernorm_epsilon=model.norm_epsilon,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        tensor_model_parallel_size=layout.tensor,
        pipeline_model_parallel_size=layout.pipeline,
        sequence_parallel=layout.sequence_parallel,
        params_dtype=torch.float32,
        pipeline_dtype=torch.float32,
        # Upstream's initialisers mark weights as cut by tensor rank (perform_initialization must stay on, or norms and
        # slices are silently wrong); the values come by name afterwards.
        use_cpu_initialization=True,
        perform_initialization=True,
        init_method=torch.nn.init.zeros_,
        output_layer_init_method=torch.nn.init.zeros_,
        calculate_per_token_loss=True,  # gradients of micro-batches and data ranks are summed, never averaged
        batch_p2p_comm=True,
        deallocate_pipeline_outputs=False,  # gloo's sends are asynchronous
        gradient_accumulation_fusion=False,
        masked_softmax_fusion=False,
        bias_activation_fusion=False,
        bias_dropout_fusion=False,
        apply_rope_fusion=False,
        persist_layer_norm=False,
    )


def build_model(config: Training, settings: TransformerConfig) -> GPTModel:
    """This rank's part of the model, on its device; values are still to be set."""
    model = config.model
    layer = get_gpt_layer_local_spec(normalization=settings.normalization)
    layer.submodules.input_layernorm = layer.submodules.pre_mlp_layernorm = Norm
    layer.submodules.self_attention.submodules.core_attention = CausalAttention
    block = TransformerBlockSubmodules([layer] * get_num_layers_to_build(settings), layer_norm=Norm)
    gpt = _GPT(
        settings,
        block,
        model.vocabulary,
        config.data.sequence_length,
        pre_process=parallel_state.is_pipeline_first_stage(),
        post_process=parallel_state.is_pipeline_last_stage(),
        share_embeddings_and_output_weights=model.is_tied,
        position_embedding_type="rope" if model.architecture == "llama" else "learned_absolute",
        rotary_base=model.rope_base,
    )
    return gpt.to(megatron_device.device())


def global_names(gpt: GPTModel) -> dict[str, torch.nn.Parameter]:
    """The parameters by their names in the whole model: layers by their global number."""
    named = {}
    for name, parameter in gpt.named_parameters():
        parts = name.split(".")
        if parts[:2] == ["decoder", "layers"]:
            parts[2] = str(gpt.decoder.layers[int(parts[2])].layer_number - 1)
        named[".".join(parts)] = parameter
    return named


class _GPT(GPTModel):  # type: ignore[misc]
    def _is_in_embd_group(self) -> bool:
        """Asked once, by the constructor, to make the two copies of tied embeddings equal through CUDA: here it is by name."""
        return False


class Norm:
    """torch's RMSNorm or LayerNorm as a part of a layer spec; upstream's own wrapper refuses sequence parallelism."""

    def __new__(cls, config: TransformerConfig, hidden_size: int, eps: float = 1e-5, **unused: Any) -> torch.nn.Module:  # type: ignore[misc]
        kind = torch.nn.RMSNorm if config.normalization == "RMSNorm" else torch.nn.LayerNorm
        norm = kind(hidden_size, eps=eps)
        for parameter in norm.parameters():  # marked gradients are summed over tensor ranks
            parameter.sequence_parallel = config.sequence_parallel  # type: ignore[attr-defined]
        return norm


class CausalAttention(MegatronModule):  # type: ignore[misc]
    """Core attention by `scaled_dot_product_attention`, causal, or by a mask where documents are isolated."""

    def __init__(self, config: TransformerConfig, softmax_scale: float | None = None, **unused: Any) -> None:
        super().__init__(config=config)
        self.scale = softmax_scale

    def forward(
        self, q_SBHE: Tensor, k_SBKE: Tensor, v_SBKE: Tensor, mask_B1SS: Tensor | None, **unused: Any
    ) -> Tensor:
        """[S, B, H · E]."""
        q_BHSE, k_BKSE, v_BKSE = (heads.permute(1, 2, 0, 3) for heads in (q_SBHE, k_SBKE, v_SBKE))
        mixed_BHSE = F.scaled_dot_product_attention(
            q_BHSE,
            k_BKSE,
            v_BKSE,
            attn_mask=mask_B1SS,
            is_causal=mask_B1SS is None,
            scale=self.scale,
            enable_gqa=q_BHSE.size(1) != k_BKSE.size(1),
        )
        return mixed_BHSE.permute(2, 0, 1, 3).flatten(2)
