"""The step `ftfy`. Oracle: datatrove 0.10.1, `FTFYFormatter`, over `ftfy.fix_text`."""

from __future__ import annotations

import gzip
import inspect
import json
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.quality import mend_text
from curation.run.documents import TEXT

pytest.importorskip("ftfy")

from curation.quality.mend_text import MOST_ROUNDS, Ftfy

PIECES = ["plain ", "sÃ³", "â€œso", "voilÃ le", "&lt;", "&amp;amp;", "<p>", "\n", "\r\n", "\x1b[31m", "\x00", "\ufeff"]
PIECES += [
    "ﬁ",
    "ＬＯＵＤ",
    "“",
    "\x85",
    "\x96",
    "Ã",
    "ã\x83\x84",
    "é",
    "&#133;",
    "\ud83d\ude00",
    "caf\u0065\u0301",
    "&",
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
SWITCHES: list[dict[str, Any]] = [
    {},
    {"unescape_html": True, "fix_line_breaks": True, "uncurl_quotes": True, "normalization": "NFC"},
    {"unescape_html": False, "fix_latin_ligatures": True, "fix_character_width": True, "normalization": "NFKD"},
    {"fix_encoding": False, "remove_terminal_escapes": False, "remove_control_chars": False},
    {"restore_byte_a0": False, "replace_lossy_sequences": False, "decode_inconsistent_utf8": False},
    {"fix_c1_controls": False, "fix_surrogates": False},
]


def test_the_step_mends_and_counts_lines_by_fix() -> None:
    rows = ["sÃ³ so\nplain\nvoilÃ\xa0", "a &lt; b\n<p>\n&lt;", "plain\x01", ""]
    out = Ftfy()(pa.record_batch({TEXT: pa.array(rows, pa.string())})).to_pylist()
    assert [row[TEXT] for row in out] == ["só so\nplain\nvoilà", "a < b\n<p>\n&lt;", "plain", ""]
    assert [row["edit:ftfy.fix_encoding"] for row in out] == [2, 0, 0, 0]
    assert [row["edit:ftfy.unescape_html"] for row in out] == [0, 1, 0, 0]
    assert [row["edit:ftfy.remove_control_chars"] for row in out] == [0, 0, 1, 0]
    assert "edit:ftfy.uncurl_quotes" not in out[0] and out[0]["fate"] is None


def test_keys_and_defaults_are_datatroves() -> None:
    formatter = pytest.importorskip("datatrove.pipeline.formatters").FTFYFormatter
    theirs = {name: each.default for name, each in list(inspect.signature(formatter.__init__).parameters.items())[1:]}
    ours = {name: each.default for name, each in inspect.signature(Ftfy).parameters.items() if name != "name"}
    assert ours == theirs


@pytest.mark.parametrize("switches", SWITCHES)
@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(string=texts)
def test_equal_to_datatrove(switches: dict[str, Any], string: str) -> None:
    oracle = pytest.importorskip("datatrove.pipeline.formatters").FTFYFormatter(**switches)
    assert Ftfy(**switches).mend(string)[0] == oracle.format(string)


def test_equal_to_datatrove_on_real_pages(shared: Path) -> None:
    oracle = pytest.importorskip("datatrove.pipeline.formatters").FTFYFormatter()
    step = Ftfy()
    changed = 0
    with gzip.open(shared / "bench/corpus_en_4000.jsonl.gz") as corpus:
        for number, line in enumerate(corpus):
            if number % 10 == 0:
                string = json.loads(line)["text"]
                mended, fixes = step.mend(string)
                assert mended == oracle.format(string)
                assert bool(fixes) == (mended != string)
                changed += mended != string
    assert changed


@pytest.mark.parametrize("string", ["Ã" + "ƒ" * 20_000, "&" + "amp;" * 20_000, "Ã" + "\x83" * 20_000])
def test_no_line_takes_quadratic_time(string: str) -> None:
    """ftfy alone takes a minute and more."""
    start = time.process_time()
    mended, _ = Ftfy().mend(string)
    assert time.process_time() - start < 20
    assert len(string) - 5 * MOST_ROUNDS**2 <= len(mended) < len(string)


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ftfy", None)
    mend_text._ftfy.cache_clear()
    with pytest.raises(UserError, match=r"'ftfy' is not installed.*corpusmill\[text\]"):
        Ftfy()


def test_parameters_are_checked_and_the_step_pickles() -> None:
    for wrong in ({"unescape_html": "never"}, {"normalization": "nfc"}, {"explain": True}):
        with pytest.raises(ValidationError):
            Ftfy(**wrong)  # type: ignore[arg-type]
    step = Ftfy(fix_encoding=False)
    step.mend("é\x01")
    assert pickle.loads(pickle.dumps(step)) == step
