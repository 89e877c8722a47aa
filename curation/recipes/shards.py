"""What a recipe may say of which documents share a shard: those that are held out, languages, buckets of quality."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, FiniteFloat, model_validator

from connectors.errors import UserError
from curation.recipes.strict import Strict

Share = Annotated[float, Field(ge=0, le=0.5)]


class HeldOut(Strict):
    """Shares of the documents that are never trained on, drawn by a keyed hash of the page's canonical address.

    The same page is on the same side in every crawl and run of one seed. A share that is raised later takes documents from the
    training data, and none from the other.
    """

    validation: Share = 0.0
    test: Share = 0.0


class Quality(Strict):
    """Buckets by a measure: q0 below the first edge, q1 from there to the second, and so on."""

    measure: str
    edges: list[FiniteFloat] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def ascending(self) -> Self:
        """Raises `UserError` for edges out of order."""
        if any(later <= earlier for earlier, later in zip(self.edges, self.edges[1:])):
            raise UserError(f"tokenize.groups.quality.edges: each must be above the one before, not {self.edges}")
        return self


class Groups(Strict):
    """By what a source is cut into groups, each with shards of its own, so that training can weight them."""

    language: bool = False
    quality: Quality | None = None
