"""From YAML to a training configuration with its plan, and from one configuration to the first difference from another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from connectors.errors import UserError
from connectors.settings import apply_change, explain, parse_yaml
from trainer.config import Model, Training
from trainer.data.blend_file import with_blend
from trainer.data.manifest import read_shards
from trainer.data.plan import DataPlan

PADDING = 128  # the vocabulary is rounded up to a multiple of this, so that tensor-parallel sizes up to it divide it
# What may change between a checkpoint and its resume: the samples of each step and the arithmetic on them stay.
FREE = ("backend", "layout", "batch.micro", "checkpoint", "data.shards")
# What may change when one says so: a later part of the run is then another run's.
DELIBERATE = ("optimizer", "schedule")


def load_training(path: str | Path | None, changes: Sequence[str] = ()) -> Training:
    """A configuration from a YAML file, or the defaults. `changes` are `key.key=value` and win over the file.

    Raises `UserError` for a file that can't be read, a key that is not known, or a value that does not fit.
    """
    plain: dict[str, Any] = {}
    where = str(path or "--set")
    if path is not None:
        try:
            content = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            said = (getattr(error, "strerror", None) or "not UTF-8").lower()
            raise UserError(f"Cannot read {path}: {said}") from None
        plain = _mapping(parse_yaml(content, where), where)
    for change in changes:
        apply_change(plain, change)
    try:
        return Training.model_validate(plain)
    except ValidationError as error:
        raise UserError(f"{where}: {explain(error, Training)}") from None


def _mapping(plain: Any, where: str) -> dict[str, Any]:
    if plain is None:
        return {}
    if not isinstance(plain, dict):
        raise UserError(f"{where}: a configuration is a mapping, as in 'model: {{layers: 4}}'")
    return plain


def settled(config: Training, run: Path) -> tuple[Training, DataPlan]:
    """The configuration with nothing left open, and the plan of its data.

    Shards are those of the run unless `data.shards` names others; what a blend file says is taken in; the model's vocabulary is
    the tokenizer's, rounded up, unless it was set. Raises `UserError` as `DataPlan` does.
    """
    config = with_blend(config)
    shards = Path(config.data.shards) if config.data.shards else run / "shards"
    if "vocabulary" not in config.model.model_fields_set:
        tokens = max(row.vocabulary for row in read_shards(shards))
        model = config.model.model_dump(exclude_unset=True) | {"vocabulary": -(-tokens // PADDING) * PADDING}
        config = config.model_copy(update={"model": Model.model_validate(model)})
    return config, DataPlan(config, None if config.data.shards else run)


def to_plain(config: Training) -> dict[str, Any]:
    """The resolved configuration as plain JSON."""
    return config.model_dump(mode="json")


def to_yaml(config: Training) -> str:
    """The resolved configuration as YAML, in the order of its definition."""
    return str(yaml.safe_dump(to_plain(config), sort_keys=False))


def first_difference(old: Mapping[str, Any], new: Mapping[str, Any], allowed: Sequence[str] = FREE) -> str | None:
    """The first key whose values differ, as `model.layers was 4, is 2`; None where all that matters is the same.

    A key that the old one does not have was not known yet, and had its default.
    """
    was, now = _flat(to_plain(Training())) | _flat(old), _flat(new)
    for key in [*was, *(key for key in now if key not in was)]:
        if any(key == free or key.startswith(f"{free}.") for free in allowed):
            continue
        if was.get(key) != now.get(key):
            return f"{key} was {was.get(key)!r}, is {now.get(key)!r}"
    return None


def _flat(plain: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in plain.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = value
    return flat
