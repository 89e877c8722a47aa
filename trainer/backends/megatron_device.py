"""Lets Megatron-Core 0.16 run on CPU tensors with gloo, and notices when upstream changed under our feet.

Import this module before any of `megatron.core`. Upstream names its device in ways that no argument reaches: as `"cuda"` in
tensor factories, by calls like `torch.cuda.synchronize()`, and as the type string `"torch.cuda.FloatTensor"`. Its modules read
`torch` through their own global name, so without CUDA they get a facade over it; torch itself is never touched. With CUDA
`install` only checks the hashes.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import inspect
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from connectors.errors import UserError

if not torch.cuda.is_available():
    # Upstream decorates functions with torch.compile while it is imported: on a CPU 15 s a process, and a C++ compiler.
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")

# What upstream warns of is not the user's to change: extras that are done without, and calls that torch is about to rename.
warnings.filterwarnings("ignore", module=r"megatron\.core")
warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed\.c10d_logger")

FACTORIES = (
    "arange", "empty", "empty_like", "full", "linspace", "ones", "ones_like", "rand", "randn", "tensor", "zeros", "zeros_like",
)  # fmt: skip

# Upstream's functions that are replaced, or on whose inside this backend relies: first 12 hex digits of the sha256 of
# `inspect.getsource` in megatron-core 0.16.1.
GUARDED = {
    "megatron.core.distributed.finalize_model_grads:finalize_model_grads": "8e8e2bb919cc",
    "megatron.core.models.common.language_module.language_module:LanguageModule.setup_embeddings_and_output_layer": "005bdd3315b0",
    "megatron.core.optimizer.clip_grads:clip_grad_by_total_norm_fp32": "8edb9da53650",
    "megatron.core.optimizer.distrib_optimizer:DistributedOptimizer._build_model_and_main_param_groups": "1b9f0ec06718",
    "megatron.core.optimizer.distrib_optimizer:DistributedOptimizer._get_model_param_range_map": "3efe94941ef0",
    "megatron.core.optimizer.distrib_optimizer:DistributedOptimizer.step_with_ready_grads": "4883dadbf822",
    "megatron.core.optimizer.optimizer:ChainedOptimizer.step": "7f8c72f2d721",
    "megatron.core.optimizer:_get_megatron_optimizer_based_on_param_groups": "34bc6add4c25",
    "megatron.core.optimizer:_get_param_groups": "cccb88ccace9",
    "megatron.core.pipeline_parallel.p2p_communication:_p2p_ops": "20995746a481",
    "megatron.core.pipeline_parallel.schedules:forward_step_calc_loss": "0b552e0742e6",
    "megatron.core.tensor_parallel.layers:ColumnParallelLinear.__init__": "57fbefee1548",
    "megatron.core.tensor_parallel.random:CudaRNGStatesTracker.add": "e5e9ab39a7c1",
    "megatron.core.tensor_parallel.random:CudaRNGStatesTracker.fork": "6821e1e39725",
    "megatron.core.tensor_parallel.random:_get_cuda_rng_state": "aa26caaa069c",
    "megatron.core.tensor_parallel.random:_set_cuda_rng_state": "b179c9d95438",
    "megatron.core.transformer.attention:SelfAttention.get_query_key_value_tensors": "c2416ff2504e",
    "megatron.core.transformer.mlp:MLP.forward": "c68406f3ca95",
    "megatron.core.transformer.torch_norm:WrappedTorchNorm.__new__": "6cb54a06fa41",
}


def device() -> torch.device:
    """Where this process computes: its GPU of this machine (torchrun's LOCAL_RANK), or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


def install() -> None:
    """Checks upstream's source and, without CUDA, mends it. Call again after building a model: some modules load late.

    Raises `UserError` naming the functions that are not those of the release this backend was written for.
    """
    changed = changed_functions()
    if changed:
        raise UserError(
            f"megatron-core changed under the megatron backend: {', '.join(changed)}. Install megatron-core==0.16.1, or look "
            "at what changed and renew the hashes in trainer/backends/megatron_device.py."
        )
    from megatron.core import optimizer

    # torch's AdamW, whose state we know, also where Transformer Engine is installed and has one of its own.
    optimizer.USING_PYTORCH_OPTIMIZER = True
    if not torch.cuda.is_available():
        _give_facade()
        _mend_random_streams()


def changed_functions() -> tuple[str, ...]:
    """The guarded functions whose source is not what it was, or that are gone."""
    return tuple(path.rpartition(".core.")[2] for path, digest in GUARDED.items() if source_digest(path) != digest)


@functools.cache
def source_digest(path: str) -> str:
    """The hash of a function's source as it was before any mend, `module:name`; empty where there is no such function."""
    module, _, name = path.partition(":")
    try:
        target = functools.reduce(getattr, name.split("."), importlib.import_module(module))
        return hashlib.sha256(inspect.getsource(target).encode()).hexdigest()[:12]
    except (ImportError, AttributeError, OSError, TypeError):
        return ""


# ---- a device without streams


class _NoStream:
    """Stands for a CUDA stream or event: everything on a CPU happens in program order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    def __getattr__(self, name: str) -> Callable[..., _NoStream]:
        return lambda *args, **kwargs: self


class _Facade(types.ModuleType):
    """A module that answers for another, but for what it is given itself."""

    def __init__(self, behind: types.ModuleType, **own: Any) -> None:
        super().__init__(behind.__name__)
        self.__dict__.update(own, behind=behind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["behind"], name)


def _on_cpu(factory: Callable[..., Any]) -> Callable[..., Any]:
    """A tensor factory that makes on the CPU what is asked for on CUDA."""

    @functools.wraps(factory)
    def make(*args: Any, **kwargs: Any) -> Any:
        if torch.device(kwargs.get("device") or "cpu").type == "cuda":
            kwargs["device"] = "cpu"
        kwargs.pop("pin_memory", None)
        return factory(*args, **kwargs)

    return make


@functools.cache
def _facade() -> _Facade:
    """What modules of Megatron see as `torch` on a machine without CUDA."""
    no_stream = _NoStream()
    cuda = _Facade(
        torch.cuda,
        Stream=_NoStream,
        Event=_NoStream,
        FloatTensor=torch.FloatTensor,
        HalfTensor=torch.HalfTensor,
        BFloat16Tensor=torch.BFloat16Tensor,
        current_device=lambda: torch.device("cpu"),
        device_count=lambda: 1,
        current_stream=lambda *args: no_stream,
        default_stream=lambda *args: no_stream,
        stream=lambda stream: contextlib.nullcontext(),
        synchronize=lambda *args: None,
        empty_cache=lambda *args: None,
        manual_seed=torch.manual_seed,
        get_rng_state=lambda *args, **kwargs: torch.get_rng_state(),
    )
    return _Facade(torch, cuda=cuda, **{name: _on_cpu(getattr(torch, name)) for name in FACTORIES})


def _give_facade() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("megatron.core") and getattr(module, "torch", None) is torch:
            module.torch = _facade()  # type: ignore[attr-defined]


def name_as_cuda(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Upstream's optimizers ask `parameter.type()` for `torch.cuda.FloatTensor`: these parameters say so, wherever they are."""
    if not torch.cuda.is_available():
        for parameter in parameters:
            name = "torch.cuda." + parameter.data.type().removeprefix("torch.")
            parameter.type = functools.partial(str, name)  # type: ignore[assignment]


# ---- random streams


@functools.cache
def _mend_random_streams() -> None:
    """Upstream queues the switch of a stream for a CUDA start that never comes: `fork` would silently not switch."""
    from megatron.core.tensor_parallel import random

    class CpuStreams(random.CudaRNGStatesTracker):  # type: ignore[misc]
        """The same named streams, kept as states of the CPU's generator."""

        def add(self, name: str, seed: int) -> None:
            if seed in self.seeds_ or name in self.states_:
                raise ValueError(f"random stream {name!r} or its seed {seed} is already in use")
            self._is_initialized = True
            self.seeds_.add(seed)
            self.states_[name] = torch.Generator().manual_seed(seed).get_state()

        @contextlib.contextmanager
        def fork(self, name: str = "model-parallel-rng") -> Iterator[None]:
            outer = torch.get_rng_state()
            torch.set_rng_state(self.states_[name])
            try:
                yield
            finally:
                self.states_[name] = torch.get_rng_state()
                torch.set_rng_state(outer)

    random._get_cuda_rng_state = lambda *args, **kwargs: torch.get_rng_state()
    random._set_cuda_rng_state = lambda state, *args, **kwargs: torch.set_rng_state(state)
    random._CUDA_RNG_STATE_TRACKER = CpuStreams()
    random._CUDA_RNG_STATE_TRACKER_INITIALIZED = True
