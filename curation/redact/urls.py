"""E-mail addresses in URLs. Other kinds stay: a run of digits in a URL is an article's number, not a telephone's."""

from __future__ import annotations

from curation.redact import redact_text


def redact_url(url: str) -> str:
    """The URL with e-mail addresses replaced by `<EMAIL>`; a written-out `%40` counts as `@`."""
    plain = url.replace("%40", "@")
    if "@" not in plain:
        return url
    redacted, counts = redact_text(plain, ["email"])
    return redacted if any(counts.values()) else url
