"""Lines of symbols. Oracle: datatrove 0.10.1, `SymbolLinesFormatter`."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.quality.symbol_lines import SymbolLines, default_symbols
from curation.run.documents import TEXT

PIECES = [
    "***",
    "—",
    " ",
    "\t",
    "\n",
    "\n",
    "\r\n",
    "\x0b",
    "\x85",
    "\x1c",
    "word",
    "1",
    "１",
    "•",
    "。",
    "\u3000",
    "|",
]
texts = st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(max_size=40)


def test_the_step_drops_lines_and_counts_them() -> None:
    rows = pa.record_batch({TEXT: pa.array(["Title\n=====\n\n***\n---\nText\n", "no symbols", ""], pa.string())})
    out = SymbolLines()(rows).to_pylist()
    assert [row[TEXT] for row in out] == ["Title\n\nText", "no symbols", ""]
    assert [row["edit:symbol_lines.lines"] for row in out] == [3, 0, 0]
    assert [row["fate"] for row in out] == [None] * 3
    assert SymbolLines(replacement="#", name="x")(rows).to_pylist()[0][TEXT] == "Title\n#\n\n#\nText"
    assert SymbolLines(symbols="=").without("==\n**")[0] == "**"


def test_the_symbols_are_datatroves() -> None:
    text = pytest.importorskip("datatrove.utils.text")
    assert set(default_symbols()) == text.PUNCTUATION_SET


@settings(deadline=None, max_examples=400)
@given(texts, st.sampled_from([None, "*|", ""]), st.sampled_from(["", "\n", "~"]))
def test_equal_to_datatrove(string: str, symbols: str | None, replacement: str) -> None:
    formatters = pytest.importorskip("datatrove.pipeline.formatters")
    oracle = formatters.SymbolLinesFormatter(None if symbols is None else list(symbols), replacement)
    assert SymbolLines(symbols=symbols, replacement=replacement).without(string)[0] == oracle.format(string)
