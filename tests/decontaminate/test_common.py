"""Phrases that many documents have, made into a list that is then ignored."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from curation.decontaminate import Decontaminate, common_phrases
from tests.decontaminate.composed import AROUND, QUIZ, found, write_set


def test_ngrams_in_more_documents_than_that_are_listed_and_then_ignored(tmp_path: Path) -> None:
    path = write_set(tmp_path / "quiz.jsonl", QUIZ)
    step = Decontaminate(sets=(path,), action="record")
    quoted = " ".join(QUIZ["frogs"].split()[:14])
    corpus = [
        pa.array([f"{AROUND} {quoted}", QUIZ["german"]]),
        pa.array([quoted.upper(), QUIZ["moons"], QUIZ["thai"]] * 2),
    ]
    phrases = common_phrases(step, corpus, more_than=2)
    words = quoted.lower().split()
    assert phrases == [" ".join(words[:13]), " ".join(words[1:14])]
    (tmp_path / "common.txt").write_text("\n".join(phrases), encoding="utf-8")
    ignoring = Decontaminate(sets=(path,), action="record", ignore=(str(tmp_path / "common.txt"),))
    assert found(step, quoted) == ["frogs"]
    assert found(ignoring, quoted) == []
    assert found(ignoring, QUIZ["frogs"]) == ["frogs"]
    every = common_phrases(step, corpus, more_than=0)
    (tmp_path / "common.txt").write_text("\n".join(every), encoding="utf-8")
    ignoring = Decontaminate(sets=(path,), action="record", ignore=(str(tmp_path / "common.txt"),))
    assert [found(ignoring, QUIZ[name]) for name in ("german", "moons", "thai", "hindi")] == [[], [], [], ["hindi"]]
