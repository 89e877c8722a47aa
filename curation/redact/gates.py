"""Where in a text a recogniser has to look at all: the windows of each kind of personal data.

Presidio reads about 1 MB of text a second, phone numbers half of that, and most texts hold nothing. A window is a
maximal run of characters that one match can consist of, with a cheap condition that every match meets. As no match
can cross a window's edge, and what stands beside a window is no word character (or is included in it), a recogniser
finds in the windows what it finds in the text, and no hostile text makes its patterns look far. Three limits are
rules of this room: an e-mail address has at most `EMAIL_REACH` characters on either side of its "@" where it is part
of a longer run (RFC 5321 allows 64 and 255), a phone number has at least 7 digits, and figures that go on for over
`PHONE_PIECE` characters are read for phone numbers in overlapping pieces.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import regex

Kind = Literal["email", "ip", "phone", "credit_card", "iban", "ssn"]
Window = tuple[int, int]

EMAIL_REACH = 320
EMAIL_RUN = regex.compile(r"[!#$%&'*+\-/=?^_`{|}~\w.@]+")
IP_RUN = regex.compile(r"[\w:.%/]+")
IP_SIGN = regex.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]|:[0-9a-f]{0,4}:", regex.IGNORECASE)
IBAN_RUN = regex.compile(r"[A-Z0-9](?:[ -]?[A-Z0-9])+")
IBAN_SIGN = regex.compile(r"[A-Z]{2}[0-9]{2}[ -]?[A-Z0-9]{4}")
CARD_RUN = regex.compile(r"\d(?:[- ]?\d){9,}")
SSN_RUN = regex.compile(r"[0-9]{3}[- .][0-9]{2}[- .][0-9]{4}")
# A candidate of phonenumbers' matcher: digits, its punctuation, and the letters of its words for "extension".
PHONE_RUN = regex.compile(
    r"[\d\-x‐-―−ー－-／ \u00a0\u00ad\u200b\u2060\u3000()（）［］.\[\]/~⁓∼～+＋;=,:#＃\tehtnsioóaduEXTNSIOÓADU"
    r"\u0301ſıİдобДОБｅｘｔｎｉＥＸＴＮＩｘＸ]{7,}"
)
PHONE_SIGN = regex.compile(r"\d(?:[^\d\n]{0,4}\d){6}")
PHONE_DIGITS = 7
PHONE_PIECE = 16_384  # the matcher gives up after 65,535 attempts, some per character: a longer window comes in pieces
PHONE_OVERLAP = 512  # more than the longest candidate without an extension


def windows(kind: Kind, text: str) -> Iterator[Window]:
    """Where a match of this kind can stand: spans in order, as (start, end) in characters."""
    return _WINDOWS[kind](text)


def _email(text: str) -> Iterator[Window]:
    if "@" not in text:
        return
    for run in EMAIL_RUN.finditer(text):
        start, end = run.span()
        if text.find("@", start, end) < 0:
            continue
        if end - start <= 2 * EMAIL_REACH:
            yield start, end
        else:
            yield from _around_signs(text, start, end)


def _around_signs(text: str, start: int, end: int) -> Iterator[Window]:
    """The parts of a long run within reach of an "@", merged where they meet."""
    at = text.find("@", start, end)
    first, last = max(start, at - EMAIL_REACH), min(end, at + EMAIL_REACH)
    while (at := text.find("@", at + 1, end)) >= 0:
        if at - EMAIL_REACH > last:
            yield first, last
            first = at - EMAIL_REACH
        last = min(end, at + EMAIL_REACH)
    yield first, last


def _ip(text: str) -> Iterator[Window]:
    if not IP_SIGN.search(text):
        return
    for run in IP_RUN.finditer(text):
        if run.end() - run.start() > 1 and IP_SIGN.search(text, *run.span()):
            yield run.span()


def _iban(text: str) -> Iterator[Window]:
    if not IBAN_SIGN.search(text):
        return
    for run in IBAN_RUN.finditer(text):
        if IBAN_SIGN.search(text, *run.span()):
            yield run.span()


def _credit_card(text: str) -> Iterator[Window]:
    return (_with_neighbours(text, *run.span()) for run in CARD_RUN.finditer(text))


def _ssn(text: str) -> Iterator[Window]:
    return (_with_neighbours(text, *run.span()) for run in SSN_RUN.finditer(text, overlapped=False))


def _phone(text: str) -> Iterator[Window]:
    if not PHONE_SIGN.search(text):
        return
    for run in PHONE_RUN.finditer(text):
        if PHONE_SIGN.search(text, *run.span()):
            start, end = _with_neighbours(text, *run.span())
            for first in range(start, max(start + 1, end - PHONE_OVERLAP), PHONE_PIECE - PHONE_OVERLAP):
                yield first, min(end, first + PHONE_PIECE)


def _with_neighbours(text: str, start: int, end: int) -> Window:
    """The span with the character on either side, at which a recogniser tells a word's edge."""
    return max(0, start - 1), min(len(text), end + 1)


_WINDOWS = {"email": _email, "ip": _ip, "phone": _phone, "credit_card": _credit_card, "iban": _iban, "ssn": _ssn}
