"""What is planted is there and is what it claims to be."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from curation.sample.duplicates import jaccard, shingles
from curation.sample.personal_data import KINDS
from curation.sample.randomness import Draws

Rows = list[dict[str, Any]]


def luhn_holds(number: str) -> bool:
    digits = [int(c) for c in number if c.isdigit()]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban_holds(iban: str) -> bool:
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


VALID = {
    "email": lambda v: re.fullmatch(r"[a-z._0-9]+@[a-z]+-\d\d\.example\.(com|org|net)", v) is not None,
    "ip": lambda v: ipaddress.ip_address(v).is_global,
    "phone": lambda v: re.sub(r"\D", "", v)[-7:-2] == "55501",
    "credit_card": lambda v: luhn_holds(v) and sum(c.isdigit() for c in v) == 16,
    "iban": iban_holds,
    "ssn": lambda v: re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}", v) is not None,
}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_personal_data_is_valid(kind: str) -> None:
    values = {KINDS[kind](Draws(1, number, kind)) for number in range(300)}
    assert len(values) > 150 and all(VALID[kind](value) for value in values)


def test_social_security_numbers_are_never_of_an_area_that_cannot_be() -> None:
    areas = {KINDS["ssn"](Draws(2, number))[:3] for number in range(5000)}
    assert "000" not in areas and "666" not in areas


def test_phone_numbers_are_valid_to_phonenumbers() -> None:
    phonenumbers = pytest.importorskip("phonenumbers")
    values = [KINDS["phone"](Draws(3, number)) for number in range(100)]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(value, "US")) for value in values)


def test_spans_show_their_values(truth: Rows) -> None:
    planted = [row for row in truth if row["population"] == "personal_data"]
    assert len(planted) == 40 and all(row["pii"] for row in planted)
    for row in planted:
        for span in row["pii"]:
            assert row["main_text"][span["start"] : span["end"]] == span["value"]
            assert row["main_text"].count(span["value"]) == 1
    assert {span["type"] for row in planted for span in row["pii"]} == set(KINDS)
    assert not any(row["pii"] for row in truth if row["population"] != "personal_data")


def brute_force(one: str, other: str) -> float:
    """Jaccard over 5-word shingles, word by word."""

    def sequences(text: str) -> set[tuple[str, ...]]:
        words, word = [], ""
        for c in text.lower() + " ":
            if c.isalnum() or c == "_":
                word += c
            elif word:
                words.append(re.sub(r"\d+", "0", word))
                word = ""
        return {tuple(words[i : i + 5]) for i in range(len(words)) if i + 5 <= len(words)}

    a, b = sequences(one), sequences(other)
    return sum(s in b for s in a) / len(a.union(b))


def test_copies_have_the_similarity_that_truth_states(truth: Rows) -> None:
    by_url = {row["url"]: (number, row) for number, row in enumerate(truth) if row["main_text"]}
    copies: Counter[str] = Counter()
    for number, row in enumerate(truth):
        if not row["duplicate_of"]:
            assert row["jaccard"] is None and row["fate"] != "duplicate"
            continue
        original_number, original = by_url[row["duplicate_of"]]
        assert original_number < number and original["population"] == "prose" and original["fate"] == "kept"
        assert abs(brute_force(original["main_text"], row["main_text"]) - row["jaccard"]) < 1e-9
        copies[row["population"]] += 1
        if row["population"] == "exact_copy":
            assert row["main_text"] == original["main_text"]
        assert row["jaccard"] > 0.88 if row["fate"] == "duplicate" else 0.15 < row["jaccard"] < 0.4
    assert all(copies[name] > 10 for name in ("exact_copy", "near_copy_95", "near_copy_90", "partial_copy"))


def test_jaccard_of_texts_without_shingles_is_nothing() -> None:
    assert jaccard("a b", "a b") == 0.0
    assert jaccard("one two three four five", "One, two; three 'four' FIVE!") == 1.0


def test_unrelated_pages_share_little(truth: Rows) -> None:
    pages = defaultdict(list)
    for row in truth:
        if row["population"] in ("prose", "personal_data"):
            pages[row["topic"]].append(shingles(row["main_text"]))
    shares = [len(a & b) / len(a | b) for found in pages.values() for a, b in combinations(found, 2)]
    assert len(pages) >= 12 and max(shares) < 0.05 and sum(shares) / len(shares) < 0.01


def test_contaminated_pages_hold_their_item(sample: Path, truth: Rows) -> None:
    lines = (sample / "evaluation.jsonl").read_text(encoding="utf-8").splitlines()
    items = {row["id"]: row["text"] for row in map(json.loads, lines)}
    found = [row for row in truth if row["contamination"]]
    assert len(found) == 15
    assert all(items[row["contamination"]] in row["main_text"] for row in found)


def test_languages_and_scripts(truth: Rows) -> None:
    languages = Counter(row["language"] for row in truth if row["population"] == "foreign")
    assert len(languages) >= 6
    assert all(
        any(ord(c) > 0x2FF for c in row["main_text"]) for row in truth if row["language"] in ("ru", "ar", "zh", "el")
    )
