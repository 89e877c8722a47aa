"""Homes: where documents are asked about. A home is some consecutive splits whose signatures one task can hold.

Documents are numbered over all splits in the order of the plan, so a number names a document whatever machine works on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HOME_DOCUMENTS = 500_000  # of a home, about: 112 bytes each while it answers

Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """A split's survivors, or a part of an index: where its files lie, and the number of its first document.

    texts  URI of the survivors' text, "" for a part of an index
    """

    unit: str
    signatures: str
    texts: str
    first: int
    documents: int


@dataclass(frozen=True, slots=True)
class Home:
    """Consecutive parts, and what it is called by. Its documents are [first, stop)."""

    number: int
    parts: tuple[Part, ...]

    @property
    def first(self) -> int:
        """Number of the first document."""
        return self.parts[0].first

    @property
    def stop(self) -> int:
        """Number behind the last document."""
        return self.parts[-1].first + self.parts[-1].documents

    @property
    def documents(self) -> int:
        """How many documents it has."""
        return self.stop - self.first


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Which documents belong to which home.

    firsts  of each home, and behind them the number of all documents
    own     number of the run's own first document; those before it are an index's, which stay whatever happens
    """

    firsts: tuple[int, ...]
    own: int

    @property
    def homes(self) -> int:
        """How many homes there are."""
        return len(self.firsts) - 1

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return self.firsts[-1]

    def cuts(self, ascending: Numbers) -> Places:
        """Where each home's begin in ascending document numbers, int64[homes + 1]."""
        return np.searchsorted(ascending, np.array(self.firsts, np.uint64))


def plan_homes(parts: Sequence[Part], documents: int = HOME_DOCUMENTS) -> list[Home]:
    """Groups parts to homes of about so many documents, index and run apart; parts without documents are left out."""
    homes: list[list[Part]] = []
    for part in parts:
        if not part.documents:
            continue
        last = homes[-1] if homes else []
        fits = sum(p.documents for p in last) + part.documents <= documents
        if last and fits and bool(last[0].texts) == bool(part.texts):
            last.append(part)
        else:
            homes.append([part])
    return [Home(number, tuple(members)) for number, members in enumerate(homes)]
