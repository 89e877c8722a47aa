"""The megatron backend: tensor, pipeline and data parallel, sequence parallel, optimizer state sharded over data ranks.

Each process is started by torchrun and holds a part of the model. Upstream's schedule runs the micro-batches through the
pipeline; each part of the loss is already divided by the trained tokens of the whole step, so gradients are only ever summed,
over micro-batches and data ranks alike. What differs between machines (device, missing CUDA) is in `megatron_device`, what
differs between names and slices in `megatron_names`.

Of parameters, optimizer state and gradients this rank speaks for its shard alone, 1/data of its part of the model. So `tensors`
costs no communication and no memory, and data ranks write a checkpoint side by side; `load` reads a shard and gathers the
parameters over the data ranks once. The price is that a canonical tensor comes in more and smaller regions than matrices: at
most three for each block of rows and data rank that cuts it.
"""

from __future__ import annotations

from trainer.backends import megatron_device

# isort: split
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig
from megatron.core.distributed.finalize_model_grads import finalize_model_grads
from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer
from megatron.core.optimizer.optimizer_config import ParamKey
from megatron.core.pipeline_parallel import get_forward_backward_func
from torch import Tensor

from trainer.backends.megatron_layout import Groups, refuse_what_would_be_wrong
from trainer.backends.megatron_names import Names, Piece, pieces
from trainer.backends.megatron_spec import build_model, global_names, transformer_config
from trainer.backends.protocol import Knobs, LossSums, Place, Read, Region, Role, StepResult, TensorSlice
from trainer.config import Optimizer, Training
from trainer.data.micro_batch import MicroBatch
from trainer.losses import Sums, by_source, by_span, objective
from trainer.models import naming
from trainer.models.gpt import same_document_and_earlier
from trainer.models.initial import initial

_STATE: tuple[Role, ...] = ("exp_avg", "exp_avg_sq")
_UNDECAYED = "is_not_decayed"  # attribute of parameters, by which upstream makes its groups


@dataclass(frozen=True)
class Shard:
    """This data rank's run of a parameter's flat values: `values` is a view of them, and what the optimizer updates.

    pieces  its canonical regions; `start` of each counts from the shard's first value
    owner   false where another tensor or pipeline rank holds the same
    """

    values: Tensor
    pieces: tuple[Piece, ...]
    owner: bool


class MegatronBackend:
    """A `TrainerBackend` on Megatron-Core. `sources` are the plan's, in the order of `spans["source"]`.

    Raises UserError where the layout is not offered, or would train wrongly. One at a time can stand in a process.
    """

    def __init__(self, config: Training, sources: Sequence[str]) -> None:
        refuse_what_would_be_wrong(config)
        megatron_device.install()
        self._groups = Groups(config)
        self.place: Place = self._groups.place
        self._sources = len(sources)
        settings = transformer_config(config)
        settings.finalize_model_grads_func = _sum_gradients
        gpt = build_model(config, settings)
        names = Names(config.model, config.data.sequence_length, self.place.tensor, self.place.tensor_rank)
        parameters = global_names(gpt)
        for name, parameter in parameters.items():
            setattr(parameter, _UNDECAYED, not any(naming.is_decayed(block.name) for block in names.blocks(name)))
        megatron_device.name_as_cuda(parameters.values())
        self.model = DistributedDataParallel(settings, _data_parallel(), gpt)
        self.optimizer = _optimizer(config.optimizer, [self.model])
        self._inner = self.optimizer.chained_optimizers[0].optimizer
        self._shards = self._cut(parameters, names)
        self._kept: list[Tensor] | None = None
        megatron_device.install()  # for modules that were loaded while building
        self._set_initial_values(config)

    # ---- steps

    def step(self, batches: Sequence[MicroBatch], knobs: Knobs) -> StepResult:
        """Forward, backward, reduce, clip, update; with `keep_gradients` the reduced gradients before clipping are kept.

        All tensor and pipeline ranks of a data rank bring the same micro-batches, all of one shape. Raises ValueError, on
        every rank together, where the weights do not sum to `knobs.trained_tokens`.
        """
        start = time.perf_counter()
        self.model.zero_grad_buffer()
        self.optimizer.zero_grad()
        sums = self._over_ranks(self._run(batches, knobs.trained_tokens))
        total, tokens = sums.sum(axis=0)
        if tokens != knobs.trained_tokens:
            raise ValueError(f"step {knobs.step}: weights sum to {tokens:g}, not to {knobs.trained_tokens} tokens")
        self.optimizer.prepare_grads()
        norm = float(self.optimizer.get_grad_norm())
        loss = float(total / max(knobs.trained_tokens, 1))
        gradients = [_gradient(shard.values) for shard in self._shards]
        self._kept = [gradient.clone() for gradient in gradients] if knobs.keep_gradients else None
        updated = knobs.update and bool(np.isfinite(loss) and np.isfinite(norm))  # both are equal on all ranks
        if updated:
            # Upstream's own clipping asks for CUDA tensors; the rule is the same.
            if gradients:  # in a tiny model a data rank may have no shard
                torch._foreach_mul_(gradients, min(1.0, knobs.clip_norm / (norm + 1e-6)))
            for group in self.optimizer.param_groups:  # upstream only marks the groups
                group["lr"], group["weight_decay"] = knobs.lr, knobs.weight_decay * group["wd_mult"]
            self.optimizer.step_with_ready_grads()
        return StepResult(loss, norm, updated, sums, time.perf_counter() - start)

    def losses(self, batches: Sequence[MicroBatch]) -> LossSums:
        """Forward only. Data ranks may bring different numbers of micro-batches, also none."""
        with torch.no_grad():
            sums = self._over_ranks(self._run(batches, 0, forward_only=True))
        total, tokens = sums.sum(axis=0)
        return LossSums(float(total), float(tokens), sums)

    def _run(self, batches: Sequence[MicroBatch], trained_tokens: int, forward_only: bool = False) -> Sums:
        """Micro-batches through the pipeline: [sources, 2] sums of this data rank, 0 but on the last stage."""
        sums = np.zeros((self._sources, 2))
        if not batches:
            return sums
        rows, length = batches[0].tokens_BS.shape
        nlls = get_forward_backward_func()(
            forward_step_func=functools.partial(self._forward, trained_tokens=trained_tokens),
            data_iterator=iter(batches),
            model=self.model,
            num_microbatches=len(batches),
            seq_length=length,
            micro_batch_size=rows,
            forward_only=forward_only,
        )
        for batch, nll_BS in zip(batches, nlls):  # there are none before the last stage
            spans = by_span(nll_BS.cpu().numpy(), batch.weights_BS, batch.spans)
            sums += by_source(spans, batch.spans, self._sources)
        return sums

    def _forward(
        self, batches: Iterator[MicroBatch], model: torch.nn.Module, trained_tokens: int
    ) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]]:
        """One micro-batch on this stage, and what the last stage makes of its output: objective, tokens, loss of each."""
        batch = next(batches)
        arrays = batch.tokens_BS, batch.labels_BS, batch.positions_BS, batch.weights_BS
        tokens, labels, positions, weights = (torch.tensor(array, device=self._groups.device) for array in arrays)
        mask_B1SS = same_document_and_earlier(positions) if batch.isolated else None

        def loss(nll_BS: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return objective(nll_BS, weights, trained_tokens), weights.sum().int(), nll_BS.detach()

        return model(tokens, positions, mask_B1SS, labels=labels), loss

    def _over_ranks(self, sums: Sums) -> Sums:
        return np.asarray(self._groups.sum_of_last_stage(torch.from_numpy(sums)).numpy())

    # ---- tensors under canonical names

    def tensors(self, gradients: bool = False) -> Iterator[TensorSlice]:
        """This rank's shards of parameters and optimizer state, live (not copies): data ranks hold different ones.

        A parameter's `step` is with the piece that holds its first value.
        """
        for shard in self._shards:
            state = self._inner.state[shard.values]
            for role, values in (("parameter", shard.values), *((role, state[role]) for role in _STATE)):
                yield from _slices(shard, role, values)
            for piece in shard.pieces:
                if piece.is_first:
                    yield TensorSlice(piece.name, "step", (), (), state["step"], shard.owner)
        if gradients:
            if self._kept is None:
                raise ValueError("no gradients were kept: take the step with keep_gradients=True")
            for shard, values in zip(self._shards, self._kept, strict=True):
                yield from _slices(shard, "gradient", values)

    def load(self, read: Read) -> None:
        """Takes this rank's shards, then the parameters of the other data ranks from them. All ranks call it together."""
        with torch.no_grad():
            for shard in self._shards:
                state = self._inner.state[shard.values]
                for role, values in (("parameter", shard.values), *((role, state[role]) for role in _STATE)):
                    for part in _slices(shard, role, values):
                        part.values.copy_(read(part.name, role, part.region))
                state["step"].copy_(read(shard.pieces[0].name, "step", ()))  # a parameter's tensors have one step
        self.model.start_param_sync()

    def close(self) -> None:
        """Ends the process groups, if this backend began them."""
        self._groups.close()

    def _cut(self, parameters: dict[str, torch.nn.Parameter], names: Names) -> list[Shard]:
        """The shards of this data rank, in the order of the model, their optimizer state in place from the start."""
        upstream = self.optimizer.chained_optimizers[0]
        cut: dict[torch.nn.Parameter, Tensor] = {}
        for whole, part in zip(upstream.model_fp32_groups, upstream.shard_fp32_groups, strict=True):
            cut |= dict(zip(whole, part, strict=True))
        shards = []
        for name, parameter in parameters.items():
            if parameter not in cut:  # all of it is with other data ranks
                continue
            values, run = cut[parameter], upstream._get_model_param_range_map(parameter)["param"]
            replica = getattr(parameter, "shared", False) or not (
                getattr(parameter, "tensor_model_parallel", False) or self.place.tensor_rank == 0
            )
            shards.append(Shard(values, tuple(pieces(names.blocks(name), run.start, run.end)), not replica))
            self._inner.state[values] = {
                "step": torch.zeros((), dtype=torch.float32, device=values.device),
                **{role: torch.zeros_like(values) for role in _STATE},
            }
        return shards

    def _set_initial_values(self, config: Training) -> None:
        """Values by name, whatever the layout; whole canonical tensors are made one at a time."""
        shapes = naming.shapes(config.model, config.data.sequence_length)

        @functools.lru_cache(maxsize=1)
        def whole(name: str) -> Tensor:
            return initial(name, shapes[name], config.model, config.seed)

        def read(name: str, role: Role, region: Region) -> Tensor:
            return whole(name)[tuple(slice(*edge) for edge in region)] if role == "parameter" else torch.zeros(())

        self.load(read)


def _slices(shard: Shard, role: Role, values: Tensor) -> Iterator[TensorSlice]:
    """The canonical parts of a shard's values, as views."""
    for piece in shard.pieces:
        part = values.detach()[piece.start : piece.stop].view(piece.size)
        yield TensorSlice(piece.name, role, piece.shape, piece.region, part, shard.owner)


def _gradient(values: Tensor) -> Tensor:
    """The reduced gradient that `prepare_grads` has given a shard."""
    assert values.grad is not None
    return values.grad


def _data_parallel() -> DistributedDataParallelConfig:
    return DistributedDataParallelConfig(grad_reduce_in_fp32=True, use_distributed_optimizer=True)


def _optimizer(config: Optimizer, chunks: list[DistributedDataParallel]) -> Any:
    """Upstream's distributed optimizer over torch's AdamW; learning rate, decay and clipping come with each step."""
    optimizer = get_megatron_optimizer(
        OptimizerConfig(
            optimizer="adam",
            lr=config.lr,
            weight_decay=config.weight_decay,
            adam_beta1=config.betas[0],
            adam_beta2=config.betas[1],
            adam_eps=config.eps,
            clip_grad=0.0,
            use_distributed_optimizer=True,
        ),
        chunks,
        config_overrides={ParamKey(attr=_UNDECAYED): {"wd_mult": 0.0}},
        use_gloo_process_groups=False,
    )
    for group in optimizer.param_groups:
        group["fused"] = True  # as the reference backend's
    return optimizer


def _sum_gradients(model: list[torch.nn.Module], tokens: Tensor | None, **groups: Any) -> None:
    """Upstream's end of the backward pass, without its division by tokens: the objective has it already."""
    finalize_model_grads(model, None, **groups)
