"""The step `Redact`, and redaction inside the user's own columns."""

from __future__ import annotations

import json
import pickle

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

pytest.importorskip("presidio_analyzer")

from curation.redact import Redact, redact_json, redact_text
from curation.redact.text import Unredactable
from curation.run.documents import FATE, META, REASON, TEXT

MAIL, CARD = "jane.doe@example.com", "4111111111111111"


def batch(texts: list[str], metas: list[str]) -> pa.RecordBatch:
    return pa.record_batch({TEXT: pa.array(texts, pa.string()), META: pa.array(metas, pa.string())})


def test_text_and_own_columns_are_rewritten_and_counted() -> None:
    result = Redact(kinds=["email", "credit_card"])(batch([f"{MAIL} {MAIL}", "none"], [f'{{"c": {CARD}}}', ""]))
    assert result.column(TEXT).to_pylist() == ["<EMAIL> <EMAIL>", "none"]
    assert result.column(META).to_pylist() == ['{"c": "<CREDIT_CARD>"}', ""]
    assert result.column("edit:redact.email").to_pylist() == [2, 0]
    assert result.column("edit:redact.credit_card").to_pylist() == [1, 0]
    assert result.column(FATE).to_pylist() == [None, None]


def test_columns_can_be_chosen() -> None:
    result = Redact(kinds=["email"], columns=("text",))(batch([MAIL], [json.dumps({"from": MAIL})]))
    assert result.column(TEXT)[0].as_py() == "<EMAIL>" and MAIL in result.column(META)[0].as_py()


def test_a_batch_may_have_no_own_columns_and_no_rows() -> None:
    only_text = batch([MAIL], [""]).select([TEXT])
    assert Redact(kinds=["email"])(only_text).column(TEXT)[0].as_py() == "<EMAIL>"
    assert Redact(kinds=["email"])(batch([], [])).num_rows == 0


def test_what_cannot_be_redacted_is_emptied_and_quarantined(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Redact(kinds=["email"])(batch([MAIL, "fine"], [f"{{{MAIL}", ""]))
    assert broken.column(REASON).to_pylist() == ["redaction_bad_meta", None]
    assert MAIL not in str(broken.to_pydict())

    def unsettled(*_: object) -> None:
        raise Unredactable("redaction_unsettled", 16, 16)

    monkeypatch.setitem(__import__("curation.redact.step", fromlist=["x"]).REDACTIONS, TEXT, unsettled)
    result = Redact(kinds=["email"])(batch([MAIL], [""]))
    assert result.column(REASON).to_pylist() == ["redaction_unsettled"] and MAIL not in str(result.to_pydict())


@pytest.mark.parametrize(
    ("meta", "redacted"),
    [
        ("", ""),
        ('{"a":  1.50, "b": [true, null, 1e400, 12345678901234567890]}', None),
        (
            f'{{"{MAIL}": "x", "{MAIL} ": {{"deep": ["{MAIL}"]}}}}',
            '{"<EMAIL>": "x", "<EMAIL> ": {"deep": ["<EMAIL>"]}}',
        ),
        (f'{{"a@b.org": 1, "c@d.org": 2.50, "n": {CARD}}}', '{"<EMAIL>": 1, "<EMAIL> 2": 2.50, "n": "<CREDIT_CARD>"}'),
        ('{"u": "\\u006aane@example.com \\ud83d\\ude00"}', '{"u": "<EMAIL> 😀"}'),
    ],
)
def test_json_stays_json_and_unchanged_where_nothing_is_found(meta: str, redacted: str | None) -> None:
    assert redact_json(meta, ["email", "credit_card"])[0] == (meta if redacted is None else redacted)


@pytest.mark.parametrize("meta", ["{", "[" * 100_000, f"{{'a': {MAIL}}}"])
def test_what_is_no_json_is_refused_without_quoting_it(meta: str) -> None:
    with pytest.raises(ValueError, match="no JSON") as error:
        redact_json(meta, ["email"])
    assert MAIL not in repr(error.value) and error.value.__cause__ is None and error.value.__suppress_context__


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from([MAIL, CARD, "x", 'é\n"']),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", MAIL, "c"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=100)
@given(JSON)
def test_redacted_json_holds_the_same_shape_and_no_value(value: object) -> None:
    redacted, counts = redact_json(json.dumps({"v": value}), ["email", "credit_card"])
    parsed = json.loads(redacted)
    assert MAIL not in redacted and CARD not in redacted and list(parsed) == ["v"]
    assert redact_json(redacted, ["email", "credit_card"]) == (redacted, dict.fromkeys(counts, 0))
    if not any(counts.values()):
        assert parsed["v"] == value


def test_parameters_are_checked_and_the_step_pickles_small() -> None:
    for wrong in ({"kinds": []}, {"kinds": ["name"]}, {"kinds": ["email"], "column": "text"}):
        with pytest.raises(ValidationError):
            Redact(**wrong)  # type: ignore[arg-type]
    step = Redact(kinds=["email"])
    step(batch([MAIL], [""]))
    assert pickle.loads(pickle.dumps(step)) == step and len(pickle.dumps(step)) < 1000
    assert redact_text(MAIL, step.kinds)[1] == {"email": 1}
