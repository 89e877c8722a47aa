"""A linear text classifier: softmax regression over hashed words and pairs of neighbouring words.

The plain member of the family that fastText's supervised mode stands for (Joulin et al. 2016) and that DCLM and
others filter the web with: no vocabulary, one row of weights a label, trained in seconds. A word is a maximal run of
ASCII letters (folded to lower case), digits, and bytes above 127; a feature is the 64-bit FNV-1a hash of a word, or
of two neighbours mixed, modulo the number of buckets. A text's features weigh 1/√(their number), so length alone says
nothing.

Training is AdaGrad over a fixed number of epochs; each epoch's order, and who is held out, follow from keyed hashes
of the rows, so the same rows in the same order give the same file.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import xxhash

from connectors.errors import UserError

FORMAT = "corpusmill linear model 1"
MAX_BYTES = 1 << 20  # of a text, what comes behind is not read
MIN_ROWS = 20

Floats = npt.NDArray[np.float32]
Buckets = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """weights   float32 [labels, buckets]
    bias      float32 [labels]
    labels    names, sorted
    metadata  how it was made: rows, digest of the rows, settings, accuracy and AUC on the rows held out
    """

    weights: Floats
    bias: Floats
    labels: tuple[str, ...]
    metadata: dict[str, Any]

    def scores(self, text: str) -> Floats:
        """Probability of each label, in the order of `labels`; they sum to 1."""
        scores: Floats = _softmax_of(features(text, self.weights.shape[1]), self.weights, self.bias)
        return scores

    def save(self, path: str | Path) -> None:
        """Writes one `.npz`: `weights`, `bias`, `metadata` as JSON in UTF-8. The same model gives the same bytes."""
        described = json.dumps({**self.metadata, "format": FORMAT, "labels": self.labels}, sort_keys=True)
        with open(path, "wb") as file:
            np.savez_compressed(
                file, weights=self.weights, bias=self.bias, metadata=np.frombuffer(described.encode(), np.uint8)
            )

    @staticmethod
    def load(path: str | Path) -> LinearModel:
        """Reads what `save` wrote; nothing in the file is executed. Raises `UserError` for any other file."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                weights, bias = np.asarray(arrays["weights"]), np.asarray(arrays["bias"])
                metadata = json.loads(arrays["metadata"].tobytes())
            labels = tuple(str(label) for label in metadata["labels"])
            sound = metadata["format"] == FORMAT and weights.dtype == bias.dtype == np.float32
            sound = sound and weights.ndim == 2 and weights.shape[0] == len(labels) == len(bias)
        except FileNotFoundError:
            raise UserError(f"No classifier model at '{path}'. Train one with: corpusmill classifier train") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
            sound = False
        if not sound:
            raise UserError(f"'{path}' is no classifier model. Train one with: corpusmill classifier train")
        return LinearModel(weights, bias, labels, metadata)


def features(text: str, buckets: int) -> Buckets:
    """The buckets of a text's words and neighbouring pairs, one entry an occurrence, in order."""
    content = text.encode("utf-8", "replace")[:MAX_BYTES]
    found: Buckets = _features(np.frombuffer(content, np.uint8), buckets)
    return found


def train(
    rows: Iterable[tuple[str, str]],
    *,
    buckets: int = 1 << 18,
    epochs: int = 5,
    learning_rate: float = 0.5,
    held_out: float = 0.1,
) -> LinearModel:
    """A model of (text, label) rows. About `held_out` of the rows, chosen by their text, are only measured on.

    Equal texts are held out together. Raises `UserError` for fewer than two labels or fewer than `MIN_ROWS` rows.
    """
    texts, names = [], []
    digest = xxhash.xxh3_128()
    for text, name in rows:
        content = text.encode("utf-8", "replace")
        digest.update(f"{len(content)}\0{name}\0".encode() + content)
        texts.append(features(text, buckets))
        names.append((name, xxhash.xxh3_64_intdigest(content)))
    labels = tuple(sorted({name for name, _ in names}))
    if len(labels) < 2 or len(names) < MIN_ROWS:
        raise UserError(
            f"A classifier needs {MIN_ROWS} rows and two labels; there are {len(names)} rows with {len(labels)} labels."
            " Give more rows, each with a 'text' and a 'label'."
        )
    targets = np.array([labels.index(name) for name, _ in names], np.int64)
    hashes = np.array([value for _, value in names], np.uint64)
    measured = _keyed(hashes, -1) < np.uint64(int(held_out * (2**64 - 1)))
    weights, bias = _fit(texts, targets, hashes, ~measured, (len(labels), buckets, epochs), learning_rate)
    metadata = {
        "rows": len(names),
        "rows_by_label": {label: int((targets == place).sum()) for place, label in enumerate(labels)},
        "digest": digest.hexdigest(),
        "buckets": buckets,
        "ngrams": 2,
        "lower_case": "ascii",
        "epochs": epochs,
        "learning_rate": learning_rate,
    }
    model = LinearModel(weights, bias, labels, metadata)
    metadata |= _measured(model, [texts[row] for row in np.flatnonzero(measured)], targets[measured])
    return model


def auc(scores: npt.NDArray[np.floating[Any]], positive: npt.NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative, ties half; None without both."""
    wins, losses = int(positive.sum()), int((~positive).sum())
    if not wins or not losses:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[positive].sum() - wins * (wins + 1) / 2) / (wins * losses))


def _fit(
    texts: Sequence[Buckets],
    targets: npt.NDArray[np.int64],
    hashes: npt.NDArray[np.uint64],
    used: npt.NDArray[np.bool_],
    shape: tuple[int, int, int],
    learning_rate: float,
) -> tuple[Floats, Floats]:
    labels, buckets, epochs = shape
    weights, squares = np.zeros((labels, buckets), np.float32), np.zeros((labels, buckets), np.float32)
    bias, bias_squares = np.zeros(labels, np.float32), np.zeros(labels, np.float32)
    starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    joined = np.concatenate(texts) if texts else np.zeros(0, np.uint32)
    for epoch in range(epochs):
        order = np.argsort(_keyed(hashes, epoch), kind="stable")
        _epoch(joined, starts, targets, order[used[order]], weights, squares, bias, bias_squares, learning_rate)
    return weights, bias


def _measured(model: LinearModel, texts: Sequence[Buckets], targets: npt.NDArray[np.int64]) -> dict[str, Any]:
    if not len(texts):
        return {"held_out": 0, "accuracy": None, "auc": None}
    scores = np.stack([_softmax_of(text, model.weights, model.bias) for text in texts])
    areas = {label: auc(scores[:, place], targets == place) for place, label in enumerate(model.labels)}
    return {"held_out": len(texts), "accuracy": float((scores.argmax(axis=1) == targets).mean()), "auc": areas}


def _keyed(hashes: npt.NDArray[np.uint64], key: int) -> npt.NDArray[np.uint64]:
    """A hash of each row under a key, with the row's number left out, so that equal texts stay together."""
    return np.array(
        [xxhash.xxh3_64_intdigest(int(value).to_bytes(8, "little"), key + 1) for value in hashes], np.uint64
    )


@numba.njit(cache=True)
def _features(content: npt.NDArray[np.uint8], buckets: int) -> Buckets:
    found = np.empty(len(content) + 2, np.uint32)
    count = 0
    value, previous = np.uint64(0), np.uint64(0)
    inside = False
    for at in range(len(content) + 1):
        byte = np.uint8(content[at]) if at < len(content) else np.uint8(32)
        if 65 <= byte <= 90:
            byte = np.uint8(byte + 32)
        if byte >= 128 or 97 <= byte <= 122 or 48 <= byte <= 57:
            if not inside:
                value, inside = np.uint64(0xCBF29CE484222325), True
            value = (value ^ np.uint64(byte)) * np.uint64(0x100000001B3)
        elif inside:
            inside = False
            found[count] = np.uint32((value ^ (value >> np.uint64(32))) % np.uint64(buckets))
            count += 1
            if previous != np.uint64(0):
                pair = (previous ^ (value >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + value
                found[count] = np.uint32((pair ^ (pair >> np.uint64(32))) % np.uint64(buckets))
                count += 1
            previous = value
    return found[:count].copy()


@numba.njit(cache=True)
def _softmax_of(text: Buckets, weights: Floats, bias: Floats) -> Floats:
    scores = bias.astype(np.float64)
    scale = 1.0 / np.sqrt(max(1, len(text)))
    for label in range(len(bias)):
        total = 0.0
        for bucket in text:
            total += weights[label, bucket]
        scores[label] += total * scale
    scores = np.exp(scores - scores.max())
    probabilities: Floats = (scores / scores.sum()).astype(np.float32)
    return probabilities


@numba.njit(cache=True)
def _epoch(
    joined: Buckets,
    starts: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    order: npt.NDArray[np.int64],
    weights: Floats,
    squares: Floats,
    bias: Floats,
    bias_squares: Floats,
    learning_rate: float,
) -> None:
    for row in order:
        text = joined[starts[row] : starts[row + 1]]
        scores = _softmax_of(text, weights, bias)
        scale = 1.0 / np.sqrt(max(1, len(text)))
        for label in range(len(bias)):
            error = scores[label] - (1.0 if label == targets[row] else 0.0)
            bias_squares[label] += error * error
            bias[label] -= learning_rate * error / (np.sqrt(bias_squares[label]) + 1e-6)
            step = error * scale
            for bucket in text:
                squares[label, bucket] += step * step
                weights[label, bucket] -= learning_rate * step / (np.sqrt(squares[label, bucket]) + 1e-6)
