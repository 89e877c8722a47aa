"""What a page says of itself: title, author, day, language, site, type.

`page_metadata`  all of it, from a parsed page
`titles`, `authors`, `page_dates`, `languages`, `sites`   one value each, by rules in order of trust
`main_thing`     what a page's JSON-LD is about;  `dates`: days in text
`facts`          what the parser has noted, decoded when it is asked for

The parser notes where metas, JSON-LD and elements stand, whoever asks; all else is done here, for who asks. Work is bounded by
the number of values looked at and their lengths; what runs over the whole page is a search through its words, nodes or bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.metadata.authors import author_of
from curation.extract.main_text.metadata.facts import PageFacts
from curation.extract.main_text.metadata.languages import language_of
from curation.extract.main_text.metadata.page_dates import date_of
from curation.extract.main_text.metadata.sites import site_of
from curation.extract.main_text.metadata.titles import title_of


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """What is known of a page; None where it is not.

    author            names with "; " between them
    date              of publication, a day as ISO 8601 has it
    language          a tag as BCP 47 has it, as the page says
    site              the name of the site
    type              article, forum, product, …: the likeliest by the weights, of a page with text; and its probability
    """

    title: str | None = None
    author: str | None = None
    date: str | None = None
    language: str | None = None
    site: str | None = None
    type: str | None = None
    type_probability: float | None = None

    def known(self) -> dict[str, str | float]:
        """The values that there are, by name."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


def page_metadata(page: Page, url: str = "", type: str | None = None, probability: float | None = None) -> PageMetadata:
    """All that a parsed page says of itself. `url` is its address, "" where it is unknown; what it is judged to be is given."""
    facts = PageFacts(page, url)
    site, language = site_of(facts), language_of(facts)
    return PageMetadata(
        title=title_of(facts, site) or None,
        author=author_of(facts, site) or None,
        date=date_of(facts, language) or None,
        language=language or None,
        site=site or None,
        type=type,
        type_probability=probability,
    )
