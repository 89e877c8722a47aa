"""The fields that records of every format have: page address, capture time, and the user's own columns."""

from __future__ import annotations

import base64
import datetime
import json
import math
import re
from collections.abc import Mapping

from connectors.records import Limits, Record, Refusal

URL_CHARACTERS = 8192
_UNFIT_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff\ufffd]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
DATE_COLUMNS = ("timestamp", "date")


def fit_url(url: str) -> str:
    """The address without blanks, control characters and the angle brackets of WARC/1.0, at most 8,192 characters."""
    return _UNFIT_IN_URL.sub("", url[: 2 * URL_CHARACTERS].strip().strip("<>"))[:URL_CHARACTERS]


def fit_date(date: str) -> str:
    """The capture time as it stands if it is an RFC 3339 date and time, else ""."""
    return date if _DATE.fullmatch(date) else ""


def text_record(offset: int, text: object, columns: Mapping[str, object], limits: Limits) -> Record:
    """A record of a text corpus.

    text      `str`, or UTF-8 bytes; anything else is refused as `no_text`, an empty one as `empty_body`
    columns   all columns but the text: `url`, and `timestamp` or `date`, go to their fields where they are fit for
              them; what is left is `meta`
    """
    rest = dict(columns)
    url = ""
    if isinstance(rest.get("url"), str):
        url = fit_url(str(rest.pop("url")))
    date = ""
    for name in DATE_COLUMNS:
        if date := fit_date(plain_text(rest.get(name))):
            del rest[name]
            break

    def refused(refusal: Refusal) -> Record:
        return Record(offset, url, date, refusal=refusal)

    try:
        content = text.encode() if isinstance(text, str) else text
        if not isinstance(content, bytes):
            return refused(Refusal("quarantined", "no_text"))
        if len(content) > limits.record_bytes:
            return refused(Refusal("quarantined", "record_too_large", len(content), limits.record_bytes))
        if not isinstance(text, str):
            content.decode()
        meta = json_of(rest) if rest else ""
        meta.encode()
    except UnicodeError:
        return refused(Refusal("quarantined", "bad_utf8"))
    except (ValueError, RecursionError):  # nested deeper than JSON can be written
        return refused(Refusal("quarantined", "bad_json"))
    if not content or content.isspace():
        return refused(Refusal("removed", "empty_body"))
    return Record(offset, url, date, "text", "", content, meta)


def json_of(columns: Mapping[str, object]) -> str:
    """Compact JSON with sorted keys. Numbers that are not finite, which JSON cannot say, become null."""
    try:
        return _JSON.encode(columns)
    except ValueError:
        return _JSON.encode(_finite(columns))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def plain_text(value: object) -> str:
    """Values that JSON has no type for: times by RFC 3339 (UTC where no zone is told), bytes in base64."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=plain_text)
