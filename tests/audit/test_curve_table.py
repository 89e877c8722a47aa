"""The table of which pairs a recipe finds."""

from __future__ import annotations

import io

from rich.console import Console

from curation.audit.pages import page
from curation.audit.show_recipe import curve_table
from curation.dedup.banding import datasketch_choice
from curation.recipes.dedup import MinHash


def test_a_target_beside_datasketchs_choice() -> None:
    near = MinHash(target=0.83)
    shown = io.StringIO()
    page(Console(file=shown)).print(curve_table(near))
    rows = [line.split() for line in shown.getvalue().splitlines()]
    theirs = datasketch_choice(0.83, near.values)
    assert f"{near.banding}, as here" in shown.getvalue()
    assert f"{theirs}, datasketch's choice for 0.83" in shown.getvalue()
    by_similarity = {row[0]: row[1:] for row in rows if row and row[0][0] in "01"}
    assert by_similarity["0.83"] == [f"{each.probability(0.83):.2%}" for each in (near.banding, theirs)]
    assert len(by_similarity) == 16
    assert near.banding.probability(0.83) >= 0.99
