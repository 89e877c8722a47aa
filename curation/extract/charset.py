"""A page's bytes become text, by the order of precedence that browsers use.

Order (WHATWG HTML, "determining the character encoding"): byte order mark, HTTP header, `<meta>` in the first 4,096
bytes (browsers read 1,024; real pages put it later), valid UTF-8, a guess by uchardet. Labels get the Encoding
Standard's meaning: iso-8859-1 and ascii are windows-1252, gb2312 is gb18030, shift_jis is windows-31j, a `<meta>`
that says utf-16 means utf-8. Labels that the standard forbids (utf-7, iso-2022-kr, hz) name nothing.

The first encoding that decodes every byte wins, so a wrong header gives way to a right `<meta>`. Where none does, the
page is damaged and is decoded with U+FFFD for what is broken, as a browser would show it: as UTF-8 where it holds
more whole UTF-8 sequences than broken ones, else in the first encoding named, else in the one guessed. Only a page
that is broken in more than `MAX_REPLACED` of its characters has no text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

META_BYTES = 4096
MAX_REPLACED = 0.1  # share of U+FFFD in a damaged page's characters, above which it counts as undecodable

BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
META_CHARSET = re.compile(
    rb"""<meta\s[^>]{0,500}?charset\s{0,20}=\s{0,20}["']?\s{0,20}([\w.:-]{1,40})""", re.IGNORECASE | re.ASCII
)

# The standard's tables are those of the superset; the codecs that resiliparse names are the narrow ones.
SUPERSETS = {
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "iso8859-11": "cp874",
    "ascii": "cp1252",
}
# Multi-byte characters and broken bytes of a UTF-8 text, counted to tell damaged UTF-8 from another encoding.
WHOLE_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """text      the page as Unicode, without byte order mark, NUL and surrogates
    encoding  Python's name of the codec that decoded it
    replaced  share of characters that are U+FFFD because their bytes were broken, 0 where all decoded
    """

    text: str
    encoding: str
    replaced: float = 0.0


@lru_cache(maxsize=512)
def codec_of(label: str) -> str:
    """Python's codec for an encoding label of the web, "" for a label that names none."""
    label = label.strip(" \t\n\r\f\"'").lower()
    if not 0 < len(label) <= 40 or not label.isascii():
        return ""
    name = map_encoding_to_html5(label, fallback_utf8=False) or ""
    return SUPERSETS.get(name.lower(), name.lower())


def decode(content: bytes, http_charset: str) -> Decoded | None:
    """The page's text, or None where no encoding makes sense of it (see the module's rules)."""
    content, named = _unmarked(content, http_charset)
    return _decoded(content, named)


def to_utf8(content: bytes, http_charset: str) -> bytes | None:
    """What `decode` gives, in UTF-8: the page's own bytes where they are that already, which costs next to nothing."""
    content, named = _unmarked(content, http_charset)
    if named[:1] in ([], ["utf-8"]) and is_utf8(content):
        return content.replace(b"\0", b"") if b"\0" in content else content
    decoded = _decoded(content, named)
    return None if decoded is None else decoded.text.encode()


def is_utf8(content: bytes) -> bool:
    """Whether bytes are valid UTF-8; nothing is decoded."""
    ends = pa.py_buffer(np.array([0, len(content)], np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(content)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _unmarked(content: bytes, http_charset: str) -> tuple[bytes, list[str]]:
    """The page without its byte order mark, and the codecs named for it in the order of precedence."""
    marked = next(((mark, name) for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if marked:
        content = content[len(marked[0]) :]
    return content, list(dict.fromkeys(name for name in _named(marked, http_charset, content) if name))


def _decoded(content: bytes, named: list[str]) -> Decoded | None:
    for name in [*named, "utf-8"]:
        text = _strict(content, name)
        if text is not None:
            return Decoded(clean(text), name)
    if _is_damaged_utf8(content):
        return _replaced(content, "utf-8")
    guessed = codec_of(detect_encoding(content, max_len=1 << 17))
    text = _strict(content, guessed) if guessed else None
    if text is not None:
        return Decoded(clean(text), guessed)
    return _replaced(content, (named or [guessed or "utf-8"])[0])


def clean(text: str) -> str:
    """The text without what Arrow and its readers cannot hold: surrogates become U+FFFD, NUL disappears."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _named(marked: tuple[bytes, str] | None, http_charset: str, content: bytes) -> Iterator[str]:
    yield marked[1] if marked else ""
    yield codec_of(http_charset)
    meta = META_CHARSET.search(content, 0, META_BYTES)
    if meta:
        name = codec_of(meta[1].decode("ascii"))
        # Bytes in which `<meta` was readable as ASCII are no UTF-16 (WHATWG HTML, "prescan").
        yield "utf-8" if name.startswith("utf-16") else name


def _strict(content: bytes, name: str) -> str | None:
    try:
        return content.decode(name)
    except UnicodeError:
        return None


def _is_damaged_utf8(content: bytes) -> bool:
    whole = sum(1 for _ in WHOLE_SEQUENCE.finditer(content))
    return whole > content.decode("utf-8", "replace").count("\ufffd")


def _replaced(content: bytes, name: str) -> Decoded | None:
    text = content.decode(name, "replace")
    share = text.count("\ufffd") / max(1, len(text))
    return Decoded(clean(text), name, share) if share <= MAX_REPLACED else None
