"""A page before it becomes a record: what it says, what was planted in it, and how its server answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from curation.sample.personal_data import Span
from curation.sample.randomness import Draws
from curation.sample.texts import Text


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a server that is no good page: anything but 200 with HTML."""

    status: int = 200
    media: str = "text/html"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    path: str = ""  # of the URL, "" where the page's own does
    revisit: bool = False
    truncated: bool = False  # the crawler stopped within the payload


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the crawl. `text` is None where `reply` says all."""

    text: Text | None = None
    reply: Reply | None = None
    host: str = ""  # "" where the page's own is drawn
    spans: tuple[Span, ...] = ()
    contamination: str = ""
    original: int = -1  # number of the page that this one copies from
    jaccard: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands in a crawl: all that its content depends on."""

    seed: int
    number: int
    draws: Draws = field(compare=False)

    @classmethod
    def of(cls, seed: int, number: int, purpose: str = "page") -> Place:
        """The place with its own draws."""
        return cls(seed, number, Draws(seed, number, purpose))
