"""From a YAML file, or the name of a shipped recipe, to the model. A mistake is told in one line, with the nearest known name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from connectors import settings
from connectors.errors import UserError, nearest
from connectors.settings import apply_change, explain
from curation.quality.rules import Rule
from curation.recipes.lookup import find_step
from curation.recipes.model import Recipe, build_filter


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
            content = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            said = getattr(error, "strerror", None) or "not UTF-8"
            raise UserError(f"Cannot read the recipe {name}: {said}") from None
    else:
        shipped = shipped_recipes()
        if name not in shipped:
            raise UserError(f"Unknown recipe '{name}'.{nearest(name, shipped)} A file of your own ends in .yaml")
        content = shipped[name]
    plain = parse_yaml(content, name)
    for change in changes:
        apply_change(plain, change)
    return parse_recipe(plain, name)


def parse_yaml(content: str, where: str) -> dict[str, Any]:
    """A YAML mapping. Raises `UserError` with the line of a mistake."""
    plain = settings.parse_yaml(content, where)
    if not isinstance(plain, dict):
        raise UserError(f"{where}: a recipe is a mapping that begins with 'recipe: NAME'")
    return plain


def parse_recipe(plain: Mapping[str, Any], where: str) -> Recipe:
    """The recipe that a mapping says. Raises `UserError`."""
    try:
        recipe = Recipe.model_validate(plain)
        for entry in recipe.filters:  # one by one, so that a mistake is told by the step that has it
            try:
                build_filter(entry)
            except ValidationError as error:
                raise UserError(explain(error, step_of(entry))) from None
        _ = recipe.filter_steps, recipe.keys
        recipe.require_groups()
        return recipe
    except ValidationError as error:
        raise UserError(f"{where}: {explain(error, Recipe)}") from None
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def step_of(entry: Mapping[str, Any]) -> type[Any]:
    """What the keys of a filter's entry belong to: a rule, or a step's class."""
    name, body = next(iter(entry.items()))
    return Rule if isinstance(body, list) else find_step(name)
