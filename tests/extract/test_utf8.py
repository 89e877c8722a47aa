"""Valid UTF-8 is what Python decodes: near the edges of 64 bytes, at the borders of texts, at the limits of the encoding."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.extract.kernels.utf8 import are_utf8

SEQUENCES = (
    b"\x80 \xbf \xc0\x80 \xc1\xbf \xc2\x80 \xc2 \xdf\xbf \xe0\x80\x80 \xe0\x9f\xbf \xe0\xa0\x80 \xe0\xa0 \xed\x9f\xbf \xed\xa0\x80 "
    b"\xee\x80\x80 \xef\xbf\xbf \xf0\x80\x80\x80 \xf0\x8f\xbf\xbf \xf0\x90\x80\x80 \xf0\x90\x80 \xf4\x8f\xbf\xbf \xf4\x90\x80\x80 "
    b"\xf5\x80\x80\x80 \xff \xf1\x80\x80\x80\x80 \xe1\x80\x80\x80 \xc2\x80\x80 \x00 \xf1\x80\xc2\x80"
).split(b" ")
PIECES = st.one_of(
    st.binary(max_size=3),
    st.sampled_from(SEQUENCES),
    st.integers(56, 66).map(lambda size: b"a" * size),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(str.encode),
)
TEXTS = st.lists(st.lists(PIECES, max_size=5).map(b"".join), max_size=4)


def is_valid(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def judged(texts: list[bytes], before: bytes = b"") -> bool:
    """What the kernel says of texts that lie end to end, behind other bytes and with nothing behind them."""
    bounds = np.cumsum([len(before), *map(len, texts)])
    return bool(are_utf8(np.frombuffer(before + b"".join(texts), np.uint8), bounds))


@given(TEXTS)
@example([])
@example(["é".encode()[:1], "é".encode()[1:]])
@settings(deadline=None, max_examples=300)
def test_texts_are_valid_if_python_decodes_each(texts: list[bytes]) -> None:
    assert judged(texts) == judged(texts, b"\x80b") == all(map(is_valid, texts))


def test_every_sequence_at_every_place_of_a_word() -> None:
    for sequence in SEQUENCES:
        for place in range(58, 70):
            for text in (b"a" * place + sequence, b"a" * place + sequence + b"b" * 70, "é".encode() * 31 + sequence):
                assert judged([text]) == is_valid(text), (sequence, place)
