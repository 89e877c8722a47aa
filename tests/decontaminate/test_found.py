"""What is found, and what is not: planted items, light changes, languages, short items, hard negatives."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.decontaminate import Decontaminate
from curation.decontaminate.ways import WAYS
from tests.decontaminate.composed import AROUND, QUIZ, found, judged, write_set

CHANGES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "no punctuation": lambda text: "".join(" " if c in ".,?!，。、।" else c for c in text),
    "more punctuation": lambda text: f'("{text}")…',
    "line ends": lambda text: text.replace(" ", "\r\n "),
    "wide blanks": lambda text: text.replace(" ", " \u3000\t"),
}
PLACES: dict[str, Callable[[str], str]] = {
    "alone": str,
    "first": lambda text: f"{text} {AROUND}",
    "last": lambda text: AROUND + text,
    "inside": lambda text: f"{AROUND}\n\nQuestion 4. {text} Answer below.\n\n{AROUND}",
}


@pytest.fixture
def quiz(tmp_path: Path) -> str:
    return write_set(tmp_path / "quiz.jsonl", QUIZ)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("way", ["gpt3", "llama"])
def test_items_are_found_wherever_they_stand_and_however_they_are_set(
    quiz: str, way: str, change: str, place: str
) -> None:
    step = Decontaminate(sets=(quiz,), way=way, action="record")
    for name, text in QUIZ.items():
        expected = [] if name == "short" else [name]
        assert found(step, PLACES[place](CHANGES[change](text))) == expected, name


def test_unspaced_text_is_found_inside_a_run_without_blanks_and_its_place_is_exact(quiz: str) -> None:
    before, behind = "本文讨论的是另一个话题" * 9, "以下内容与此无关" * 9
    step = Decontaminate(sets=(quiz,), action="record")
    for name in ("chinese", "japanese", "thai"):
        row = judged(step, before + QUIZ[name] + behind)[0]["contamination"]
        assert [(item["item"], item["position"]) for item in row] == [(name, len(before))]
    as_words = Decontaminate(sets=(quiz,), action="record", unspaced="words")
    assert found(as_words, before + QUIZ["chinese"] + behind) == []


@pytest.mark.parametrize("way", WAYS)
def test_hard_negatives_are_left_alone(quiz: str, way: str) -> None:
    step = Decontaminate(sets=(quiz,), way=way, action="record")
    words = QUIZ["frogs"].split()
    n = step.ngram
    nearly = [
        " ".join(words[: n - 1]),  # a quotation of one word less than an n-gram
        " ".join([*words[: n - 1], "another", *words[n : 2 * n - 1]]),
        " ".join(reversed(words)),
        "Which planet has the most moons? Jupiter.",
        "Which planet has the most craters? Saturn.",
        "True or false?",
        "人类社会需要阳光，食物网很复杂。",
    ]
    for text in nearly:
        if way != "llama" or text not in nearly[1:2]:
            assert found(step, AROUND + text) == [], text


def test_an_item_of_fewer_words_than_an_ngram_counts_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    items = {str(size): " ".join(f"word{'abcdefghijklm'[i]}" for i in range(size)) for size in range(1, 14)}
    for size, text in items.items():
        step = Decontaminate(
            sets=(write_set(tmp_path / f"set{size}.jsonl", {size: text}),), action="record", shortest=4
        )
        checked = int(size) >= 4
        assert found(step, f"x {text} y") == ([size] if checked else [])
        assert found(step, f"x {text.rpartition(' ')[0]} y") == []
        assert any("cannot be checked" in note for note in step.notes) is not checked
    step = Decontaminate(sets=(write_set(tmp_path / "all.jsonl", items),), action="record", shortest=4)
    assert found(step, items["13"]) == [str(size) for size in range(4, 14)]


def test_characters_count_as_half_a_word(tmp_path: Path) -> None:
    step = Decontaminate(
        sets=(write_set(tmp_path / "han.jsonl", {"nine": "一二三四五六七八九", "ten": "甲乙丙丁戊己庚辛壬癸"}),),
        action="record",
    )
    assert found(step, "一二三四五六七八九 甲乙丙丁戊己庚辛壬癸") == ["ten"]
    assert step.notes[1] == "cannot be checked in han: 1 items: nine"


def test_rows_of_figures_and_common_ngrams_are_ignored(tmp_path: Path) -> None:
    template = "In the following exercise choose the answer that you think fits best and write down number"
    items = {str(n): f"{template} {'abcdefghijkl'[n]} about {'mnopqrstuvwx'[n]}" for n in range(12)}
    items["sum"] = "1 + 2 = 3, 4 + 5 = 9, 3 + 9 = 12, 6 + 7 = 13, 12 + 13 = 25"
    path = write_set(tmp_path / "exercises.jsonl", items)
    figures = "Sales: " + " ".join(str(n) for n in range(40))
    strict = Decontaminate(sets=(path,), action="record")
    assert found(strict, template) == []
    assert found(strict, figures) == []
    assert found(strict, items["3"]) == ["3"]
    loose = Decontaminate(sets=(path,), action="record", ignore_common=0, min_distinct=1)
    assert len(found(loose, template)) == 12
    assert found(loose, "1 1 1 1 1 = 1 = 1 1 1 = 1 1 1 1 1 1") == ["sum"]


def test_listed_phrases_are_ignored(tmp_path: Path, quiz: str) -> None:
    phrases = tmp_path / "phrases.txt"
    phrases.write_text(f"{QUIZ['frogs']}\nwhich planet has the most moons saturn\n", encoding="utf-8")
    step = Decontaminate(sets=(quiz,), action="record", ignore=(str(phrases),))
    assert found(step, f"{QUIZ['frogs']} {QUIZ['moons']} {QUIZ['german']}") == ["german"]
    assert "frogs, moons" in step.notes[1]
    assert str(phrases) in step.files


@pytest.mark.parametrize("way", ["gpt3", "llama"])
def test_items_of_real_benchmarks_are_found(shared: Path, way: str) -> None:
    """Twenty of each of the eleven sets, in a text of their own and with light changes; nothing in the text alone."""
    files = sorted((shared / "data/eval").glob("*.jsonl.gz"))
    assert len(files) == 11
    step = Decontaminate(sets=tuple(map(str, files)), way=way, action="record")
    cannot = {line.split(" items: ")[0] for line in step.notes[1:]}
    assert all(int(line.split(": ")[1]) < 40 for line in cannot)  # of 14,933
    draw = random.Random(1)
    assert found(step, AROUND) == []
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            items = [json.loads(line) for line in lines]
        items = [item for item in items if len(item["text"].split()) >= 10]
        for item in draw.sample(items, 20):
            change = draw.choice(list(CHANGES.values()))
            assert item["id"] in found(step, f"{AROUND}\n{change(item['text'])}\n{AROUND}"), item["id"]
