"""Marks in a redacted text. Oracle for the text: `redact_text`."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from curation.redact.gates import Kind
from curation.redact.marked import redact_marked
from curation.redact.text import PLACEHOLDERS, redact_text

KINDS: list[Kind] = ["email", "ip", "phone"]
parts = st.lists(
    st.sampled_from(
        ["joe@x.org", "ann.lee@mail.example", "8.8.8.8", "+1 202 555 0143", "<EMAIL>", "é", " ", "\n", "word", ",", "@"]
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=200)
@given(parts)
def test_the_text_is_as_redacted_and_every_character_is_found_again(words: list[str]) -> None:
    """The span of a single character holds that character, or the placeholder that stands for it."""
    text = "".join(words)
    redacted, spans = redact_marked(text, KINDS, [(at, at + 1) for at in range(len(text))])
    assert redacted == redact_text(text, KINDS)[0]
    for character, (start, stop) in zip(text, spans, strict=True):
        assert redacted[start:stop] == character or redacted[start:stop] in PLACEHOLDERS.values()
    assert spans == sorted(spans)


def test_spans_across_at_and_inside_of_what_is_redacted() -> None:
    text = "write to joe@x.org or ann@x.org."
    spans = [(0, 5), (6, 18), (9, 18), (10, 12), (12, 25), (31, 32), (0, len(text))]
    redacted, moved = redact_marked(text, ["email"], spans)
    assert redacted == "write to <EMAIL> or <EMAIL>."
    shown = [redacted[start:stop] for start, stop in moved]
    assert shown == ["write", "to <EMAIL>", "<EMAIL>", "<EMAIL>", "<EMAIL> or <EMAIL>", ".", redacted]
