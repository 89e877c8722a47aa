"""HTTP messages: what servers send, and what nobody should."""

from __future__ import annotations

import gzip
import zlib
from functools import partial

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import http

gzipped = partial(gzip.compress, mtime=0)  # a clock in a test's name makes two workers see two tests

PAGE = b"<!doctype html><title>a</title>" + b"<p>text</p>" * 50
ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: pa.compress(body, codec="brotli", asbytes=True),
    "zstd": lambda body: pa.compress(body, codec="zstd", asbytes=True),
    "GZIP ": gzip.compress,
    "identity": bytes,
    "utf-8": bytes,
}


def chunked(body: bytes, sizes: list[int]) -> bytes:
    out = []
    for size in sizes:
        if part := body[:size]:
            out.append(b"%x;name=value\r\n%s\r\n" % (len(part), part))
        body = body[size:]
    if body:
        out.append(b"%X\r\n%s\r\n" % (len(body), body))
    return b"".join(out) + b"0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize(
    ("message", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", 200, b"body"),
        (b"HTTP/1.0 404\nA: b\n\nbody", 404, b"body"),
        (b"HTTP/2 200 \r\nA: b\n\r\nbody", 200, b"body"),
        (b"\r\nHTTP/1.1  301 Moved\r\n\r\n", 301, b""),
        (b"HTTP/1.1 200 OK\r\nA: b", 200, b""),
        (b"HTTP/1.1 0 Unknown\r\n\r\n", 0, b""),
    ],
)
def test_status_and_body_are_found_in_any_line_ends(message: bytes, status: int, body: bytes) -> None:
    response = http.parse_response(message)
    assert (response.status, message[response.body_start :]) == (status, body)


@pytest.mark.parametrize("message", [b"", b"<html>", b"HTTP/1.1 OK", b"HTTP/1.1 2000 no", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_response_is_refused(message: bytes) -> None:
    with pytest.raises(http.HttpError, match="bad_http"):
        http.parse_response(message)


def test_fields_fold_repeat_and_have_no_case() -> None:
    fields = http.parse_fields(
        b"Vary: a\r\n\tb\r\nno colon\r\nVARY : c\r\nContent-Type: text/html\r\ncontent-type:\r\n"
    )
    response = http.Response(200, fields, 0)
    assert response.get("vary") == "a b, c"
    assert response.last("content-type") == "text/html"
    assert response.get("absent") == response.last("absent") == ""


def test_folded_lines_cost_linear_time() -> None:
    head = b"HTTP/1.1 200 OK\r\nA: b\r\n" + b" x\n" * 80_000
    assert len(http.parse_response(head + b"\n\n").get("a")) == 1 + 2 * 80_000


def test_a_header_without_end_is_refused() -> None:
    with pytest.raises(http.HttpError, match="bad_http"):
        http.parse_response(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * http.HEADER_BYTES)


@pytest.mark.parametrize(
    ("content_type", "media_type", "charset"),
    [
        ("Text/HTML; Charset=UTF-8", "text/html", "utf-8"),
        ('text/html;charset="iso-8859-1"', "text/html", "iso-8859-1"),
        ("text/html; charset = 'GB2312' ; x=y", "text/html", "gb2312"),
        ("text/html", "text/html", ""),
        ("text/html; charset=", "text/html", ""),
        ("application/xhtml+xml, text/html", "application/xhtml+xml", ""),
    ],
)
def test_content_type(content_type: str, media_type: str, charset: str) -> None:
    assert (http.media_type(content_type), http.charset(content_type)) == (media_type, charset)


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (b"\xef\xbb\xbf \n<!DOCTYPE html>", True),
        (b"<!-- a --><!-- b -->\n<HTML lang=de>", True),
        (b'<?xml version="1.0"?><html xmlns="x">', True),
        (b'<?xml version="1.0"?><rss>', False),
        (b"%PDF-1.4", False),
        (b'{"html": 1}', False),
        (b"", False),
    ],
)
def test_sniffing(body: bytes, html: bool) -> None:
    assert http.looks_like_html(body) is html


def test_sniffing_takes_linear_time_on_comments() -> None:
    assert not http.looks_like_html(b"<!---->" * 100_000)


@given(st.binary(max_size=200), st.lists(st.integers(1, 40), max_size=6))
@settings(deadline=None, max_examples=100)
def test_dechunk_undoes_chunking(body: bytes, sizes: list[int]) -> None:
    assert http.dechunk(chunked(body, sizes)) == body


def test_dechunk_is_as_lenient_as_browsers() -> None:
    assert http.dechunk(PAGE) == PAGE  # the archive has undone the chunking and kept the header
    assert http.dechunk(b"4\nabcd\n0\n\n") == b"abcd"
    assert http.dechunk(b"4\r\nabcd\r\n") == b"abcd"
    assert http.dechunk(b"") == b""


@pytest.mark.parametrize("body", [b"4\r\nabcd\r\nzz\r\n", b"4\r\nabcd\r\n9\r\nabc", b"ffffffffffffff\r\nabc"])
def test_dechunk_refuses_what_is_cut_or_malformed(body: bytes) -> None:
    with pytest.raises(http.HttpError, match="bad_chunking"):
        http.dechunk(body)


@pytest.mark.parametrize("coding", sorted(ENCODERS))
def test_content_encodings_are_undone(coding: str) -> None:
    assert http.decode_content(ENCODERS[coding](PAGE), coding, len(PAGE)) == PAGE


def test_odd_content_encodings() -> None:
    raw = zlib.compressobj(wbits=-15)
    assert http.decode_content(raw.compress(PAGE) + raw.flush(), "deflate", 1 << 20) == PAGE
    assert http.decode_content(gzipped(zlib.compress(PAGE)), "deflate, gzip", 1 << 20) == PAGE
    assert http.decode_content(gzipped(b"ab") + gzipped(b"cd"), "gzip", 9) == b"abcd"
    assert http.decode_content(gzipped(PAGE) + b"junk", "gzip", 1 << 20) == PAGE
    for coding in ("gzip", "deflate", "br", "zstd"):  # the archive stores the decoded page under the header as sent
        assert http.decode_content(PAGE, coding, 1 << 20) == PAGE
        assert http.decode_content(b"", coding, 1 << 20) == b""


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"not compressed", "gzip"),
        (gzipped(PAGE)[:-20], "gzip"),
        (gzipped(b"") * 1000, "gzip"),
        (ENCODERS["zstd"](PAGE)[:-3], "zstd"),
        (ENCODERS["br"](PAGE)[:-3], "br"),
        (PAGE, "compress"),
        (PAGE, "gzip, gzip, gzip, gzip, gzip"),
    ],
)
def test_broken_content_encodings(body: bytes, coding: str) -> None:
    with pytest.raises(http.HttpError, match="bad_content_encoding"):
        http.decode_content(body, coding, 1 << 20)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_decompression_bomb_is_stopped_at_the_limit(coding: str) -> None:
    with pytest.raises(http.HttpError, match="record_too_large") as caught:
        http.decode_content(ENCODERS[coding](bytes(20 << 20)), coding, 1 << 20)
    assert caught.value.size is not None
    assert 1 << 20 < caught.value.size <= (1 << 20) + http.WINDOW


@given(
    st.one_of(st.binary(max_size=300), st.sampled_from([encode(PAGE) for encode in ENCODERS.values()])),
    st.lists(st.sampled_from([*ENCODERS, "", "compress"]), max_size=5).map(",".join),
    st.integers(0, 600),
)
@settings(deadline=None, max_examples=200)
def test_nothing_but_declared_errors_and_never_beyond_the_limit(body: bytes, codings: str, limit: int) -> None:
    for read in (http.parse_response, http.parse_fields, http.dechunk, http.looks_like_html):
        try:
            read(body)
        except http.HttpError as error:
            assert error.reason in ("bad_http", "bad_chunking")
    try:
        decoded = http.decode_content(body, codings, limit)
    except http.HttpError as error:
        assert error.reason in ("bad_content_encoding", "record_too_large")
    else:
        assert len(decoded) <= max(limit, len(body))
