"""Presidio's recognisers, one a kind, used without its analyzer: no spaCy model, no context words, no network.

Package presidio-analyzer 2.2.366, `predefined_recognizers`. A match counts from a score of `MIN_SCORE` on. Presidio's
own scores: e-mail 1.0 (its domain ends in a public suffix), IP address 0.6, phone 0.4 (a valid number), credit card
1.0 (Luhn's digit is right), IBAN 1.0 or 0.5 (check digits and the country's form are right; 0.5 in lower case),
social security number 0.5 with separators; nine bare digits score 0.05 and stay.

What differs from Presidio:
- two more forms of cards, and JCB's old one, are looked for (`MORE_CARDS`);
- only public IP addresses count, in the meaning of `ipaddress`' `is_global`: private, loopback, link-local,
  documentation and reserved ones name nobody and stay;
- the public-suffix list is the snapshot inside tldextract, never a download or a cached file, and is asked about an
  address' domain only, without the path or key in front of the name (`/user/jane@…`), which is not redacted either;
- phone numbers: those that start with "+" of any country, and national ones of `PHONE_REGIONS`, of 7 digits or more.
"""

from __future__ import annotations

import functools
import ipaddress
import logging
from typing import Any

from connectors.errors import missing_extra
from curation.redact.gates import PHONE_DIGITS, Kind
from curation.redact.presidio import import_presidio

MIN_SCORE = 0.4
# "US" stands for the whole North American plan. Each further region costs a scan of every window, and precision.
PHONE_REGIONS = ("US", "GB")
PHONE_LENIENCY = 1  # phonenumbers' VALID: the number's prefix and length exist

# Issued forms that Presidio's pattern leaves out: 19-digit Visa, Mastercard's 2-series (ISO/IEC 7812), 15-digit JCB.
MORE_CARDS = (
    r"\b(?:4\d{3}(?:[- ]?\d{4}){3}[- ]?\d{3}|(?:222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)(?:[- ]?\d{4}){3}"
    r"|2131[- ]?\d{4}[- ]?\d{4}[- ]?\d{3})\b"
)

Span = tuple[int, int]


def spans(kind: Kind, text: str) -> list[Span]:
    """Where personal data of this kind stands in the text, as (start, end) in characters, in no particular order."""
    found = [(result.start, result.end) for result in _recogniser(kind).analyze(text, []) if result.score >= MIN_SCORE]
    if kind == "phone":
        found = [(start, end) for start, end in found if sum(map(str.isdigit, text[start:end])) >= PHONE_DIGITS]
    trim = _TRIMS.get(kind)
    return [trim(text, *span) for span in found] if trim else found


def _email_alone(text: str, start: int, end: int) -> Span:
    """The address without the path or the key that runs into it (`/user/jane@…`, `mail=jane@…`)."""
    sign = text.index("@", start, end)
    return max(start, text.rfind("/", start, sign) + 1, text.rfind("=", start, sign) + 1), end


def _phone_alone(text: str, start: int, end: int) -> Span:
    """The number without an opening bracket that it does not close."""
    unclosed = text[start] in "([" and not {")", "]"} & set(text[start:end])
    return start + unclosed, end


_TRIMS = {"email": _email_alone, "phone": _phone_alone}


def is_public(address: str) -> bool:
    """Whether it is an IP address, v4 or v6, with or without prefix length, that is reachable from everywhere."""
    try:
        ip = ipaddress.ip_interface(address).ip
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_global


@functools.cache
def _suffixes() -> Any:
    import tldextract

    return tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)


@functools.cache
def _recogniser(kind: Kind) -> Any:
    return _recognisers()[kind]()


@functools.cache
def _recognisers() -> dict[Kind, Any]:
    """The class, or a function that makes one, by kind. Presidio is imported here: most runs' commands need none of it."""
    try:
        presidio = import_presidio()
    except ImportError:
        raise missing_extra("presidio-analyzer", "pii") from None
    # Presidio logs the very values that it fails to validate.
    logging.getLogger("presidio-analyzer").disabled = True

    class SnapshotEmailRecognizer(presidio.EmailRecognizer):  # type: ignore[misc, name-defined]
        def validate_result(self, pattern_text: str) -> bool:
            return bool(_suffixes()(pattern_text.rpartition("@")[2]).fqdn)

    class PublicIpRecognizer(presidio.IpRecognizer):  # type: ignore[misc, name-defined]
        def invalidate_result(self, pattern_text: str) -> bool:
            return not is_public(pattern_text)

    cards = [*presidio.CreditCardRecognizer.PATTERNS, presidio.Pattern("more cards", MORE_CARDS, 0.3)]
    return {
        "email": SnapshotEmailRecognizer,
        "ip": PublicIpRecognizer,
        "phone": functools.partial(presidio.PhoneRecognizer, supported_regions=PHONE_REGIONS, leniency=PHONE_LENIENCY),
        "credit_card": functools.partial(presidio.CreditCardRecognizer, patterns=cards),
        "iban": presidio.IbanRecognizer,
        "ssn": presidio.UsSsnRecognizer,
    }
