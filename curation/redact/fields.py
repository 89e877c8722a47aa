"""The same redaction inside a JSON object, which stays valid JSON: the user's own columns."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from curation.redact.gates import Kind
from curation.redact.text import redact_text

Counts = dict[str, int]


class NumberLiteral(str):
    """A JSON number as it is written, so that it comes out unchanged."""


def redact_json(meta: str, kinds: Collection[Kind]) -> tuple[str, Counts]:
    """The JSON with every string, key and number redacted, and the counts. A number that is found becomes a string.

    Unchanged to the byte where nothing is found; "" stays "". Keys that become equal get a number. Raises ValueError,
    without content, for what is no JSON or nested too deeply.
    """
    if not meta:
        return meta, redact_text("", kinds)[1]
    try:
        value = json.loads(meta, parse_int=NumberLiteral, parse_float=NumberLiteral, parse_constant=NumberLiteral)
        counts = redact_text("", kinds)[1]
        redacted = _redact_value(value, kinds, counts)
        return (_written(redacted) if any(counts.values()) else meta), counts
    except (json.JSONDecodeError, RecursionError):
        raise ValueError("the user's own columns are no JSON, or nested too deeply") from None


def _redact_value(value: Any, kinds: Collection[Kind], counts: Counts) -> Any:
    if isinstance(value, dict):
        redacted: dict[str, Any] = {}
        for key, item in value.items():
            redacted[_free_key(_redact_string(key, kinds, counts), redacted)] = _redact_value(item, kinds, counts)
        return redacted
    if isinstance(value, list):
        return [_redact_value(item, kinds, counts) for item in value]
    if isinstance(value, NumberLiteral):
        plain = _redact_string(value, kinds, counts)
        return value if plain == value else plain
    return _redact_string(value, kinds, counts) if isinstance(value, str) else value


def _redact_string(text: str, kinds: Collection[Kind], counts: Counts) -> str:
    redacted, found = redact_text(str(text), kinds)
    for kind, count in found.items():
        counts[kind] += count
    return redacted


def _free_key(key: str, taken: Collection[str]) -> str:
    if key not in taken:
        return key
    number = 2
    while f"{key} {number}" in taken:
        number += 1
    return f"{key} {number}"


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return str(value) if isinstance(value, NumberLiteral) else json.dumps(value, ensure_ascii=False)
