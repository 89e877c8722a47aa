"""The language that a page says it is in: `<html lang>`, content-language, og:locale, other metas, JSON-LD."""

from __future__ import annotations

import re

from curation.extract.main_text.metadata.facts import PageFacts
from curation.extract.main_text.metadata.main_thing import told

_TAG = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|\d{3}))?\b", re.IGNORECASE)
_NO_LANGUAGE = ("und", "mul", "zxx", "mis")


def language_of(facts: PageFacts) -> str:
    """A language tag as BCP 47 writes it (`de`, `pt-BR`, `zh-Hant-TW`), "" if the page does not tell."""
    said = [facts.attribute(node, name) for node in facts.elements("html") for name in ("lang", "xml:lang")]
    said += facts.metas("content-language", "og:locale", "language", "dc.language", "dc:language", "dcterms.language")
    said += facts.metas("inlanguage") + [str(value) for value in told(facts.things, "inLanguage")]
    return next((tag for tag in map(language_tag, said) if tag), "")


def language_tag(value: str) -> str:
    """The tag that a value begins with, "" if none."""
    found = _TAG.match(value.strip())
    if not found or found[1].lower() in _NO_LANGUAGE:
        return ""
    parts = (found[1].lower(), found[2] and found[2].title(), found[3] and found[3].upper())
    return "-".join(part for part in parts if part)
