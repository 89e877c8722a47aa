"""From a YAML file, or the name of a shipped recipe, to the model. A mistake is told in one line, with the nearest known name."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from connectors.errors import UserError, nearest
from curation.quality.rules import Rule
from curation.recipes.lookup import find_step
from curation.recipes.model import Recipe, build_filter

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")


def shipped_recipes() -> dict[str, str]:
    """The names of the shipped recipes and their YAML."""
    folder = resources.files("curation.recipes")
    return {
        entry.name.removesuffix(".yaml"): entry.read_text()
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".yaml")
    }


def load_recipe(name: str, changes: Sequence[str] = ()) -> Recipe:
    """A shipped recipe by name, or a YAML file by path. `changes` are `key.key=value` and win over the file.

    Raises `UserError` for a recipe that is not there, a key that is not known, or a value that does not fit.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        try:
            content, where = Path(name).read_text(encoding="utf-8"), name
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"Cannot read the recipe {name}: {getattr(error, 'strerror', None) or 'not UTF-8'}"
            ) from None
    else:
        shipped = shipped_recipes()
        if name not in shipped:
            raise UserError(f"Unknown recipe '{name}'.{nearest(name, shipped)} A file of your own ends in .yaml")
        content, where = shipped[name], name
    plain = parse_yaml(content, where)
    for change in changes:
        apply_change(plain, change)
    return parse_recipe(plain, where)


def parse_yaml(content: str, where: str) -> dict[str, Any]:
    """A YAML mapping. Raises `UserError` with the line of a mistake."""
    try:
        plain = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{where}{line}: not valid YAML: {getattr(error, 'problem', None) or 'syntax'}") from None
    if not isinstance(plain, dict):
        raise UserError(f"{where}: a recipe is a mapping that begins with 'recipe: NAME'")
    return plain


def apply_change(plain: dict[str, Any], change: str) -> None:
    """Sets `key.key=value` in a mapping; the value is YAML. Raises `UserError` for another form."""
    path, separator, value = change.partition("=")
    *outer, last = path.split(".")
    if not separator or not last:
        raise UserError(f"'{change}': write a change as key=value, as in tokenize.vocabulary=8192")
    for key in outer:
        inner = plain.get(key)
        if inner is None:
            inner = plain[key] = {}
        if not isinstance(inner, dict):
            raise UserError(f"'{change}': '{key}' has no keys below it")
        plain = inner
    try:
        plain[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise UserError(f"'{change}': the value is not valid YAML; quote it, or close its brackets") from None


def parse_recipe(plain: Mapping[str, Any], where: str) -> Recipe:
    """The recipe that a mapping says. Raises `UserError`."""
    try:
        recipe = Recipe.model_validate(plain)
        for entry in recipe.filters:  # one by one, so that a mistake is told by the step that has it
            try:
                build_filter(entry)
            except ValidationError as error:
                raise UserError(explain(error, step_of(entry))) from None
        _ = recipe.filter_steps
        return recipe
    except ValidationError as error:
        raise UserError(f"{where}: {explain(error, Recipe)}") from None
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def step_of(entry: Mapping[str, Any]) -> type[Any]:
    """What the keys of a filter's entry belong to: a rule, or a step's class."""
    name, body = next(iter(entry.items()))
    return Rule if isinstance(body, list) else find_step(name)


def explain(error: ValidationError, kind: type[Any]) -> str:
    """The first mistake in what should be a `kind`, as one line; an unknown key before the one that it stands for."""
    mistakes = error.errors(include_url=False)
    first = next((mistake for mistake in mistakes if mistake["type"] in _UNKNOWN_KEY), mistakes[0])
    path = [str(part) for part in first["loc"]]
    if first["type"] in _UNKNOWN_KEY:
        place = f" in {'.'.join(path[:-1])}" if path[:-1] else ""
        return f"unknown key '{path[-1]}'{place}.{nearest(path[-1], known_keys(kind, path[:-1]))}"
    return f"{'.'.join(path) or error.title}: {first['msg'].lower()}, not {first.get('input')!r:.60}"


def known_keys(kind: Any, path: Sequence[str]) -> list[str]:
    """The keys that are known at a place below a model or a step's class."""
    for part in path:
        kind = typing.get_type_hints(kind).get(part)
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            kind = next(option for option in typing.get_args(kind) if option is not type(None))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []
