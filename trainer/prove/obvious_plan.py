"""The order of a run as a slow program that is easy to believe: what `trainer.data` computes is held against it.

Whole streams are lists, draws are dealt out one at a time, the permutation is in plain integers, documents are looked up
token by token. It shares nothing with `trainer.data` but the keys and the whole weights of a blend.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.megatron import ShardReader
from trainer.config import Stage, Training
from trainer.data.blend import whole_weights
from trainer.data.permutation import key


def obvious_permutation(size: int, permutation_key: int, rounds: int = 12) -> list[int]:
    """The permutation as a list, in plain integers, straight from its definition."""
    most = 2**64
    a = math.isqrt(size - 1) + 1
    b = -(-size // a)

    def mix(word: int) -> int:
        word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % most
        word = (word ^ (word >> 27)) * 0x94D049BB133111EB % most
        return word ^ (word >> 31)

    keys = [mix((number * 0x9E3779B97F4A7C15 + permutation_key) % most) for number in range(1, rounds + 1)]

    def turn(word: int) -> int:
        left, right = divmod(word, b)
        for number, round_key in enumerate(keys):
            if number % 2 == 0:
                left = (left + mix(right ^ round_key) % a) % a
            else:
                right = (right + mix(left ^ round_key) % b) % b
        return left * b + right

    order = []
    for word in range(size):
        word = turn(word)
        while word >= size:
            word = turn(word)
        order.append(word)
    return order


class Dealer:
    """Deals draws out over a tree of weights one at a time, with counters: left where the left is behind its share."""

    def __init__(self, weights: list[int]) -> None:
        self.weight, self.dealt, self.draws = sum(weights), 0, 0
        middle = len(weights) // 2
        self.halves = (Dealer(weights[:middle]), Dealer(weights[middle:])) if middle else None
        self.leaves = len(weights)

    def deal(self) -> tuple[int, int]:
        """The next draw's source, and its number there."""
        self.draws += 1
        if self.halves is None:
            return 0, self.draws - 1
        left, right = self.halves
        if left.draws < self.draws * left.weight // self.weight:
            return left.deal()
        source, index = right.deal()
        return source + left.leaves, index


def obvious_packing(lengths: list[int], size: int) -> list[list[tuple[int, int, int]]]:
    """Sequences of (document, first token, tokens): whole ones, then rests by best-fit decreasing, one after another.

    A rest goes into the bin with the least room that it fits; of those with as little, into the one that has had it longest.
    """
    rows = [[(document, size * k, size)] for document, length in enumerate(lengths) for k in range(length // size)]
    rests = [(length % size, document) for document, length in enumerate(lengths) if length % size]
    bins: list[dict[str, Any]] = []
    for turn, (rest, document) in enumerate(sorted(rests, key=lambda one: (-one[0], one[1]))):
        fitting = [each for each in bins if each["room"] >= rest]
        if not fitting:
            bins.append({"room": size, "row": []})
        chosen = min(fitting, key=lambda each: (each["room"], each["since"])) if fitting else bins[-1]
        chosen["row"].append((document, lengths[document] - rest, rest))
        chosen.update(room=chosen["room"] - rest, since=turn)
    return rows + [sorted(each["row"], key=lambda part: part[1] == 0) for each in bins]


class ObviousPlan:
    """Every sample of a run as a list, from streams that lie in memory whole."""

    def __init__(self, training: Training, run: Path) -> None:
        data, self.sequences = training.data, training.batch.sequences
        self.isolated, self.size, self.seed = data.documents == "isolated", data.sequence_length, data.seed
        self.streams: dict[str, list[tuple[int, int, int]]] = defaultdict(list)  # (document, its token's number, token)
        self.lengths: dict[str, list[int]] = defaultdict(list)
        for shard in json.loads((run / "manifest.json").read_text())["shards"]:
            source, reader = shard["shard"].rpartition("/")[0], ShardReader(run / "shards" / shard["shard"])
            for index in range(len(reader)):
                tokens = reader.document(index).tolist()
                document = len(self.lengths[source])
                self.streams[source] += [(document, number, token) for number, token in enumerate(tokens)]
                self.lengths[source].append(len(tokens))
        self.packed = data.packing == "best_fit"
        self.packings: dict[str, list[list[tuple[int, int, int]]]] = {}
        if self.packed:
            self.packings = {name: obvious_packing(lengths, self.size) for name, lengths in self.lengths.items()}
        self.draws = list(self._draws(data.stages, training.schedule.steps))
        self._epochs: dict[tuple[str, int], list[int]] = {}

    def _draws(self, stages: tuple[Stage, ...], steps: int) -> Iterator[tuple[str, int]]:
        taken: dict[str, int] = defaultdict(int)
        for stage, stop in zip(stages, [*(stage.from_step for stage in stages[1:]), steps]):
            names = [name for name in self.streams if name in stage.blend]
            dealer = Dealer(whole_weights([stage.blend[name] for name in names]))
            for _ in range((stop - stage.from_step) * self.sequences):
                name = names[dealer.deal()[0]]
                yield name, taken[name]
                taken[name] += 1

    def step(self, step: int) -> list[dict[str, Any]]:
        """A step's rows, field by field."""
        return [self._sample(number) for number in range(step * self.sequences, (step + 1) * self.sequences)]

    def _sample(self, number: int) -> dict[str, Any]:
        name, draw = self.draws[number]
        chunks = len(self.packings[name]) if self.packed else (len(self.streams[name]) - self.size) // self.size
        epoch, within = divmod(draw, chunks)
        if (name, epoch) not in self._epochs:
            self._epochs[name, epoch] = obvious_permutation(chunks, key(self.seed, name, epoch, 2))
        if self.packed:
            return self._packed_sample(number, name, self._epochs[name, epoch][within])
        start = key(self.seed, name, epoch, 1) % self.size + self._epochs[name, epoch][within] * self.size
        tokens = self.streams[name][start : start + self.size + 1]
        weights, positions, position = [], [], 0
        for at, (_, number_in_document, _) in enumerate(tokens[:-1]):
            position = 0 if at == 0 or (self.isolated and number_in_document == 0) else position + 1
            positions.append(position)
            weights.append(0.0 if self.isolated and tokens[at + 1][1] == 0 else 1.0)
        return {
            "source": name,
            "tokens": [token for _, _, token in tokens],
            "labels": [token for _, _, token in tokens[1:]],
            "documents": [document for document, _, _ in tokens[1:]],
            "weights": weights,
            "positions": positions,
            "sample": number,
        }

    def _packed_sample(self, number: int, name: str, sequence: int) -> dict[str, Any]:
        """A packed row, label by label: what is behind the last document is padding, end of document and not trained."""
        of_document: dict[int, list[int]] = defaultdict(list)
        for document, _, token in self.streams[name]:
            of_document[document].append(token)
        row = [(part[0], part[1] + at) for part in self.packings[name][sequence] for at in range(part[2])]
        row += [(-1, at) for at in range(self.size - len(row))]
        inputs, labels, weights, positions = [], [], [], [0]
        before = row[0]
        for at, (document, place) in enumerate(row):
            inputs.append(of_document[document][place - 1] if document >= 0 and place else 0)
            labels.append(of_document[document][place] if document >= 0 else 0)
            weights.append(0.0 if document < 0 or (self.isolated and not place) else 1.0)
            begins, begun = document >= 0 and place == 0, before[0] >= 0 and before[1] == 0
            restarts = self.isolated and (begun or not (begins or before == (document, place - 1)))
            positions += [0 if restarts else positions[-1] + 1] if at else []
            before = document, place
        return {
            "source": name,
            "tokens": [*inputs, labels[-1]],
            "labels": labels,
            "documents": [document for document, _ in row],
            "weights": weights,
            "positions": positions,
            "sample": number,
        }
