"""The blend file: rules, the weights that follow from them for one run and one length of training, and the limits to keep.

    rules: {temperature: 3.3, max_epochs: {'*': 4}}      how the weights were made
    planned: {steps: 1000, sequences: 8, sequence_length: 128}
    stages: [{from_step: 0, blend: {web/en: 812034, web/de: 236542}}]
    max_epochs: {web/en: 4.0, web/de: 4.0}

`data.blend` of a training takes its `stages` and `max_epochs`, which may be edited; the rest says how it came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, PositiveFloat, PositiveInt, ValidationError

from connectors.errors import UserError
from connectors.settings import explain, parse_yaml
from trainer.config import Data, Stage, Strict, Training
from trainer.data.blend_rules import Held, Rules, held_sources, limits_of, solve
from trainer.data.manifest import TRAIN, ShardRow, read_shards
from trainer.data.plan import DataPlan, open_source

Kind = TypeVar("Kind", bound=BaseModel)


class Planned(Strict):
    """The training that the weights were worked out for."""

    steps: PositiveInt
    sequences: PositiveInt
    sequence_length: PositiveInt


class BlendFile(Strict):
    """What a blend file holds."""

    rules: Rules = Rules()
    planned: Planned | None = None
    stages: tuple[Stage, ...]
    max_epochs: dict[str, PositiveFloat] = {}

    def to_yaml(self) -> str:
        """The file's content."""
        plain = self.model_dump(mode="json", exclude_defaults=True)
        for stage in plain["stages"]:
            stage["blend"] = {
                name: int(weight) if weight == int(weight) else weight for name, weight in stage["blend"].items()
            }
        text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120)
        return f"# Made by `corpusmill blend`. A training takes it as data.blend; the weights of a stage sum to 2^20.\n{text}"


@dataclass(frozen=True, slots=True)
class Row:
    """A source in a blend: its weight of the stage's 2^20 (0: not drawn from), sequences that the stage draws, epochs in all."""

    source: Held
    weight: int
    draws: int
    epochs: float
    limit: float | None


@dataclass(frozen=True, slots=True)
class Made:
    """A blend file that was worked out, and its last stage as rows."""

    file: BlendFile
    rows: list[Row]
    draws: int


def read_blend(path: str | Path) -> BlendFile:
    """A blend file. Raises `UserError` for one that cannot be read, or holds anything else."""
    return validated(BlendFile, _mapping(path), str(path))


def read_rules(path: str | Path) -> dict[str, Any]:
    """The rules of a blend file, or of a YAML file that holds rules alone, not checked yet. Raises `UserError` as `read_blend`."""
    plain = _mapping(path)
    return dict(plain.get("rules") or {}) if "stages" in plain else plain


def validated(kind: type[Kind], plain: dict[str, Any], where: str) -> Kind:
    """What a mapping says as a model. Raises `UserError` with the first mistake, in one line."""
    try:
        return kind.model_validate(plain)
    except ValidationError as error:
        raise UserError(f"{where}: {explain(error, kind)}") from None


def _mapping(path: str | Path) -> dict[str, Any]:
    try:
        plain = parse_yaml(Path(path).read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        said = (getattr(error, "strerror", None) or "not UTF-8").lower()
        raise UserError(f"Cannot read the blend file {path}: {said}") from None
    if not isinstance(plain, dict):
        raise UserError(f"{path}: a blend file is a mapping, as in 'stages: [{{blend: {{web: 1}}}}]'")
    return plain


def with_blend(config: Training) -> Training:
    """The configuration with its blend file taken in. Raises `UserError` for one that has stages or limits of its own, too."""
    if not config.data.blend:
        return config
    if config.data.stages or config.data.max_epochs:
        raise UserError("data.blend stands for data.stages and data.max_epochs: leave those out, or the file")
    file = read_blend(config.data.blend)
    taken = {"stages": file.stages, "max_epochs": file.max_epochs, "blend": ""}
    return config.model_copy(update={"data": config.data.model_copy(update=taken)})


def make_blend(run: Path, config: Training, rules: Rules, before: BlendFile | None = None, from_step: int = 0) -> Made:
    """Works out a blend of a run's sources over the steps of a training.

    before, from_step   stages that go before, and where this one begins: what they read counts towards `max_epochs`

    Raises `UserError` for rules that do not fit the run, and for a stage that begins after the training has ended or not after
    the stages before it.
    """
    steps, per_step = config.schedule.steps, config.batch.sequences
    earlier = before.stages if before else ()
    _check_start(from_step, steps, earlier)
    shards = Path(config.data.shards) if config.data.shards else run / "shards"
    rows_of_shards = read_shards(shards)
    packed = _packed(shards, rows_of_shards, config.data) if config.data.packing == "best_fit" else None
    sources = held_sources(rows_of_shards, config.data.sequence_length, packed)
    taken = _taken(run, config, sources, earlier, from_step)
    draws = (steps - from_step) * per_step
    limits = (before.max_epochs if before else {}) | limits_of(sources, rules)
    weights = solve(sources, rules, draws, limits, taken)
    stages = (*earlier, Stage(from_step=from_step, blend=dict(weights)))
    planned = Planned(steps=steps, sequences=per_step, sequence_length=config.data.sequence_length)
    after = _taken(run, config, sources, stages, steps, limits)
    rows = [
        Row(
            source,
            weights.get(name, 0),
            after[name] - taken[name],
            after[name] / max(1, source.chunks),
            limits.get(name),
        )
        for source in sources
        for name in [source.name]
    ]
    return Made(BlendFile(rules=rules, planned=planned, stages=stages, max_epochs=limits), rows, draws)


def _packed(shards: Path, rows: Sequence[ShardRow], data: Data) -> dict[str, int]:
    """Sequences of each source that has tokens, packed."""
    with_tokens = dict.fromkeys(row.source for row in rows if row.part == TRAIN and row.tokens)
    own = {name: [row for row in rows if row.source == name] for name in with_tokens}
    return {name: open_source(shards, own[name], data).chunks for name in own}


def _check_start(from_step: int, steps: int, earlier: tuple[Stage, ...]) -> None:
    if from_step >= steps:
        raise UserError(f"A stage that begins at step {from_step:,} is beyond the training's {steps:,} steps")
    if earlier and from_step <= earlier[-1].from_step:
        raise UserError(f"The stage must begin after the one before, which begins at step {earlier[-1].from_step:,}")
    if from_step and not earlier:
        raise UserError(f"Nothing is drawn before step {from_step:,}: name the blend file that goes before, by --after")


def _taken(
    run: Path,
    config: Training,
    sources: Sequence[Held],
    stages: tuple[Stage, ...],
    step: int,
    limits: dict[str, float] | None = None,
) -> dict[str, int]:
    """Sequences of each source that a training draws before a step, as its own plan says."""
    nothing = dict.fromkeys((source.name for source in sources), 0)
    if not stages:
        return nothing
    data = config.data.model_copy(update={"stages": stages, "max_epochs": limits or {}, "blend": ""})
    model = config.model.model_copy(update={"vocabulary": 1 << 31})  # of no matter here
    plan = DataPlan(config.model_copy(update={"data": data, "model": model}), None if data.shards else run)
    return nothing | dict(zip(plan.source_names, plan.draws(step).tolist(), strict=True))
