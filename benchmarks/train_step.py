"""CPU seconds of a training step: Megatron-Core against the reference backend, and that against Hugging Face transformers.

    python -m benchmarks.train_step
    python -m benchmarks.train_step --steps 40 --hidden 512

One process and one thread, a llama from the same weights on the same batches: forward, backward, clipping and AdamW in float32.
Steps are interleaved, so that a slow moment of the machine falls on all; medians are compared. What the losses differ by is
printed too: a step that computes something else is no step to compare with.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Annotated

import numpy as np
import typer

from connectors.errors import UserError
from jobs import command
from jobs.command import output, status
from trainer.config import Training
from trainer.data.micro_batch import SPANS, MicroBatch

Step = Callable[[int], float]  # takes a step with the batches of its number and gives the loss
VOCABULARY, LENGTH, ROWS, MICRO_BATCHES = 2048, 128, 4, 2
WARM_UP = 3


def main(
    steps: Annotated[int, typer.Option(help="Measured steps of each.", min=1)] = 20,
    hidden: Annotated[int, typer.Option(help="Hidden size; 4 layers, 4 heads in 2 groups.", min=32)] = 256,
) -> None:
    """Measure a step of each backend and of transformers."""
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")  # Megatron compiles small functions on import, for minutes
    warnings.simplefilter("ignore")  # of Megatron, about what is not installed
    config = configuration(hidden)
    batches = [[random_batch(2 * step + part) for part in range(MICRO_BATCHES)] for step in range(WARM_UP + steps)]
    measured: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    ready = steppers(config, batches)
    import torch  # here, since a backend is what says that it is missing

    torch.set_num_threads(1)
    for number in range(WARM_UP + steps):
        for name, step in ready.items():
            start = time.process_time()
            losses.setdefault(name, []).append(step(number))
            measured.setdefault(name, []).append(time.process_time() - start)
    medians = {name: statistics.median(seconds[WARM_UP:]) for name, seconds in measured.items()}
    for name, median in medians.items():
        apart = max(abs(a - b) for a, b in zip(losses[name], losses["reference"]))
        output.print(f"{name:<13} {1000 * median:7.1f} CPU ms a step   loss differs by at most {apart:.1e}")
    megatron, reference, hugging = (medians.get(n, float("nan")) for n in ("megatron", "reference", "transformers"))
    output.print(
        f"train_step megatron_over_reference={megatron / reference:.2f} "
        f"reference_over_transformers={reference / hugging:.2f}",
        highlight=False,
        soft_wrap=True,
    )


def configuration(hidden: int) -> Training:
    """A small llama with grouped queries."""
    return Training.model_validate(
        {
            "data": {"sequence_length": LENGTH},
            "batch": {"sequences": ROWS * MICRO_BATCHES, "micro": ROWS},
            "model": {"layers": 4, "hidden": hidden, "heads": 4, "kv_heads": 2, "vocabulary": VOCABULARY},
        }
    )


def steppers(config: Training, batches: list[list[MicroBatch]]) -> dict[str, Step]:
    """What takes a step, by name; where a package is missing, a line that says what to install."""
    made = {"reference": backend_step(config, batches)}
    try:
        made["megatron"] = backend_step(config.model_copy(update={"backend": "megatron"}), batches)
    except UserError as error:
        status.print(f"megatron is not measured: {error}", markup=False, soft_wrap=True)
    if importlib.util.find_spec("transformers"):
        made["transformers"] = transformers_step(config, batches)
    else:
        status.print("transformers is not measured. Install it with: pip install transformers", soft_wrap=True)
    return made


def backend_step(config: Training, batches: list[list[MicroBatch]]) -> Step:
    """A step of a backend, as the loop takes it."""
    from trainer.backends.opening import open_backend

    backend = open_backend(config, ["web"])
    from trainer.backends.protocol import Knobs  # after opening, which says it where torch is missing

    trained = ROWS * MICRO_BATCHES * LENGTH
    optimizer = config.optimizer

    def step(number: int) -> float:
        knobs = Knobs(number, optimizer.lr, optimizer.weight_decay, optimizer.clip_norm, trained)
        return backend.step(batches[number], knobs).loss

    return step


def transformers_step(config: Training, batches: list[list[MicroBatch]]) -> Step:
    """A step as users of transformers write it, with SDPA, torch's clipping and its fused AdamW."""
    import torch
    import torch.nn.functional as F
    from transformers import LlamaConfig, LlamaForCausalLM

    from trainer.models.initial import initial
    from trainer.models.naming import is_decayed, shapes

    shape, wanted = config.model, config.optimizer
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.feed_forward_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.key_value_heads,
            max_position_embeddings=LENGTH,
            rms_norm_eps=shape.norm_epsilon,
            attn_implementation="sdpa",
            use_cache=False,
        )
    ).train()
    named = dict(model.named_parameters())
    ours = {name: named[hugging_face_name(name)] for name in shapes(shape, LENGTH)}
    with torch.no_grad():
        for name, parameter in ours.items():
            parameter.copy_(initial(name, tuple(parameter.shape), shape, config.seed))
    groups = [
        {"params": [p for name, p in ours.items() if is_decayed(name) == decayed], "weight_decay": decay}
        for decayed, decay in ((True, wanted.weight_decay), (False, 0.0))
    ]
    optimizer = torch.optim.AdamW(groups, lr=wanted.lr, betas=wanted.betas, eps=wanted.eps, fused=True)

    def step(number: int) -> float:
        optimizer.zero_grad()
        total = 0.0
        for batch in batches[number]:
            logits = model(torch.tensor(batch.tokens_BS)).logits
            loss = F.cross_entropy(logits.flatten(0, 1), torch.tensor(batch.labels_BS).flatten()) / MICRO_BATCHES
            torch.autograd.backward(loss)
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), wanted.clip_norm)
        optimizer.step()
        return total

    return step


def hugging_face_name(name: str) -> str:
    """The name that a canonical tensor of a llama has in transformers."""
    if name in {"embedding", "final_norm", "output"}:
        return {"embedding": "model.embed_tokens", "final_norm": "model.norm", "output": "lm_head"}[name] + ".weight"
    layer, _, part = name.rpartition(".")
    theirs = {
        "attention_norm": "input_layernorm",
        "query": "self_attn.q_proj",
        "key": "self_attn.k_proj",
        "value": "self_attn.v_proj",
        "attention_output": "self_attn.o_proj",
        "feed_forward_norm": "post_attention_layernorm",
        "gate": "mlp.gate_proj",
        "up": "mlp.up_proj",
        "down": "mlp.down_proj",
    }
    return f"model.{layer}.{theirs[part]}.weight"


def random_batch(seed: int) -> MicroBatch:
    """Random tokens, one document a row, every label trained."""
    tokens = np.random.default_rng(seed).integers(0, VOCABULARY, (ROWS, LENGTH + 1))
    return MicroBatch(
        tokens_BS=tokens[:, :-1],
        labels_BS=tokens[:, 1:],
        weights_BS=np.ones((ROWS, LENGTH), np.float32),
        positions_BS=np.tile(np.arange(LENGTH), (ROWS, 1)),
        segments_BS=np.repeat(np.arange(ROWS, dtype=np.int32)[:, None], LENGTH, axis=1),
        spans=np.array([(seed * ROWS + row, row, 0, row, 0, LENGTH) for row in range(ROWS)], SPANS),
    )


if __name__ == "__main__":
    command.run(main)
