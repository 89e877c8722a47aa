"""E-mail addresses in URLs. Other kinds stay: a run of digits in a URL is an article's number, not a telephone's."""

from __future__ import annotations

from curation.redact.text import Unredactable, redact_text


def redact_url(url: str) -> str:
    """The URL with e-mail addresses replaced by `<EMAIL>`; a written-out `%40` counts as `@`.

    Empty where the address is too odd to be redacted safely; archive and offset still name the page.
    """
    plain = url.replace("%40", "@")
    if "@" not in plain:
        return url
    try:
        redacted, counts = redact_text(plain, ["email"])
    except Unredactable:
        return ""
    return redacted if any(counts.values()) else url
