"""Made-up personal data in prose: valid by every check sum, and nobody's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from curation.sample.randomness import Draws
from curation.sample.skins import Block
from curation.sample.texts import Text
from curation.sample.vocabulary import english


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of personal data in a page's main text, in characters."""

    type: str
    value: str
    start: int
    end: int


def digits(draws: Draws, count: int) -> str:
    """Decimal digits."""
    return "".join(str(draws.below(10)) for _ in range(count))


def luhn_digit(number: str) -> str:
    """The check digit that a card number ends in (ISO/IEC 7812-1, annex B)."""
    total = 0
    for i, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if i % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def email(draws: Draws) -> str:
    """An address under one of the domains that are reserved for examples (RFC 2606)."""
    names = english()
    name = f"{draws.choice(names['first_f'])}{draws.choice(('.', '_', ''))}{draws.choice(names['surnames'])}".lower()
    host = f"{draws.choice(('mail', 'post', 'letters', 'office'))}-{digits(draws, 2)}"
    return f"{name}{draws.between(1, 999)}@{host}.example.{draws.choice(('com', 'org', 'net'))}"


def public_ip(draws: Draws) -> str:
    """A global IPv4 address."""
    first = draws.choice((23, 34, 45, 52, 64, 81, 93, 104, 139, 185, 212))
    return f"{first}.{draws.between(1, 60)}.{draws.between(1, 254)}.{draws.between(1, 254)}"


def phone(draws: Draws) -> str:
    """A North American number of the range kept for fiction, 555-0100 to 555-0199."""
    area = draws.choice((212, 303, 312, 415, 503, 617, 702, 808))
    line = f"01{digits(draws, 2)}"
    return draws.choice((f"({area}) 555-{line}", f"{area}-555-{line}", f"+1 {area} 555 {line}"))


def credit_card(draws: Draws) -> str:
    """Sixteen digits with a valid Luhn digit."""
    number = draws.choice(("4", "51", "52", "55"))
    number += digits(draws, 15 - len(number))
    number += luhn_digit(number)
    return draws.choice((" ", "-")).join(re.findall("....", number))


def iban(draws: Draws) -> str:
    """A German, British, French or Spanish account number with valid check digits (ISO 13616)."""
    country, bank, length = draws.choice((("DE", "", 18), ("GB", "WEST", 14), ("FR", "", 23), ("ES", "", 20)))
    account = bank + digits(draws, length)
    rest = "".join(str(int(c, 36)) for c in account + country + "00")
    return f"{country}{98 - int(rest) % 97:02d}{account}"


def social_security_number(draws: Draws) -> str:
    """A United States number of an area, group and serial that can exist."""
    area = draws.between(1, 665)
    return f"{area:03d}-{draws.between(1, 99):02d}-{draws.between(1, 9999):04d}"


# type -> how a value is made; the rule `pii_TYPE` of `english.yaml` has the sentences around it
KINDS: dict[str, Callable[[Draws], str]] = {
    "email": email,
    "ip": public_ip,
    "phone": phone,
    "credit_card": credit_card,
    "iban": iban,
    "ssn": social_security_number,
}


def with_personal_data(text: Text, draws: Draws) -> tuple[Text, list[Span]]:
    """The text with one to four pieces of personal data, each in a sentence of its own, and where they stand."""
    blocks = list(text.blocks)
    paragraphs = [i for i, block in enumerate(blocks) if block.kind == "p"]
    planted: list[tuple[str, str]] = []
    for kind in draws.several(list(KINDS), draws.between(1, 4)):
        value = KINDS[kind](draws)
        spot = draws.choice(paragraphs)
        blocks[spot] = Block("p", f"{blocks[spot].text} {draws.choice(english()['pii_' + kind]).replace('@', value)}")
        planted.append((kind, value))
    changed = text.with_blocks(tuple(blocks))
    whole = changed.main_text
    spans = [Span(kind, value, whole.index(value), whole.index(value) + len(value)) for kind, value in planted]
    return changed, sorted(spans, key=lambda span: span.start)
