"""Hostile and broken pages: any bytes give text, in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.mutated_pages import HOSTILE, SNIPPETS, mutations
from curation.extract.fast_engine import main_text

PAGE = (
    b"<!DOCTYPE html><html><head><title>T</title><meta name=description content='some words'></head><body class='a b-c'>"
    b"<nav><ul><li><a href=/>Home</a></ul></nav><div id=main role=main><h1>T</h1><p>Some words, and <b>some</b> more.</p>"
    b"<table><tr><td>a<td>b</table><pre>x\n y</pre><noscript><img><p>z</noscript></div><!-- end --></body></html>"
)


@given(st.lists(st.one_of(st.sampled_from([*SNIPPETS, *HOSTILE]), st.binary(max_size=8)), max_size=40))
def test_any_pieces_of_markup_give_text(pieces: list[bytes]) -> None:
    page = b"".join(pieces)
    main_text(page).encode()
    main_text(PAGE + page).encode()


def test_mutated_pages_give_text() -> None:
    for page in mutations([PAGE, PAGE * 20], 400, seed=7):
        text = main_text(page)
        text.encode()
        assert main_text(page) == text


SIZE = 2_000_000  # bytes
CPU_SECONDS = 3.0  # measured: at most 0.1


@pytest.mark.parametrize(
    "page",
    [
        b"<div>" * 100_000 + b"x",
        b"<b>" * 100_000 + b"<p>x</p>" * 100_000,
        b"<p " + b" ".join(b"a%d=1" % number for number in range(1_000_000)) + b">x",
        b"<p " + b"class='cookie a-b' " * 100_000 + b">x",
        b"<ul>" + b"<li class=x>one item</li>" * 80_000,
        b'<script type="application/ld+json">' + b'{"a":' * 100_000 + b"</script>",
        b'<script type="application/ld+json">[' + b'{"text":"%s"},' % (b"<" * 1000) * 1900 + b"{}]</script>",
        *(piece * (SIZE // len(piece)) for piece in HOSTILE),
    ],
    ids=lambda page: page[:24].decode("latin-1"),
)
def test_hostile_pages_take_linear_time(page: bytes) -> None:
    started = time.process_time()
    main_text(page).encode()
    assert time.process_time() - started < CPU_SECONDS
