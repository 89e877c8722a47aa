"""The quality that `fast` expects of its texts: a measure, a line that a recipe draws, and what the choice of blocks leans to."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.extract import Extract
from curation.extract.main_text.calibration import UNCHANGED, calibrated
from curation.recipes.load import load_recipe
from curation.run.documents import CHARSET, CONTENT, FATE, MEASURE, MEDIA, REASON, TEXT, THRESHOLD, VALUE

COLUMN = f"{MEASURE}extraction_quality"
SENTENCE = "Two botanists saw the plant in the valley, and wrote a long letter about it to all of their friends."
CLEAR = (
    "<html><head><title>A letter</title></head><body><nav><a href=/>Home</a></nav><article><h1>A letter</h1>"
    + f"<p>{SENTENCE} {SENTENCE}</p>" * 8
    + "</article><footer>Legal</footer></body></html>"
)
DOUBTFUL = f"<body><div class=footer><p>{SENTENCE}</p></div><div class=sidebar><p>{SENTENCE}</p></div>"
LIST = "".join(
    f"<div><a href=/{number}>Plant number {number}</a> <span>{number}.00</span> A rare one.</div>"
    for number in range(30)
)
PLAIN = ("text", "", SENTENCE.encode())


def html(text: str) -> tuple[str, str, bytes]:
    return ("html", "utf-8", text.encode())


def extracted(step: Extract, *rows: tuple[str, str, bytes]) -> pa.RecordBatch:
    media, charsets, contents = zip(*rows, strict=True)
    return step(pa.record_batch({MEDIA: media, CHARSET: charsets, CONTENT: pa.array(contents, pa.binary())}))


def test_what_is_clear_is_expected_to_be_better_than_what_is_not_and_plain_text_has_no_quality() -> None:
    step = Extract(engine="fast")
    clear, doubtful, empty, plain = (
        extracted(step, html(CLEAR), html(DOUBTFUL), html(""), PLAIN).column(COLUMN).to_pylist()
    )
    assert 0 < doubtful < 0.6 < 0.9 < clear <= 1
    assert empty is None and plain is None
    assert step.measures == ("extraction_quality",)


def test_engines_that_do_not_judge_themselves_add_no_measure() -> None:
    step = Extract(engine="resiliparse")
    assert COLUMN not in extracted(step, html(CLEAR)).schema.names and step.measures == ()


def test_a_text_below_the_line_is_removed_with_what_was_expected_and_the_line() -> None:
    found = extracted(Extract(engine="fast", min_quality=0.6), html(CLEAR), html(DOUBTFUL), html(""), PLAIN)
    fates = [[row[name] for name in (FATE, REASON, VALUE, THRESHOLD)] for row in found.to_pylist()]
    quality = found.column(COLUMN)[1].as_py()
    assert quality < 0.6
    assert fates == [
        [None] * 4,
        ["removed", "doubtful_extraction", quality, 0.6],
        ["removed", "no_main_text", None, None],
        [None] * 4,
    ]


def test_recall_keeps_what_precision_keeps_and_more() -> None:
    page = CLEAR.replace("</article>", f"</article><div><h3>Comments</h3><p>{SENTENCE}</p></div>" + LIST)
    kept = [
        extracted(Extract(engine="fast", favour=favour), html(page)).column(TEXT)[0].as_py().splitlines()
        for favour in (0.05, "precision", "balance", "recall", 9.0)
    ]
    for fewer, more in zip(kept, kept[1:], strict=False):
        assert len(fewer) <= len(more) and set(fewer) <= set(more)
    assert len(kept[0]) < len(kept[-1])


@pytest.mark.parametrize("wrong", ["recal", 0.0, 11.0, float("nan")])
def test_what_to_favour_is_a_known_word_or_a_number_in_bounds(wrong: str | float) -> None:
    with pytest.raises(UserError, match="extract.favour: "):
        Extract(engine="fast", favour=wrong)


@pytest.mark.parametrize("option", [{"favour": "recall"}, {"favour": 2.0}, {"min_quality": 0.5}])
def test_what_needs_fast_is_refused_for_other_engines(option: dict[str, object]) -> None:
    with pytest.raises(
        UserError, match=f"extract.{next(iter(option))}: 'trafilatura' has no such thing; take the engine 'fast'"
    ):
        Extract(engine="trafilatura", **option)  # type: ignore[arg-type]


def test_a_recipe_may_keep_the_best_extraction_of_duplicates_where_there_is_a_measure_of_it() -> None:
    best = ["dedup.keep={best: extraction_quality}"]
    assert "extraction_quality" in load_recipe("gopher", [*best, "extract.engine=fast"]).keys.policy.measure
    with pytest.raises(UserError, match="no step of the recipe computes 'extraction_quality'"):
        _ = load_recipe("gopher", [*best, "extract.engine=resiliparse"]).keys


@given(
    st.lists(
        st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1, unique_by=lambda knot: knot[0]
    ),
    st.floats(-0.5, 1.5),
)
def test_between_knots_it_goes_in_a_straight_line(knots: list[tuple[float, float]], expected: float) -> None:
    table = np.array(sorted(knots), np.float32)
    assert calibrated(table, expected) == pytest.approx(np.interp(expected, table[:, 0], table[:, 1]), abs=1e-6)


def test_weights_without_a_table_change_nothing() -> None:
    assert calibrated(UNCHANGED, 0.37) == pytest.approx(0.37, abs=1e-12)
