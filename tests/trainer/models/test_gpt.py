"""The reference model against the papers' formulas, written with loops in float64 numpy, token by token."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from trainer.config import Model
from trainer.models.gpt import GPT, canonical_parameters
from trainer.models.initial import initial
from trainer.models.naming import shapes

Array = npt.NDArray[np.float64]
LENGTH = 12
MODELS = {
    "llama": Model(architecture="llama", layers=2, hidden=16, heads=4, kv_heads=2, feed_forward=24, vocabulary=40),
    "llama_tied": Model(architecture="llama", layers=1, hidden=16, heads=2, vocabulary=40, tied_embeddings=True),
    "gpt2": Model(architecture="gpt2", layers=2, hidden=16, heads=4, vocabulary=40),
    "gpt2_grouped": Model(architecture="gpt2", layers=1, hidden=16, heads=4, kv_heads=1, vocabulary=40),
}


def restless(name: str, shape: tuple[int, ...], model: Model) -> torch.Tensor:
    """Large values in every tensor, norms and biases too, so that nothing hides behind a one or a zero."""
    return initial(name, shape, model, seed=3) + 0.3 * torch.randn(shape, generator=torch.Generator().manual_seed(5))


@pytest.fixture(params=MODELS)
def gpt(request: pytest.FixtureRequest) -> GPT:
    model = MODELS[request.param]
    built = GPT(model, LENGTH)
    built.load_state_dict({name: restless(name, shape, model) for name, shape in shapes(model, LENGTH).items()})
    return built


def tokens(seed: int, size: int = LENGTH) -> torch.Tensor:
    return torch.randint(0, 40, (size,), generator=torch.Generator().manual_seed(seed))


def counted(*sizes: int) -> torch.Tensor:
    """Positions that restart for documents of these sizes."""
    return torch.cat([torch.arange(size) for size in sizes])


def slow_nll(gpt: GPT, row: list[int], labels: list[int], positions: list[int], documents: list[int]) -> list[float]:
    """The loss of each label: attention as a sum over earlier tokens of the same document."""
    w = {name: tensor.detach().double().numpy() for name, tensor in gpt.state_dict().items()}
    model = gpt.model
    size = model.hidden // model.heads
    shared = model.heads // model.key_value_heads

    def linear(name: str, x: Array) -> Array:
        return np.asarray(w[name] @ x + w.get(f"{name}.bias", 0.0))

    def normed(name: str, x: Array) -> Array:
        if model.architecture == "llama":
            return np.asarray(x / math.sqrt((x**2).mean() + model.norm_epsilon) * w[name])
        centred = x - x.mean()
        return np.asarray(centred / math.sqrt((centred**2).mean() + model.norm_epsilon) * w[name] + w[f"{name}.bias"])

    def turned(x: Array, position: int) -> Array:
        if model.architecture == "gpt2":
            return x
        out = x.copy()
        for i in range(size // 2):
            angle = position * model.rope_base ** (-2 * i / size)
            a, b = x[i], x[i + size // 2]
            out[i] = a * math.cos(angle) - b * math.sin(angle)
            out[i + size // 2] = b * math.cos(angle) + a * math.sin(angle)
        return out

    def inner(name: str, x: Array) -> Array:
        up = linear(f"{name}.up", x)
        if model.architecture == "gpt2":
            return np.array([u * 0.5 * (1 + math.erf(u / math.sqrt(2))) for u in up])
        return np.array([g / (1 + math.exp(-g)) * u for g, u in zip(linear(f"{name}.gate", x), up)])

    def head(x: Array, h: int) -> Array:
        return x[h * size : (h + 1) * size]

    stream = [w["embedding"][token].copy() for token in row]
    if model.architecture == "gpt2":
        stream = [x + w["positions"][position] for x, position in zip(stream, positions)]
    for n in range(model.layers):
        name = f"layers.{n}"
        x = [normed(f"{name}.attention_norm", s) for s in stream]
        q, k, v = ([linear(f"{name}.{part}", s) for s in x] for part in ("query", "key", "value"))
        for t in range(len(row)):
            seen = [s for s in range(t + 1) if documents[s] == documents[t]]
            mixed = np.zeros(model.hidden)
            for h in range(model.heads):
                query = turned(head(q[t], h), positions[t])
                keys = [turned(head(k[s], h // shared), positions[s]) for s in seen]
                scores = np.array([math.exp(query @ key / math.sqrt(size)) for key in keys])
                values = [head(v[s], h // shared) for s in seen]
                mixed[h * size : (h + 1) * size] = sum(p * value for p, value in zip(scores / scores.sum(), values))
            stream[t] = stream[t] + linear(f"{name}.attention_output", mixed)
        for t in range(len(row)):
            y = normed(f"{name}.feed_forward_norm", stream[t])
            stream[t] = stream[t] + linear(f"{name}.down", inner(name, y))
    output = w["embedding"] if model.is_tied else w["output"]
    found = []
    for x, label in zip(stream, labels):
        scores = np.exp(output @ normed("final_norm", x))
        found.append(-math.log(scores[label] / scores.sum()))
    return found


@pytest.mark.parametrize("isolated", [False, True])
def test_loss_is_the_formulas(gpt: GPT, isolated: bool) -> None:
    row, labels = tokens(1), tokens(2)
    sizes = (5, 1, 4, 2) if isolated else (LENGTH,)
    positions = counted(*sizes)
    documents = [n for n, size in enumerate(sizes) for _ in range(size)]
    expected = slow_nll(gpt, row.tolist(), labels.tolist(), positions.tolist(), documents)
    nll_BS = gpt(row[None], labels[None], positions[None], isolated)
    assert nll_BS.dtype == torch.float32 and nll_BS.shape == (1, LENGTH)
    np.testing.assert_allclose(nll_BS[0].detach().numpy(), expected, rtol=2e-5, atol=2e-5)


def test_isolated_documents_are_as_if_run_apart(gpt: GPT) -> None:
    row, labels, sizes = tokens(3), tokens(4), (1, 6, 1, 4)
    together = gpt(row[None], labels[None], counted(*sizes)[None], True)[0]
    apart = torch.cat(
        [gpt(r[None], w[None], counted(len(r))[None])[0] for r, w in zip(row.split(sizes), labels.split(sizes))]
    )
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-5)


def test_continuous_documents_are_seen_across(gpt: GPT) -> None:
    row, labels, whole = tokens(3), tokens(4), torch.arange(LENGTH)
    changed = row.clone()
    changed[0] = (row[0] + 1) % 40
    first, second = (gpt(r[None], labels[None], whole[None])[0] for r in (row, changed))
    assert (first - second).abs()[6:].max() > 1e-4


def test_no_label_depends_on_a_later_token(gpt: GPT) -> None:
    row, labels, whole = tokens(3), tokens(4), torch.arange(LENGTH)
    changed = row.clone()
    changed[7:] = (row[7:] + 1) % 40
    first, second = (gpt(r[None], labels[None], whole[None])[0] for r in (row, changed))
    torch.testing.assert_close(first[:7], second[:7], rtol=1e-6, atol=1e-6)
    assert (first - second).abs()[7:].min() > 0


def test_a_chunk_may_begin_inside_a_document(gpt: GPT) -> None:
    """The row's first token begins a document for the mask, whatever its position is."""
    row, labels = tokens(3)[:6], tokens(4)[:6]
    positions = torch.tensor([4, 5, 6, 0, 1, 0])
    expected = slow_nll(gpt, row.tolist(), labels.tolist(), positions.tolist(), [0, 0, 0, 1, 1, 2])
    nll_BS = gpt(row[None], labels[None], positions[None], True)
    np.testing.assert_allclose(nll_BS[0].detach().numpy(), expected, rtol=2e-5, atol=2e-5)


def test_parameters_have_canonical_names_and_shapes(gpt: GPT) -> None:
    expected = shapes(gpt.model, LENGTH)
    assert {name: tuple(tensor.shape) for name, tensor in gpt.state_dict().items()} == expected
    assert {name: tuple(tensor.shape) for name, tensor in canonical_parameters(gpt).items()} == expected
    assert list(canonical_parameters(gpt)) == list(expected)


def test_state_survives_a_round_trip(gpt: GPT) -> None:
    other = GPT(gpt.model, LENGTH)
    other.load_state_dict(gpt.state_dict())
    for name, tensor in gpt.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name
