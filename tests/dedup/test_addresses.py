"""Canonical URLs: what two captures of one page have in common, and nothing that tells two pages apart."""

from __future__ import annotations

import time

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.addresses import address_hash, canonical

SAME = [
    ("http://example.com/page", "example.com/page"),
    ("https://example.com/page", "example.com/page"),
    ("https://www.example.com/page", "example.com/page"),
    ("HTTPS://WWW.Example.COM/Page", "example.com/Page"),
    ("https://example.com./page", "example.com/page"),
    ("https://example.com:443/page", "example.com/page"),
    ("http://example.com:80/page", "example.com/page"),
    ("http://example.com:8080/page", "example.com:8080/page"),
    ("https://user:secret@example.com/page", "example.com/page"),
    ("https://example.com/page#part-2", "example.com/page"),
    ("https://example.com/page/", "example.com/page"),
    ("https://example.com/page///", "example.com/page"),
    ("https://example.com", "example.com"),
    ("https://example.com/", "example.com"),
    ("https://example.com/?", "example.com"),
    ("https://example.com/index.html", "example.com"),
    ("https://example.com/a/INDEX.PHP", "example.com/a"),
    ("https://example.com/a/index.html/", "example.com/a"),
    ("https://example.com/a/my-index.html", "example.com/a/my-index.html"),
    ("https://example.com/a//b", "example.com/a//b"),
    ("https://example.com/a;jsessionid=0A1B?x=1", "example.com/a?x=1"),
    ("https://example.com/p?b=2&a=1", "example.com/p?a=1&b=2"),
    ("https://example.com/p?a=2&a=1", "example.com/p?a=1&a=2"),
    ("https://example.com/p?utm_source=x&UTM_Medium=y&fbclid=z&id=5", "example.com/p?id=5"),
    ("https://example.com/p?gclid=1", "example.com/p"),
    ("https://example.com/p?PHPSESSID=ab12&sid=0123456789abcdef0123456789abcdef", "example.com/p"),
    ("https://example.com/p?q=", "example.com/p?q="),
    ("https://example.com/p?q=a+b", "example.com/p?q=a+b"),
    ("https://example.com/p?q=a%20b", "example.com/p?q=a+b"),
    ("https://example.com/p?q=%C3%A9", "example.com/p?q=%C3%A9"),
    ("https://example.com/p?q=é", "example.com/p?q=%C3%A9"),
    ("https://[::1]:8080/x", "[::1]:8080/x"),
    ("  https://example.com/page \n", "example.com/page"),
]


@pytest.mark.parametrize(("url", "expected"), SAME)
def test_a_url_in_its_canonical_form(url: str, expected: str) -> None:
    assert canonical(url) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a", "https://example.com/A"),
        ("https://example.com/a", "https://example.org/a"),
        ("https://example.com/a?id=1", "https://example.com/a?id=2"),
        ("https://example.com/a?id=1", "https://example.com/a"),
        ("https://example.com:81/a", "https://example.com/a"),
        ("https://m.example.com/a", "https://example.com/a"),
        ("https://example.com/modules.php?file=article&sid=12", "https://example.com/modules.php?file=article&sid=13"),
        ("https://example.com/a?q=%c4%e3", "https://example.com/a?q=%ba%c3"),  # two words in GBK
        ("https://example.com/a?q=a%26b=c", "https://example.com/a?q=a&b=c"),
        ("https://example.com/a?q=1%2B1", "https://example.com/a?q=1+1"),
        ("http://[::1]:80/x", "http://[::1:80]/x"),
    ],
)
def test_different_pages_stay_different(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
    assert address_hash(one) != address_hash(other)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "mailto:someone@example.com",
        "http://",
        "http:///path",
        "http://example.com:port/",
        "http://example.com:99999/",
        "http://example.com:-1/",
        "http://[::1/",
        "http://a]b/",
        "http://\u2100.example/",  # its compatibility form has a slash
    ],
)
def test_what_cannot_be_parsed_stays_as_it_is(url: str) -> None:
    assert canonical(url) == url


PIECES = st.lists(
    st.sampled_from(
        ["a", "B", "/", "//", "index.html", "?", "&", "=", "#", ";jsessionid=1", "utm_x=1", "sid=2", "%20", "%ff", "+"]
        + ["é", "語", ".", "..", ":", "@", "%", ";", "[", "]", "\u202e", "\n", "www."]
    ),
    max_size=14,
).map("".join)


@given(PIECES)
def test_the_canonical_form_of_a_canonical_form_is_itself(rest: str) -> None:
    found = canonical(f"http://www.example.com/{rest}")
    if found.startswith("example.com"):
        assert canonical(f"https://www.{found}") == found


@given(st.text(max_size=60) | PIECES.map(lambda rest: f"http://{rest}"))
def test_nothing_raises_and_every_url_has_a_hash(url: str) -> None:
    assert isinstance(canonical(url), str)
    digest = address_hash(url)
    assert (digest is None) == (url == "") and (digest is None or len(digest) == 16)


def test_the_hash_is_of_the_canonical_form() -> None:
    assert address_hash("http://www.example.com/?") == xxhash.xxh3_128_digest(b"example.com")


@pytest.mark.parametrize(
    "piece",
    ["/", "a/", "index.html/", "?", "&", "&a=1", "a", "=", "%", "%ff", ";jsessionid=", "#", ":", "@", ".", "[", "é"],
)
@pytest.mark.parametrize("beginning", ["http://example.com/", "http://example.com/?", "http://"])
def test_a_hostile_url_takes_linear_time(beginning: str, piece: str) -> None:
    def seconds(times: int) -> float:
        url = beginning + piece * times
        started = time.process_time()
        address_hash(url)
        return time.process_time() - started

    assert min(seconds(200_000 // len(piece)) for _ in range(2)) < 0.5
