"""The name of the site that a page belongs to: og:site_name, the publisher or web site of its JSON-LD, metas of applications
and publishers."""

from __future__ import annotations

from curation.extract.main_text.linked_data import kinds
from curation.extract.main_text.metadata.facts import PageFacts, plain
from curation.extract.main_text.metadata.main_thing import resolved, told

MAX_NAME = 100  # characters


def site_of(facts: PageFacts) -> str:
    """The site's name, "" if the page does not tell."""
    said = facts.metas("og:site_name")
    publishers = [resolved(facts.things, value) for value in told(facts.things, "publisher")]
    said += [str(value.get("name") or "") for value in publishers if isinstance(value, dict)]
    said += [str(thing.get("name") or "") for thing in facts.things if kinds(thing) == "website"]
    said += facts.metas("application-name", "dc.publisher", "dcterms.publisher", "publisher", "citation_journal_title")
    said += facts.metas("apple-mobile-web-app-title")
    return next((name for name in map(plain, said) if 0 < len(name) <= MAX_NAME), "")
