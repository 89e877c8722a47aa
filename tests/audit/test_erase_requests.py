"""What a request names: addresses, domains, ids, texts and patterns over documents made for them; and requests that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.errors import UserError
from curation.audit.erase import matching
from curation.audit.erase.matching import Matcher, found_together, matches
from curation.audit.erase.places import PLACES, place_of
from curation.audit.erase.requests import Request, read_requests, settled
from curation.dedup.shingles import Shingling

PROSE = "the boats lay close together by the wall and a man came down the steps with a basket of bread for the crews"


def documents(**columns: list[str]) -> pa.RecordBatch:
    rows = len(next(iter(columns.values())))
    given: dict[str, Any] = {"url": [""] * rows, "text": [""] * rows, "meta": ["{}"] * rows, **columns}
    given["doc_id"] = pa.array([bytes([row]) * 16 for row in range(rows)], pa.binary(16))
    return pa.RecordBatch.from_pydict({**given, "lang": pa.nulls(rows, pa.string())})


def rows(request: Request, batch: pa.RecordBatch, similarity: float = 0.8) -> list[int]:
    return [row for row, _ in Matcher((request,), similarity, Shingling()).documents(batch)]


def test_an_address_names_every_capture_of_the_page() -> None:
    urls = [
        "https://www.a.example/x/?b=2&a=1#top",
        "http://a.example/x?a=1&b=2&utm_source=z",
        "http://a.example/x?a=1",
        "",
    ]
    assert rows(Request("url", "http://a.example/x?b=2&a=1"), documents(url=urls)) == [0, 1]
    assert rows(Request("url", "http://A.example:80/x/index.html?a=1"), documents(url=urls)) == [2]


def test_a_domain_names_its_pages_and_those_below_it() -> None:
    urls = [
        "https://a.example/1",
        "http://www.b.a.example:8080/2",
        "http://nota.example/",
        "http://x.example/?a.example",
        "",
    ]
    for written in ("a.example", "https://www.A.example/any", "*.a.example"):
        assert rows(Request("domain", written), documents(url=urls)) == [0, 1]


def test_an_id_names_its_document() -> None:
    assert rows(Request("doc_id", "01" * 16), documents(text=["x", "y", "z"])) == [1]


def test_a_pattern_looks_at_text_address_and_own_columns() -> None:
    batch = documents(
        text=["Signed: ASTA  Vex.", "nothing", "nothing", "asta vexed"],
        url=["", "http://x.example/asta-vex", "", ""],
        meta=["{}", "{}", '{"author": "Asta Vex"}', "{}"],
    )
    assert rows(Request("pattern", r"(?i)asta[ -]+vex\b"), batch) == [0, 1, 2]


def test_many_patterns_are_told_apart() -> None:
    """More than are looked for at once, some with alternatives and flags of their own."""
    requests = tuple(Request("pattern", f"(?i)name{number}x|other{number}y") for number in range(80))
    batch = documents(text=[f"Here is NAME{number}X." for number in range(80)] + ["other79y name3x", "Name80x"])
    hits = Matcher(requests, 0.8, Shingling()).documents(batch)
    assert hits == [*((number, number) for number in range(80)), (80, 3), (80, 79)]


def test_patterns_that_are_too_large_together_are_looked_for_one_by_one() -> None:
    """RE2 has a limit on an expression's size; here it is one alternative."""

    def find(column: pa.Array, pattern: str) -> Any:
        if "|" in pattern:
            raise pa.ArrowInvalid("pattern too large")
        return matches(column, pattern)

    column = pa.array(["one", "none", "two"])
    assert sorted(found_together(column, [(7, "^one"), (8, "two")], find)) == [(0, 7), (2, 8)]


def test_a_text_is_found_whole_whatever_its_white_space() -> None:
    short = "Asta Vex, born 1970"
    texts = ["He met  Asta\nVex, born\t1970 there.", "Asta Vex, born 1985", "asta vex, born 1970", short]
    assert rows(Request("text", f" {short}\n"), documents(text=texts)) == [0, 3]


def test_a_text_is_found_where_nearly_all_of_it_stands_in_a_longer_page() -> None:
    changed = PROSE.replace("basket", "sack")
    half = " ".join(PROSE.split()[:11])
    texts = [f"{'one two three four five ' * 40}{changed} six seven", half, f"{half} {half}"]
    assert rows(Request("text", PROSE), documents(text=texts), 0.7) == [0]
    assert rows(Request("text", PROSE), documents(text=texts), 0.9) == []


def test_a_text_that_begins_like_another_is_not_that_text() -> None:
    requests = Request("text", f"{PROSE} one end"), Request("text", f"{PROSE} another end")
    hits = Matcher(requests, 1.0, Shingling()).documents(documents(text=[f"{PROSE} another end of it"]))
    assert hits == [(0, 1)]


def test_a_text_and_an_address_are_found_as_redaction_left_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a redaction that knows one address, since the real one takes seconds to open."""
    address = "asta@mail.example.com"
    monkeypatch.setattr(matching, "redact_text", lambda text, kinds: (text.replace(address, "<EMAIL>"), {}))
    monkeypatch.setattr(matching, "redact_url", lambda url: url.replace(address, "<EMAIL>"))
    batch = documents(
        text=["Write to <EMAIL> or call.", "Write to x@y.example.com or call."], url=["http://a.example/?m=<EMAIL>", ""]
    )
    for request in (Request("text", f"Write to {address} or call."), Request("url", f"http://a.example/?m={address}")):
        assert [row for row, _ in Matcher((request,), 1.0, Shingling(), ("email",)).documents(batch)] == [0]
        assert rows(request, batch, 1.0) == []


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("doc_id", "12", "is no document id: it has 32 hex digits"),
        ("doc_id", "z" * 32, "is no document id"),
        ("domain", "example", "is no domain"),
        ("domain", "*", "is no domain"),
        ("pattern", "(secret", "no regular expression that RE2 knows"),
        ("pattern", "(?=secret)", "no regular expression that RE2 knows"),
        ("pattern", "(secret)?", "finds the empty text, and so every document"),
        ("text", " \n", "A request to erase by text is empty"),
        ("url", "", "A request to erase by url is empty"),
    ],
)
def test_requests_that_are_none(kind: Any, value: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        Request(kind, value)
    assert "secret" not in str(error.value)


def test_a_file_of_requests(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text('{"url": "https://a.example/x"}\n\n{"pattern": "Asta"}\n{"url": "https://a.example/x"}\n')
    assert settled(read_requests(str(path))) == (Request("url", "https://a.example/x"), Request("pattern", "Asta"))
    mistakes = {
        '{"url": "https://a.example/x"}\nsecret': "line 2: not one JSON object with one key of url, domain, doc_id, text",
        '{"urls": "secret"}': "line 1: unknown kind 'urls'. Did you mean 'url'?",
        '{"text": ["secret"]}': "line 1: the value of text is no string",
        '{"text": "secret", "url": "secret"}': "line 1: not one JSON object with one key",
        '\n\n{"pattern": "(secret"}': "line 3: A pattern is no regular expression",
        "\n": "holds no request",
    }
    for content, told in mistakes.items():
        path.write_text(content)
        with pytest.raises(UserError) as error:
            read_requests(str(path))
        assert told in str(error.value) and "secret" not in str(error.value)
    with pytest.raises(UserError, match="Cannot read .*none.jsonl: No such file"):
        read_requests(str(tmp_path / "none.jsonl"))
    with pytest.raises(UserError, match="Name what to erase: --url"):
        settled([])


def test_hostile_patterns_and_texts_take_linear_time() -> None:
    """Each would take an engine that goes back longer than the age of the universe."""
    batch = documents(text=["a" * 200_000, "ab" * 100_000])
    assert rows(Request("pattern", "(a+)+$b|(?:a|aa)+c"), batch) == []
    assert rows(Request("text", "a" * 100_000 + "c"), batch) == []


@pytest.mark.parametrize(
    ("path", "fate"),
    [
        ("documents/web/en/00000.parquet", "rewritten"),
        ("shards/web/00000.erased.parquet", "rewritten"),
        ("shards/validation/web/00000.docs.parquet", "stays"),
        ("ledger/records/crawl/0.warc.gz.parquet", "blanked"),
        ("train/first/checkpoints/step-00000010/state.json", "stays"),
        ("report/index.html", "removed"),
    ],
)
def test_places(path: str, fate: str) -> None:
    place = place_of(path)
    assert place is not None and place.fate == fate
    assert place_of("ledger/new_part/x.parquet") is None and place_of("notes.txt") is None


def test_the_docs_have_a_row_for_every_place() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "erasing.md").read_text(encoding="utf-8")
    rows = page.partition("| files | may hold | fate |\n|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
    assert rows == [f"| `{place.pattern}` | {place.holds} | {place.fate} |" for place in PLACES]
