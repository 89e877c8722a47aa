"""Which encoding a page is in, and what becomes of damaged bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.extract.charset import clean, codec_of, decode, is_utf8, to_utf8

META = "<html><head><meta charset='{}'></head><body>{}</body></html>"
LATIN = "Prêt-à-porter à Zürich, déjà vu à Besançon"
RUSSIAN = "Москва - столица России, крупнейший по численности населения город"
CHINESE = "北京是中华人民共和国的首都，也是全国的政治中心。" * 3
JAPANESE = "東京は日本の首都であり、世界最大の都市圏の一つである。" * 3


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("iso-8859-1", "cp1252"),
        ("Latin1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("gb2312", "gb18030"),
        ("GBK", "gb18030"),
        ("shift_jis", "cp932"),
        ("euc-kr", "cp949"),
        ("UTF8", "utf-8"),
        ('"utf-8"', "utf-8"),
        ("utf-7", ""),
        ("iso-2022-kr", ""),
        ("no such thing", ""),
        ("", ""),
        ("x" * 10_000, ""),
    ],
)
def test_labels_have_the_encoding_standards_meaning(label: str, codec: str) -> None:
    """Source: WHATWG Encoding, "Names and labels"."""
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(LATIN, "cp1252"), (RUSSIAN, "koi8-r"), (RUSSIAN, "windows-1251"), (CHINESE, "gb18030"), (JAPANESE, "euc-jp")],
)
def test_the_http_header_and_the_meta_tag_name_the_encoding(text: str, encoding: str) -> None:
    header = decode(META.format("", text).encode(encoding), encoding)
    meta = decode(META.format(encoding, text).encode(encoding), "")
    assert header is not None and text in header.text
    assert meta is not None and text in meta.text


def test_the_header_goes_before_the_meta_tag_and_the_mark_before_both() -> None:
    page = META.format("koi8-r", RUSSIAN).encode("windows-1251")
    named = decode(page, "windows-1251")
    assert named is not None and named.encoding == "cp1251" and RUSSIAN in named.text
    marked = decode(b"\xef\xbb\xbf" + META.format("koi8-r", RUSSIAN).encode(), "windows-1251")
    assert marked is not None and marked.encoding == "utf-8" and marked.text.startswith("<html>")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_known_by_its_mark(encoding: str) -> None:
    decoded = decode(("\ufeff" + META.format("", RUSSIAN)).encode(encoding), "")
    assert decoded is not None and RUSSIAN in decoded.text and "\ufeff" not in decoded.text


def test_a_wrong_header_gives_way_to_a_right_meta_tag() -> None:
    decoded = decode(META.format("windows-1251", RUSSIAN).encode("windows-1251"), "utf-8")
    assert decoded is not None and RUSSIAN in decoded.text and decoded.replaced == 0


def test_unnamed_encodings_are_guessed() -> None:
    for text, encoding in ((JAPANESE, "shift_jis"), (CHINESE, "gb18030"), (RUSSIAN, "windows-1251")):
        decoded = decode(text.encode(encoding), "")
        assert decoded is not None and decoded.text == text


def test_one_broken_byte_does_not_turn_utf8_into_another_encoding() -> None:
    page = META.format("utf-8", RUSSIAN).encode()
    at = page.index("Р".encode())
    decoded = decode(page[:at] + b"\xff" + page[at:], "utf-8")
    assert decoded is not None and decoded.encoding == "utf-8"
    assert decoded.text.count("\ufffd") == 1 and "столица" in decoded.text and 0 < decoded.replaced < 0.1


def test_what_no_encoding_makes_sense_of_has_no_text() -> None:
    assert decode(bytes([0x1F, 0x8B, 0x08, 0x81, 0x8D, 0x90, 0xFF, 0xFE]) * 200, "utf-8") is None


def test_surrogates_and_nul_do_not_survive() -> None:
    assert clean("a\0b\ud800c\udfffd") == "ab\ufffdc\ufffdd"
    assert clean("\U0001f600 é") == "\U0001f600 é"


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200), st.sampled_from(["", "utf-8", "utf-16le", "big5", "iso-2022-jp", "gbk", "koi8-u", "?"]))
def test_any_bytes_give_text_that_utf8_can_hold_or_none(content: bytes, label: str) -> None:
    decoded = decode(content, label)
    if decoded is not None:
        decoded.text.encode("utf-8")
        assert "\0" not in decoded.text


@settings(deadline=None, max_examples=200)
@given(
    st.one_of(st.binary(max_size=60), st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace"))),
    st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"<meta charset=koi8-r>", b"\0", b"<meta charset=utf-8>"]),
    st.sampled_from(["", "utf-8", "windows-1252", "gbk", "?"]),
)
def test_utf8_is_what_decoding_gives(content: bytes, before: bytes, label: str) -> None:
    """Oracle: `decode`, whose text is encoded again."""
    decoded = decode(before + content, label)
    assert to_utf8(before + content, label) == (None if decoded is None else decoded.text.encode())


@given(st.binary(max_size=40))
def test_utf8_is_known_without_decoding(content: bytes) -> None:
    """Oracle: Python's codec."""
    try:
        content.decode()
    except UnicodeDecodeError:
        assert not is_utf8(content)
    else:
        assert is_utf8(content)


def test_utf8_pages_are_not_copied() -> None:
    page = META.format("utf-8", RUSSIAN).encode()
    assert to_utf8(page, "utf-8") is page and to_utf8(page, "") is page
