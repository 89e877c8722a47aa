"""How processes share a model in Megatron: what is refused before anything starts, the process groups, and a rank's place.

Ranks are numbered tensor first, then data, then pipeline: neighbours share a layer's matrices, the last rank has losses.
"""

from __future__ import annotations

from trainer.backends import megatron_device

# isort: split
import os

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.tensor_parallel.random import model_parallel_cuda_manual_seed

from connectors.errors import UserError
from trainer.backends.protocol import Place
from trainer.config import Training


def refuse_what_would_be_wrong(config: Training) -> None:
    """UserError, one line, for what upstream would train wrongly, or stop at with a traceback, in this layout."""
    model, layout = config.model, config.layout
    cut_by_tensor = {
        "heads": model.heads,
        "kv_heads": model.key_value_heads,
        "feed_forward": model.feed_forward_size,
        "vocabulary": model.vocabulary,
    }
    for name, size in cut_by_tensor.items():
        if size % layout.tensor:
            raise UserError(
                f"model: {name}={size} is not a multiple of layout: tensor={layout.tensor}. Change tensor to a divisor of "
                f"{size}, or {name}."
            )
    if model.layers % layout.pipeline:
        raise UserError(
            f"model: layers={model.layers} is not a multiple of layout: pipeline={layout.pipeline}. Change pipeline to a "
            f"divisor of {model.layers}, or layers."
        )
    if layout.sequence_parallel and layout.tensor == 1:
        raise UserError(
            "layout: sequence_parallel needs tensor ranks to share a sequence. Set tensor above 1, or turn it off."
        )
    if layout.sequence_parallel and config.data.sequence_length % layout.tensor:
        raise UserError(
            f"data: sequence_length={config.data.sequence_length} is not a multiple of layout: tensor={layout.tensor}, which "
            "sequence_parallel needs. Change one of them, or turn sequence_parallel off."
        )
    if layout.zero == 0:
        raise UserError("layout: the megatron backend always shards optimizer state over data ranks. Set zero: 1.")
    if config.optimizer.name != "adamw":
        raise UserError(
            f"optimizer: Megatron shards the state of adamw alone, not of {config.optimizer.name}. Set name: adamw, or "
            "backend: reference."
        )
    head = model.hidden // model.heads
    if model.architecture == "llama" and head % 2:
        raise UserError(f"model: rotary positions turn pairs, and a head of {head} is odd. Change hidden or heads.")


class Groups:
    """Starts the process groups of a layout; only one layout at a time can stand in a process.

    Without torchrun it is a world of one. A process group that was there before is used, and left standing.
    """

    def __init__(self, config: Training) -> None:
        self.device = megatron_device.device()
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        self._started_world = not dist.is_initialized()
        if self._started_world:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            if int(os.environ.get("WORLD_SIZE", 1)) > 1:
                dist.init_process_group(backend)
            else:  # no rendezvous, no port
                dist.init_process_group(backend, store=torch._C._distributed_c10d.HashStore(), rank=0, world_size=1)
        parallel_state.initialize_model_parallel(
            config.layout.tensor, config.layout.pipeline, create_gloo_process_groups=False
        )
        model_parallel_cuda_manual_seed(config.seed)
        self.place = Place(
            world=dist.get_world_size(),
            rank=dist.get_rank(),
            data=parallel_state.get_data_parallel_world_size(),
            data_rank=parallel_state.get_data_parallel_rank(),
            tensor=config.layout.tensor,
            tensor_rank=parallel_state.get_tensor_model_parallel_rank(),
            pipeline=config.layout.pipeline,
            pipeline_rank=parallel_state.get_pipeline_model_parallel_rank(),
        )

    def sum_of_last_stage(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over data ranks of what their last pipeline stages hold, bit-equal on every rank of the world."""
        values = values.to(self.device)
        if self.place.world > 1:
            if self.place.pipeline_rank == self.place.pipeline - 1:
                dist.all_reduce(values, group=parallel_state.get_data_parallel_group())
            dist.broadcast(values, src=self.place.world - 1)
        return values.cpu()

    def close(self) -> None:
        """Ends the layout with its groups, and the world if it began here. A second call does nothing."""
        if not parallel_state.model_parallel_is_initialized():
            return
        groups = parallel_state._global_process_group_list or ()
        parallel_state.destroy_model_parallel()  # forgets the groups, but leaves them standing with their threads
        for group in groups:
            if group is not None:
                dist.destroy_process_group(group)
        if self._started_world:
            dist.destroy_process_group()
