"""Settings from YAML to a pydantic model: parsed, changed by `key.key=value`, and every mistake told in one line."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from connectors.errors import UserError, nearest

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")  # YAML 1.1 takes 6e-4 for text


def parse_yaml(content: str, where: str) -> Any:
    """What a YAML text says. Raises `UserError` with the line of a mistake."""
    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{where}{line}: not valid YAML: {getattr(error, 'problem', None) or 'syntax'}") from None


def apply_change(plain: dict[str, Any], change: str) -> None:
    """Sets `key.key=value` in a mapping; the value is YAML. Raises `UserError` for another form."""
    path, separator, value = change.partition("=")
    *outer, last = path.split(".")
    if not separator or not last:
        raise UserError(f"'{change}': write a change as key=value, as in tokenize.vocabulary=8192")
    for key in outer:
        if plain.get(key) is None:
            plain[key] = {}
        if not isinstance(plain[key], dict):
            raise UserError(f"'{change}': '{key}' has no keys below it")
        plain = plain[key]
    try:
        plain[last] = float(value) if _EXPONENT.fullmatch(value.strip()) else yaml.safe_load(value)
    except yaml.YAMLError:
        raise UserError(f"'{change}': the value is not valid YAML; quote it, or close its brackets") from None


def explain(error: ValidationError, kind: type[Any]) -> str:
    """The first mistake in what should be a `kind`, as one line; an unknown key before the one that it stands for."""
    mistakes = error.errors(include_url=False)
    first = next((mistake for mistake in mistakes if mistake["type"] in _UNKNOWN_KEY), mistakes[0])
    path = [str(part) for part in first["loc"]]
    if first["type"] in _UNKNOWN_KEY:
        place = f" in {'.'.join(path[:-1])}" if path[:-1] else ""
        return f"unknown key '{path[-1]}'{place}.{nearest(path[-1], known_keys(kind, path[:-1]))}"
    said = first["msg"].removeprefix("Value error, ")
    return f"{'.'.join(path) or error.title}: {said[:1].lower()}{said[1:]}, not {first.get('input')!r:.60}"


def known_keys(kind: Any, path: Sequence[str]) -> list[str]:
    """The keys that are known at a place below a model or a dataclass."""
    for part in path:
        is_item = part.isdigit()  # of a tuple or list
        kind = typing.get_args(kind)[0] if is_item else typing.get_type_hints(kind).get(part)
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            kind = next(option for option in typing.get_args(kind) if option is not type(None))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []
