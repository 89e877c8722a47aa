"""The step's verdicts, values, edits and mistakes."""

from __future__ import annotations

import gzip
import json
import pickle
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.errors import UserError
from curation.decontaminate import Decontaminate
from curation.decontaminate.ways import WAYS
from curation.run.documents import CONTAMINATION
from tests.decontaminate.composed import AROUND, QUIZ, batch, found, judged, write_set

HALF = " ".join(QUIZ["frogs"].split()[:15])  # 15 of 27 words


@pytest.fixture
def quiz(tmp_path: Path) -> str:
    return write_set(tmp_path / "quiz.jsonl", QUIZ)


def ending(row: dict[str, object]) -> tuple[object, ...]:
    return row["fate"], row["step"], row["reason"], row["value"], row["threshold"]


def test_a_document_is_removed_with_its_ngrams_or_its_share(quiz: str) -> None:
    texts = (QUIZ["frogs"], f"{AROUND} {QUIZ['moons']}", AROUND)
    rows = judged(Decontaminate(sets=(quiz,), action="remove"), *texts)
    assert [ending(row) for row in rows] == [
        ("removed", "decontaminate", "contaminated", 15, 1),
        ("removed", "decontaminate", "contaminated", 1, 1),
        (None,) * 5,
    ]
    rows = judged(Decontaminate(sets=(quiz,), way="llama"), *texts)
    assert ending(rows[0]) == ("removed", "decontaminate", "contaminated", 1, 0.8)
    assert [row[CONTAMINATION] for row in rows][2] == []


def test_what_is_asked_for_by_hits_by_share_and_by_set(tmp_path: Path, quiz: str) -> None:
    assert found(Decontaminate(sets=(quiz,), min_hits=3), HALF) == ["frogs"]
    assert found(Decontaminate(sets=(quiz,), min_hits=4), HALF) == []
    assert found(Decontaminate(sets=(quiz,), min_hits=4), QUIZ["moons"]) == ["moons"]  # it has but one
    [row] = judged(Decontaminate(sets=(quiz,), action="remove", min_covered=0.5), HALF)
    assert ending(row) == ("removed", "decontaminate", "contaminated", 15 / 27, 0.5)
    assert found(Decontaminate(sets=(quiz,), min_covered=0.6), HALF) == []
    other = write_set(tmp_path / "other.jsonl", {"same": QUIZ["frogs"]})
    step = Decontaminate(sets=(quiz, other), min_covered=0.6, min_covered_of={"other": 0.5}, action="remove")
    [row] = judged(step, HALF)
    assert [(hit["set"], hit["item"]) for hit in row[CONTAMINATION]] == [("other", "same")]
    assert ending(row)[3:] == (15 / 27, 0.5)


def test_what_the_ledger_gets(quiz: str) -> None:
    text = f"{AROUND}é {QUIZ['frogs']} {AROUND} {HALF}"
    [row] = judged(Decontaminate(sets=(quiz,), action="record"), text)
    assert row[CONTAMINATION] == [
        {"set": "quiz", "item": "frogs", "ngrams": 15, "covered": 1.0, "position": len(AROUND) + 2}
    ]
    assert ending(row) == (None,) * 5 and row["text"] == text


def test_spans_are_cut_with_what_stands_around_them(quiz: str) -> None:
    text = AROUND + QUIZ["frogs"] + " " + AROUND
    [row] = judged(Decontaminate(sets=(quiz,)), text)
    first, behind = row["text"].split("\n\n")
    start = text.index(QUIZ["frogs"])
    assert text.startswith(first) and text.strip().endswith(behind)
    assert start - 240 <= len(first) <= start - 200
    assert row["edit:decontaminate.spans"] == 1
    assert row["edit:decontaminate.characters"] == len(text) - len(row["text"]) >= len(QUIZ["frogs"]) + 400
    assert ending(row) == (None,) * 5
    [row] = judged(Decontaminate(sets=(quiz,), window=0, min_piece=0), f"Before. {QUIZ['moons']} Behind.")
    assert row["text"] == "Before.\n\nBehind."


def test_a_document_in_too_many_pieces_or_without_any_is_removed(quiz: str) -> None:
    pieces = [AROUND] * 11
    rows = judged(
        Decontaminate(sets=(quiz,)), QUIZ["frogs"].join(pieces), QUIZ["frogs"].join(pieces[1:]), QUIZ["frogs"]
    )
    assert ending(rows[0]) == ("removed", "decontaminate", "too_many_pieces", 11, 10)
    assert ending(rows[1]) == (None,) * 5 and rows[1]["edit:decontaminate.spans"] == 9
    assert ending(rows[2]) == ("removed", "decontaminate", "nothing_left", 0, 200)
    assert rows[0]["text"] == QUIZ["frogs"].join(pieces)  # what ends stays as it was


def test_the_result_does_not_depend_on_batches_or_processes(quiz: str) -> None:
    texts = [AROUND, QUIZ["frogs"], HALF, AROUND + QUIZ["chinese"], "", QUIZ["thai"] * 3] * 3
    step = Decontaminate(sets=(quiz,))
    whole = step(batch(*texts))
    again = pickle.loads(pickle.dumps(step))
    parts = [again(batch(*texts).slice(at, 4)) for at in range(0, len(texts), 4)]
    assert pa.Table.from_batches(parts).to_pylist() == pa.Table.from_batches([whole]).to_pylist()
    assert step(batch()).num_rows == 0


def test_a_way_gives_what_is_not_given(quiz: str) -> None:
    adapter = TypeAdapter(Decontaminate)
    for way, keys in WAYS.items():
        step = adapter.validate_python({"sets": [quiz], "way": way, "ngram": 9, "shortest": 4})
        expected = {**keys, "ngram": 9, "shortest": 4, "way": way}
        assert {name: asdict(step)[name] for name in expected} == expected
        assert adapter.validate_python(adapter.dump_python(step, mode="json")) == step


def test_sets_are_read_from_json_lines_and_parquet(tmp_path: Path) -> None:
    rows = [{"id": 7, "text": QUIZ["frogs"], "other": [1]}, {"text": QUIZ["german"]}]
    with gzip.open(tmp_path / "first.v1.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.table({"id": ["p"], "text": [QUIZ["moons"]]}), tmp_path / "second.parquet")
    step = Decontaminate(sets=(f"{tmp_path}/*",), action="record")
    [row] = judged(step, f"{QUIZ['frogs']} {QUIZ['german']} {QUIZ['moons']}")
    assert [(hit["set"], hit["item"]) for hit in row[CONTAMINATION]] == [
        ("first.v1", "7"),
        ("first.v1", "1"),
        ("second", "p"),
    ]
    assert [Path(file).name for file in step.files] == ["first.v1.jsonl.gz", "second.parquet"]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write_set(tmp_path / "set.jsonl", {"a": QUIZ["frogs"]})
    assert found(Decontaminate(sets=(path,)), QUIZ["moons"]) == []
    write_set(tmp_path / "set.jsonl", {"b": QUIZ["moons"]})
    assert found(Decontaminate(sets=(path,)), QUIZ["moons"]) == ["b"]


def test_mistakes_are_one_line(tmp_path: Path, quiz: str) -> None:
    with pytest.raises(UserError, match="No file matches"):
        Decontaminate(sets=(f"{tmp_path}/none*.jsonl",))
    with pytest.raises(UserError, match="no set is called 'quizz'.* Did you mean 'quiz'"):
        Decontaminate(sets=(quiz,), min_covered_of={"quizz": 0.5})
    with pytest.raises(UserError, match="shortest is 14, but an n-gram has 13 words"):
        Decontaminate(sets=(quiz,), shortest=14)
    with pytest.raises(UserError, match="cannot be read"):
        Decontaminate(sets=(quiz,), ignore=(str(tmp_path / "none.txt"),))
    (tmp_path / "sub").mkdir()
    with pytest.raises(UserError, match="Two evaluation sets are called 'quiz'"):
        Decontaminate(sets=(quiz, write_set(tmp_path / "sub/quiz.jsonl", QUIZ)))
    with pytest.raises(UserError, match=r"record 2 is no item \(no_text\)"):
        Decontaminate(sets=(write_set(tmp_path / "bad.jsonl", [{"text": "x"}, {"question": "y"}]),))
    with pytest.raises(UserError, match=r"record 1 has a 'query' that is no string"):
        Decontaminate(sets=(write_set(tmp_path / "query.jsonl", [{"text": "x", "query": 1}]),))
    (tmp_path / "page.warc").write_bytes(b"WARC/1.0\r\n")
    with pytest.raises(UserError, match="no evaluation set"):
        Decontaminate(sets=(str(tmp_path / "page.warc"),))
    for wrong in ({"way": "gpt5"}, {"ngram": 1}, {"min_covered": 2}, {"sets": ()}, {"ngrams": 3}, {"action": "drop"}):
        with pytest.raises(ValidationError):
            Decontaminate(**{"sets": (quiz,), **wrong})
