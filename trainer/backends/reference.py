"""The reference backend: `trainer.models.gpt` on one process, or on several with the same weights on each (data parallel).

Started by torchrun it takes its place from RANK, WORLD_SIZE and LOCAL_RANK. It is the oracle of the other backends, so it does
the plain thing everywhere: gradients lie in one flat buffer, micro-batches add to it, ranks sum it once a step, and since each
loss is already divided by the trained tokens of the whole step, nothing is averaged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor

from trainer import optimizers
from trainer.backends.protocol import Knobs, LossSums, Place, Read, Role, StepResult, TensorSlice
from trainer.config import Training
from trainer.data.micro_batch import MicroBatch
from trainer.losses import Sums, by_source, by_span, objective
from trainer.models.gpt import GPT, canonical_parameters
from trainer.models.initial import initial


class ReferenceBackend:
    """A `TrainerBackend` on PyTorch alone. `sources` are the plan's, in the order of `spans["source"]`.

    Every rank holds every tensor whole; rank 0 is the owner.
    """

    def __init__(self, config: Training, sources: Sequence[str]) -> None:
        world, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        self.place = Place(world=world, rank=rank, data=world, data_rank=rank)
        self.device = _device(int(os.environ.get("LOCAL_RANK", 0)))
        self._started_group = world > 1 and not distributed.is_initialized()
        if self._started_group:
            distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        self._sources = len(sources)
        with torch.device("meta"):  # no values yet: they come by name
            self.model = GPT(config.model, config.data.sequence_length)
        self.model.to_empty(device=self.device)
        self._parameters = canonical_parameters(self.model)
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(initial(name, tuple(parameter.shape), config.model, config.seed))
        self._flat = torch.zeros(sum(p.numel() for p in self._parameters.values()), device=self.device)
        for parameter, gradient in zip(self._parameters.values(), self._views(self._flat).values(), strict=True):
            parameter.grad = gradient
        self._kept: Tensor | None = None
        self.optimizer = optimizers.build(config.optimizer, self._parameters.items())

    def step(self, batches: Sequence[MicroBatch], knobs: Knobs) -> StepResult:
        """Forward, backward, reduce, clip, update; with `keep_gradients` the reduced gradients before clipping are kept.

        Raises ValueError, on every rank together, where the weights do not sum to `knobs.trained_tokens`.
        """
        start = time.perf_counter()
        self._flat.zero_()
        nlls = []
        for batch in batches:
            nll_BS = self._forward(batch)
            torch.autograd.backward(objective(nll_BS, self._on_device(batch.weights_BS), knobs.trained_tokens))
            nlls.append(nll_BS.detach())
        self._sum_over_ranks(self._flat)
        sums = self._sums_by_source(batches, nlls)
        total, tokens = sums.sum(axis=0)
        if tokens != knobs.trained_tokens:
            raise ValueError(f"step {knobs.step}: weights sum to {tokens:g}, not to {knobs.trained_tokens} tokens")
        norm = float(torch.nn.utils.get_total_norm(self._views(self._flat).values()))
        loss = float(total / max(knobs.trained_tokens, 1))
        self._kept = self._flat.clone() if knobs.keep_gradients else None
        updated = knobs.update and bool(np.isfinite(loss) and np.isfinite(norm))  # both are equal on all ranks
        if updated:
            self._flat.mul_(min(1.0, knobs.clip_norm / (norm + 1e-6)))  # as torch's clip_grad_norm_ does
            optimizers.set_knobs(self.optimizer, knobs.lr, knobs.weight_decay)
            self.optimizer.step()
        return StepResult(loss, norm, updated, sums, time.perf_counter() - start)

    def losses(self, batches: Sequence[MicroBatch]) -> LossSums:
        """Forward only. Ranks may bring different numbers of micro-batches, also none."""
        with torch.no_grad():
            sums = self._sums_by_source(batches, [self._forward(batch) for batch in batches])
        total, tokens = sums.sum(axis=0)
        return LossSums(float(total), float(tokens), sums)

    def tensors(self, gradients: bool = False) -> Iterator[TensorSlice]:
        """Parameters and optimizer state, live (not copies), in the order of the forward pass."""
        for name, parameter in self._parameters.items():
            yield self._slice(name, "parameter", parameter.detach())
            for role, values in optimizers.state_of(self.optimizer, parameter).items():
                yield self._slice(name, role, values)
        if gradients:
            if self._kept is None:
                raise ValueError("no gradients were kept: take the step with keep_gradients=True")
            for name, gradient in self._views(self._kept).items():
                yield self._slice(name, "gradient", gradient)

    def load(self, read: Read) -> None:
        """Takes every tensor that `tensors` names."""
        for part in self.tensors():
            part.values.copy_(read(part.name, part.role, part.region))

    def close(self) -> None:
        """Ends the process group, if this backend began it."""
        if self._started_group:
            distributed.destroy_process_group()
            self._started_group = False

    def _forward(self, batch: MicroBatch) -> Tensor:
        tokens, labels, positions = map(self._on_device, (batch.tokens_BS, batch.labels_BS, batch.positions_BS))
        nll_BS: Tensor = self.model(tokens, labels, positions, batch.isolated)
        return nll_BS

    def _sums_by_source(self, batches: Sequence[MicroBatch], nlls: Sequence[Tensor]) -> Sums:
        """[sources, 2] over the micro-batches of all ranks. The first wait for the device in a step is here."""
        sums = np.zeros((self._sources, 2))
        for batch, nll_BS in zip(batches, nlls, strict=True):
            spans = by_span(nll_BS.cpu().numpy(), batch.weights_BS, batch.spans)
            sums += by_source(spans, batch.spans, self._sources)
        reduced = torch.from_numpy(sums).to(self.device)
        self._sum_over_ranks(reduced)
        return np.asarray(reduced.cpu().numpy())

    def _sum_over_ranks(self, values: Tensor) -> None:
        if self.place.world > 1:
            distributed.all_reduce(values)

    def _views(self, flat: Tensor) -> dict[str, Tensor]:
        """A flat buffer as tensors of the parameters' shapes, by name."""
        sizes = [parameter.numel() for parameter in self._parameters.values()]
        parts = zip(self._parameters.items(), torch.split(flat, sizes), strict=True)
        return {name: part.view_as(parameter) for (name, parameter), part in parts}

    def _slice(self, name: str, role: Role, values: Tensor) -> TensorSlice:
        shape = tuple(values.shape)
        return TensorSlice(name, role, shape, tuple((0, size) for size in shape), values, owner=self.place.rank == 0)

    def _on_device(self, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
        return torch.tensor(array, device=self.device)


def _device(local_rank: int) -> torch.device:
    """The accelerator of this rank where there is one, else the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)
