"""Every layout of the megatron backend trains as one process does, and one process as the reference backend does.

Four processes are started once; worlds of four, two and one run all their layouts in them (`megatron_ranks`), on CPU with gloo.
Oracles: one process of the same backend, the reference backend, and for names and slices upstream's fusing, written out slowly.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("megatron.core")

from trainer.backends import megatron_device

# isort: split
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from trainer.backends.megatron_layout import refuse_what_would_be_wrong
from trainer.backends.megatron_names import Names, pieces
from trainer.config import Model, Training
from trainer.models import naming

WORKER = Path(__file__).with_name("megatron_ranks.py")
ROOT = Path(__file__).parents[3]
LIMIT = 240.0  # seconds for all layouts of all worlds; two free cores take some 35
LAYOUTS = [
    f"{style}, {layout}"
    for style, own in (("llama", "TP2+SP x DP2"), ("gpt2", "PP2 x DP2"))
    for layout in ("DP2", "TP2", "TP2+SP", "PP2", "TP2 x PP2", own)
]
ONE = ["llama, one process", "gpt2, one process"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every layout came to. Each rank has a session of its own; all are ended when one fails or time is up."""
    folder = tmp_path_factory.mktemp("ranks")
    logs = [folder / f"log-{rank}" for rank in range(4)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    ranks: list[subprocess.Popen[bytes]] = []
    try:
        for rank, log in enumerate(logs):
            command = [sys.executable, str(WORKER), str(folder), str(rank)]
            with log.open("wb") as output:
                ranks.append(
                    subprocess.Popen(
                        command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
                    )
                )
        ends = time.monotonic() + LIMIT
        while any(process.poll() is None for process in ranks) and not any(process.poll() for process in ranks):
            assert time.monotonic() < ends, f"the ranks ran out of time\n{tails(logs)}"
            time.sleep(0.05)
        assert not any(process.returncode for process in ranks), f"a rank failed\n{tails(logs)}"
    finally:
        for process in ranks:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    results: dict[str, Any] = torch.load(folder / "results.pt", weights_only=True)
    return results


def tails(logs: list[Path]) -> str:
    """The end of what each rank said."""
    return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in logs)


def one_process(name: str, trained: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = trained[f"{name.partition(',')[0]}, one process"]
    return result


def apart(one: Any, other: Any) -> float:
    """The largest difference of two arrays of figures."""
    return float((torch.tensor(one, dtype=torch.float64) - torch.tensor(other, dtype=torch.float64)).abs().max())


def seen_by_the_loss(name: str) -> bool:
    """Keys shifted alike leave a softmax as it is: without rotation the gradient of a key's bias is rounding and nothing else."""
    return not name.endswith("key.bias")


def relative(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, float]:
    """For each tensor the L2 norm of the difference over that of `other`."""
    assert one.keys() == other.keys()
    return {
        name: float((one[name] - other[name]).norm() / other[name].norm()) for name in other if seen_by_the_loss(name)
    }


# ---- training


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_trains_as_one_process_does(name: str, trained: dict[str, Any]) -> None:
    one, many = one_process(name, trained), trained[name]
    assert len(many["losses"]) == 20
    assert apart(many["losses"][0], one["losses"][0]) <= 1e-6
    assert apart(many["losses"], one["losses"]) <= 1e-5
    assert apart(many["norms"], one["norms"]) <= 5e-5
    assert apart(many["by_source"], one["by_source"]) <= 1e-3  # sums of some 100 tokens
    assert max(relative(many["gradients"], one["gradients"]).values()) <= 1e-5
    assert max(relative(many["parameters"], one["parameters"]).values()) <= 1e-4
    assert many["ranks_agree"]


@pytest.mark.parametrize("style", ["llama", "gpt2"])
def test_one_process_trains_as_the_reference_does(style: str, trained: dict[str, Any]) -> None:
    reference, one = trained[f"{style}, reference"], trained[f"{style}, one process"]
    assert apart(one["losses"], reference["losses"]) <= 1e-5
    assert apart(one["norms"], reference["norms"]) <= 5e-5
    assert apart(one["by_source"], reference["by_source"]) <= 1e-3
    assert max(relative(one["gradients"], reference["gradients"]).values()) <= 1e-5
    assert one["saved"].keys() == reference["saved"].keys()  # one checkpoint serves both backends


@pytest.mark.parametrize("name", ONE)
def test_the_toy_is_hard_enough(name: str, trained: dict[str, Any]) -> None:
    one = trained[name]
    assert min(one["norms"]) > 0.5, "clipping at 0.5 bites in every step"
    assert one["losses"][-1] < one["losses"][0] - 0.5
    tokens = torch.tensor(one["by_source"])[..., 1]
    assert len(set(tokens.sum(1).tolist())) > 10, "steps train different numbers of tokens"


@pytest.mark.parametrize("name", [*LAYOUTS, *ONE])
def test_losses_are_the_sums_by_source(name: str, trained: dict[str, Any]) -> None:
    sums = torch.tensor(trained[name]["by_source"], dtype=torch.float64).sum(1)
    assert trained[name]["losses"] == pytest.approx((sums[:, 0] / sums[:, 1]).tolist(), rel=1e-12)


@pytest.mark.parametrize("name", ["llama, decay in 1", "gpt2, decay in 1", "llama, decay in 4", "gpt2, decay in 4"])
def test_weight_decay_falls_where_naming_says(name: str, trained: dict[str, Any]) -> None:
    for tensor, (before, after) in trained[name].items():
        factor = 1 - 0.1 * 0.5 if naming.is_decayed(tensor) else 1.0
        torch.testing.assert_close(after, before * factor, rtol=1e-6, atol=0.0, msg=tensor)


# ---- saving and loading


@pytest.mark.parametrize("name", [*LAYOUTS, *ONE])
def test_what_any_layout_saved_is_loaded_bit_for_bit_and_trained_on(name: str, trained: dict[str, Any]) -> None:
    one, own = one_process(name, trained), trained[name]
    assert len(own["resumed"]) > 1 or name.endswith("TP2 x PP2")  # the first layout of all has only its own
    for saved_by, resumed in own["resumed"].items():
        assert resumed["equal"], saved_by
        assert apart(resumed["losses"], one["losses"][6:8]) <= 1e-5, saved_by


@pytest.mark.parametrize("name", [*LAYOUTS, *ONE])
def test_a_resume_in_the_same_layout_is_exact(name: str, trained: dict[str, Any]) -> None:
    own = trained[name]
    assert own["resumed"][name.partition(", ")[2]]["losses"] == own["losses"][6:8]


# ---- steps that must not be taken


@pytest.mark.parametrize("name", [*ONE, "llama, PP2", "gpt2, PP2", "llama, TP2+SP x DP2", "gpt2, PP2 x DP2"])
def test_a_step_that_is_not_to_be_taken_changes_nothing_on_any_rank(name: str, trained: dict[str, Any]) -> None:
    refused = trained[name]["refused"]
    first = refused["ranks"][0]
    for rank in refused["ranks"]:
        assert not rank["off"] and rank["same"] and rank["refuses_other_tokens"]
        assert not rank["spoilt"] and rank["steps"] == first["steps"] and len(rank["steps"]) == 1
        assert rank["total"] == first["total"] and rank["tokens"] == first["tokens"]
    assert refused["spoilt_loss"] != refused["spoilt_loss"]  # not a number, and told so
    assert first["tokens"] > 0


# ---- refusals


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "heads": ({"model": {"heads": 2}, "layout": {"tensor": 4}}, "heads=2"),
    "kv_heads": ({"model": {"kv_heads": 1}, "layout": {"tensor": 2}}, "kv_heads=1"),
    "feed_forward": ({"model": {"feed_forward": 101}, "layout": {"tensor": 2}}, "feed_forward=101"),
    "vocabulary": ({"model": {"vocabulary": 511}, "layout": {"tensor": 2}}, "vocabulary=511"),
    "layers": ({"model": {"layers": 3}, "layout": {"pipeline": 2}}, "layers=3"),
    "sequence_parallel": ({"layout": {"sequence_parallel": True}}, "sequence_parallel"),
    "sequence_length": (
        {"data": {"sequence_length": 33}, "layout": {"tensor": 2, "sequence_parallel": True}},
        "sequence_length=33",
    ),
    "zero": ({"layout": {"zero": 0}}, "zero: 1"),
    "sgd": ({"optimizer": {"name": "sgd"}}, "sgd"),
    "odd head": ({"model": {"hidden": 12, "heads": 4}}, "head of 3"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_layouts_that_would_be_wrong_are_refused_in_one_line(why: str) -> None:
    config, names = REFUSED[why]
    with pytest.raises(UserError, match=names) as refusal:
        refuse_what_would_be_wrong(Training.model_validate({"backend": "megatron", **config}))
    assert "\n" not in str(refusal.value)


def test_layouts_that_are_right_are_not_refused() -> None:
    layout = {"tensor": 2, "pipeline": 2, "sequence_parallel": True}
    refuse_what_would_be_wrong(Training.model_validate({"backend": "megatron", "layout": layout}))


# ---- upstream


def test_upstream_is_what_it_was() -> None:
    megatron_device.install()
    assert megatron_device.changed_functions() == ()


def test_a_changed_upstream_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("megatron.core.transformer.mlp:MLP.forward", "megatron.core.optimizer:_get_param_groups"):
        monkeypatch.setitem(megatron_device.GUARDED, path, "0" * 12)
    monkeypatch.setitem(megatron_device.GUARDED, "megatron.core.transformer.mlp:gone", "0" * 12)
    with pytest.raises(UserError) as refusal:
        megatron_device.install()
    said = str(refusal.value)
    assert "\n" not in said
    assert all(name in said for name in ("transformer.mlp:MLP.forward", "optimizer:_get_param_groups", "mlp:gone"))
    assert "ChainedOptimizer" not in said


def test_torch_itself_is_not_touched() -> None:
    factory = torch.zeros
    megatron_device.install()
    assert torch.zeros is factory
    assert sys.modules["megatron.core.optimizer.clip_grads"].torch.zeros(1, device="cuda").device.type == "cpu"


# ---- names


def fused(model: Model, whole: dict[str, torch.Tensor], size: int, rank: int) -> dict[str, torch.Tensor]:
    """Upstream's tensors of the first layer on a tensor rank, written out head by head and row by row."""
    layer, head = "layers.0.", model.hidden // model.heads
    found = {}
    for kind in ("", ".bias") if model.architecture == "gpt2" else ("",):
        q, k, v = (torch.split(whole[f"{layer}{name}{kind}"], head) for name in ("query", "key", "value"))
        each = model.heads // model.key_value_heads
        groups = model.key_value_heads // size
        rows = [
            part
            for group in range(rank * groups, (rank + 1) * groups)
            for part in (*q[group * each : (group + 1) * each], k[group], v[group])
        ]
        suffix = kind or ".weight"
        found[f"decoder.layers.0.self_attention.linear_qkv{suffix}".replace("..", ".")] = torch.cat(rows)
        wide = [
            whole[f"{layer}{name}{kind}"].chunk(size)[rank]
            for name in ("gate", "up")
            if f"{layer}{name}{kind}" in whole
        ]
        found[f"decoder.layers.0.mlp.linear_fc1{suffix}"] = torch.cat(wide)
    found["decoder.layers.0.mlp.linear_fc2.weight"] = whole[f"{layer}down"].chunk(size, dim=1)[rank]
    found["decoder.layers.0.self_attention.linear_proj.weight"] = whole[f"{layer}attention_output"].chunk(size, dim=1)[
        rank
    ]
    found["decoder.layers.0.input_layernorm.weight"] = whole[f"{layer}attention_norm"]
    found["embedding.word_embeddings.weight"] = whole["embedding"].chunk(size)[rank]
    if model.is_tied:
        found["output_layer.weight"] = whole["embedding"].chunk(size)[rank]
    else:
        found["output_layer.weight"] = whole["output"].chunk(size)[rank]
    found["decoder.final_layernorm.weight"] = whole["final_norm"]
    return found


@settings(deadline=None, max_examples=60)
@given(
    style=st.sampled_from(["llama", "gpt2"]),
    heads=st.sampled_from([(2, 2), (4, 2), (4, 4), (8, 2)]),
    size=st.sampled_from([1, 2]),
    cuts=st.lists(st.floats(0, 1), max_size=4),
)
def test_pieces_of_any_shard_are_the_canonical_values(
    style: Any, heads: tuple[int, int], size: int, cuts: list[float]
) -> None:
    model = Model(
        architecture=style, layers=1, hidden=16, heads=heads[0], kv_heads=heads[1], feed_forward=6, vocabulary=10
    )
    shapes, first = naming.shapes(model, 4), 0
    whole = {}
    for name, shape in shapes.items():
        count = int(torch.Size(shape).numel())
        whole[name], first = torch.arange(first, first + count).view(shape), first + count
    for rank in range(size):
        names = Names(model, 4, size, rank)
        for parameter, values in fused(model, whole, size, rank).items():
            flat = values.flatten()
            edges = sorted({0, len(flat), *(int(cut * len(flat)) for cut in cuts)})
            for start, stop in zip(edges, edges[1:]):
                shard, seen = flat[start:stop], 0
                for piece in pieces(names.blocks(parameter), start, stop):
                    assert piece.shape == shapes[piece.name]
                    region = whole[piece.name][tuple(slice(*edge) for edge in piece.region)]
                    assert torch.equal(shard[piece.start : piece.stop].view(piece.size), region)
                    assert piece.is_first == bool(region.flatten()[0] == whole[piece.name].flatten()[0])
                    seen += piece.stop - piece.start
                assert seen == stop - start
