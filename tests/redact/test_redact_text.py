"""What is redacted, what stays, and that the fast way finds what Presidio's recognisers find in the whole text."""

from __future__ import annotations

import json
import logging
import lzma
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("presidio_analyzer")

from curation.redact import recognisers, redact_text
from curation.redact.gates import PHONE_DIGITS, Kind
from curation.redact.text import PLACEHOLDERS, Unredactable, disjoint, gated_spans

KINDS: list[Kind] = ["email", "ip", "phone", "credit_card", "iban", "ssn"]

PLANTED: dict[Kind, list[str]] = {
    "email": ["jane.doe@example.com", "o'neil+news@mail.example.co.uk", "a@b.org", "JANE_DOE@EXAMPLE.COM"],
    "ip": ["8.8.8.8", "93.184.216.34", "2001:4860:4860::8888", "2a00:1450:4001:81b:0:0:0:200e", "::ffff:8.8.8.8"],
    "phone": [
        "(212) 456-7890",
        "212-456-7890",
        "212.456.7890",
        "+1 212 456 7890",
        "1-212-456-7890",
        "+44 20 7946 0958",
        "020 7946 0958",
        "+49 30 901820",
        "+33 1 42 68 53 00",
        "+81 3-3224-5000",
    ],
    "credit_card": [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5500000000000004",
        "378282246310005",
        "6011111111111117",
        "2223003122003222",
        "4917610000000000003",
    ],
    "iban": ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR14 2004 1010 0505 0001 3M02 606"],
    "ssn": ["212-09-9999", "536 22 8726", "219.09.4321"],
}
FRAMES = [
    "{}",
    "Please write or call {} before Monday.",
    "Contact ({}), or come by.",
    "first line\n{}\nlast line",
    "name\tvalue\tcount\nx\t{}\tone\n",
    "| a | {} | b |",
    "<td>{}</td>",
    "“{}”",
    "{}, {}; {}",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frame", FRAMES)
def test_every_planted_value_is_gone(kind: Kind, frame: str) -> None:
    for value in PLANTED[kind]:
        text, counts = redact_text(frame.replace("{}", value), KINDS)
        assert value not in text and counts[kind] == frame.count("{}"), (kind, frame)
        assert text == frame.replace("{}", PLACEHOLDERS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_alone_is_enough(kind: Kind) -> None:
    for value in PLANTED[kind]:
        assert redact_text(f"see {value} there", [kind]) == (f"see {PLACEHOLDERS[kind]} there", {kind: 1})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nothing to see here.",
        "Hosts 10.0.0.1, 192.168.1.254, 127.0.0.1, 169.254.3.4, 0.0.0.0, 203.0.113.9, 255.255.255.255 stay.",
        "And ::1, fe80::1, fc00::12, 2001:db8::1, ::ffff:10.0.0.1 too; so does std::vector and 12:30:45.",
        "Version 1.2.3, chapter 4.5.6, 999.1.1.1",
        "@property def f(self): pass, me@localhost, follow @someone",
        "4111 1111 1111 1112 has a wrong digit, DE89370400440532013001 too",
        "000-12-3456, 666-12-3456, 123-00-4567, 123-45-0000 were never issued",
        "In 2019-2020, 1,234,567 people, 3.14159265358979, ISBN 978-3-16-148410-0, 12/24/2019",
        "<EMAIL> <IP_ADDRESS> <PHONE> <CREDIT_CARD> <IBAN> <SSN>",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    redacted, counts = redact_text(text, KINDS)
    assert redacted == text and not any(counts.values())


def test_only_the_kinds_asked_for_are_redacted() -> None:
    text = "jane@example.com at 8.8.8.8"
    assert redact_text(text, ["ip"]) == ("jane@example.com at <IP_ADDRESS>", {"ip": 1})
    assert redact_text(text, []) == (text, {})


def test_overlapping_spans_become_one_named_after_the_longest() -> None:
    assert disjoint([(0, 4, "phone"), (2, 9, "email"), (9, 12, "ip")]) == [(0, 9, "email"), (9, 12, "ip")]
    assert disjoint([(0, 5, "phone"), (0, 5, "credit_card")]) == [(0, 5, "credit_card")]
    text, counts = redact_text("https://joe:pw@8.8.8.8/ and joe@93.184.216.34.example.com", KINDS)
    assert "8.8.8.8" not in text and "93.184" not in text and counts["email"] >= 1


SEPARATORS = ["@", "@x.com", ".", "-", " ", "  ", "\n", "\t", "(", ")", "+", ":", "::", ",", "_", "<", "$", "|"]
PARTS = [
    "4111 1111",
    "1111 1",
    "12 34",
    "+1",
    "a",
    "x",
    "ext. 12",
    "é",
    "١٢٣",
    "12345",
    "2",
    "0",
    "GB82 WEST",
    "/24",
    "%eth0",
]
FRAGMENTS = [value for values in PLANTED.values() for value in values] + SEPARATORS + PARTS
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=120)
@given(text=TEXTS)
def test_the_gates_change_nothing(kind: Kind, text: str) -> None:
    """Oracle: the recogniser over the whole text."""
    assert sorted(set(gated_spans(kind, text))) == sorted(set(recognisers.spans(kind, text)))


@settings(deadline=None, max_examples=200)
@given(TEXTS)
def test_redacting_again_changes_nothing(text: str) -> None:
    once, _ = redact_text(text, KINDS)
    again, counts = redact_text(once, KINDS)
    assert again == once and not any(counts.values())


def test_long_runs_of_figures_are_read_in_pieces_that_miss_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.redact.gates.PHONE_PIECE", 1024)
    for length in (0, 100, 150, 170):
        text = "0 - 0 " * length + "212-456-7890" + " 0 - 0" * 300
        assert redact_text(text, ["phone"])[1] == {"phone": 1}


def test_a_text_with_nothing_but_figures_is_refused() -> None:
    with pytest.raises(Unredactable) as error:
        redact_text("12 34 56 " * 40_000, ["phone"])
    assert error.value.reason == "redaction_too_many_figures" and error.value.value > error.value.threshold


def test_paths_and_keys_in_front_of_an_address_stay() -> None:
    text = "https://example.com/user/jane@example.org and ?mail=jane@example.org&x=1"
    assert redact_text(text, KINDS)[0] == "https://example.com/user/<EMAIL> and ?mail=<EMAIL>&x=1"


def test_long_runs_around_signs_stay_bounded_and_are_found() -> None:
    text = "a." * 200_000 + "jane@example.com" + "/a" * 200_000
    redacted, counts = redact_text(text, ["email"])
    assert counts == {"email": 1} and "jane@" not in redacted


def test_a_text_that_never_settles_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.redact.text.gated_spans", lambda kind, text: [(0, 1)])
    with pytest.raises(Unredactable) as error:
        redact_text("secret", ["email"])
    assert "secret" not in f"{error.value!r} {error.value}"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    for owner, name in ((socket.socket, "connect"), (socket, "getaddrinfo"), (urllib.request, "urlopen")):
        monkeypatch.setattr(owner, name, forbidden)
    for cached in (recognisers._recogniser, recognisers._recognisers, recognisers._suffixes):
        cached.cache_clear()
    yield


@pytest.mark.usefixtures("no_network")
def test_no_network_is_used() -> None:
    assert redact_text("jane@example.co.uk, 8.8.8.8", KINDS)[0] == "<EMAIL>, <IP_ADDRESS>"


def test_no_value_reaches_a_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Presidio logs values that it fails to validate: an IBAN with a letter that has no number is one."""
    values = [value for kind in KINDS for value in PLANTED[kind]] + ["GB82 WEST 1234 5698 7654 ３2"]
    with caplog.at_level(logging.DEBUG):
        redact_text(" ; ".join(values), KINDS)
    written = caplog.text + "".join(capfd.readouterr())
    assert not [value for value in values if value in written]


@pytest.mark.parametrize(
    ("kind", "entity", "recall", "precision"),
    [
        ("email", "EMAIL_ADDRESS", 1.0, 1.0),
        ("ip", "IP_ADDRESS", 1.0, 1.0),
        ("credit_card", "CREDIT_CARD", 0.93, 1.0),  # the missing ones have 12 digits
        ("iban", "IBAN_CODE", 0.95, 1.0),  # the missing one is in lower case
        ("ssn", "US_SSN", 1.0, 1.0),
        ("phone", "PHONE_NUMBER", 0.26, 0.96),  # national forms of regions that are not looked for, invalid numbers
    ],
)
def test_recall_and_precision_on_labelled_sentences(
    shared: Path, kind: Kind, entity: str, recall: float, precision: float
) -> None:
    """Source: microsoft/presidio-research, 1,600 synthetic sentences; a span counts as found if it overlaps."""
    sentences = []
    for name in ("synth_dataset_v2", "generated_small"):
        with lzma.open(shared / f"data/pii/{name}.json.xz", "rt", encoding="utf-8") as file:
            sentences += json.load(file)
    labelled = found = right = 0
    for sentence in sentences:
        spans = sentence["spans"]
        gold = [(span["start_position"], span["end_position"]) for span in spans if span["entity_type"] == entity]
        ours = list(gated_spans(kind, sentence["full_text"]))
        labelled += len(gold)
        found += sum(any(a < last and first < b for a, b in ours) for first, last in gold)
        right += sum(any(a < last and first < b for a, b in gold) for first, last in ours)
    assert found / labelled >= recall and right >= precision * (right or 1) and right > 0


def test_short_numbers_are_no_phone_numbers() -> None:
    assert PHONE_DIGITS == 7
    assert redact_text("call 911 or 0800 11", ["phone"])[1] == {"phone": 0}
