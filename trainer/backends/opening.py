"""Opens the backend that a configuration names, once its layout has been held against the processes that were started."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from connectors.errors import UserError, missing_extra
from trainer.config import Training

if TYPE_CHECKING:
    from trainer.backends.protocol import TrainerBackend


def open_backend(config: Training, sources: Sequence[str]) -> TrainerBackend:
    """The backend of this process, its weights initialised. `sources`: names of the plan's sources, in its order.

    Reads WORLD_SIZE as torchrun sets it (1 without it). UserError: layout and processes do not fit, or an extra is missing.
    """
    check_layout(config, int(os.environ.get("WORLD_SIZE", 1)))
    try:
        if config.backend == "megatron":
            from trainer.backends.megatron import MegatronBackend

            return MegatronBackend(config, sources)
        from trainer.backends.reference import ReferenceBackend

        return ReferenceBackend(config, sources)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in PACKAGES:
            raise
        raise missing_extra(PACKAGES[package], "train") from None


def check_layout(config: Training, world: int) -> int:
    """The number of data-parallel ranks that `world` processes give. UserError: they do not fit."""
    layout, batch = config.layout, config.batch
    if config.backend == "reference" and (layout.tensor > 1 or layout.pipeline > 1):
        raise UserError(
            f"layout: the reference backend splits data only, not tensor={layout.tensor}, pipeline={layout.pipeline}. "
            "Set both to 1, or backend: megatron."
        )
    if world % (layout.tensor * layout.pipeline):
        raise UserError(
            f"layout: tensor={layout.tensor} x pipeline={layout.pipeline} does not divide {world} "
            f"{'process' if world == 1 else 'processes'}. "
            f"Start a multiple of {layout.tensor * layout.pipeline} with torchrun --nproc-per-node, or change the layout."
        )
    data = world // (layout.tensor * layout.pipeline)
    if batch.sequences % (batch.micro * data):
        raise UserError(
            f"batch: sequences={batch.sequences} is not a multiple of micro={batch.micro} x {data} data-parallel ranks. "
            f"Set sequences to a multiple of {batch.micro * data}."
        )
    return data


PACKAGES = {"torch": "torch", "megatron": "megatron-core"}  # module → what pip calls it
