"""Words by white space and what recurs. Oracle: the definitions of allenai/dolma 669f534, taggers/gopher.py, spelt out slowly."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from statistics import mean, median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.quality.measure import shipped
from curation.quality.measures import recurrence, white_space_words
from curation.text.columns import batch_of

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
NAMES = [
    name
    for name, each in shipped().items()
    if each.function.__module__ in (recurrence.__name__, white_space_words.__name__)
]
PIECES = "a |b |the |The |of\n|#|…|...|\n|\n\n|* |- |x…\n|é |\u2003|12 |-|'t |\u0345 |\x1c|İ |ß "


def expected(string: str) -> dict[str, float | None]:
    """Every measure by Dolma's definition; None where it has no word or run to look at."""
    words, lines = string.split(), re.split(r"\n+", string)
    count, characters = len(words), sum(map(len, words))
    copies = Counter(lines)
    values: dict[str, float | None] = {
        "median_white_space_word_length": median(map(len, words)) if words else None,
        "mean_white_space_word_length": mean(map(len, words)) if words else None,
        "alpha_white_space_word_share": sum(any(map(str.isalpha, w)) for w in words) / count if words else None,
        "symbol_white_space_word_share": sum("#" in w or "…" in w for w in words) / count if words else None,
        "symbols_per_white_space_word": sum(map(string.count, ("#", "...", "…"))) / count if words else None,
        "stop_word_occurrences": sum(w in STOP_WORDS for w in words),
        "stop_word_occurrences_in_any_case": sum(w.lower() in STOP_WORDS for w in words),
        "asterisk_bullet_line_share": sum(line.startswith(("*", "-")) for line in lines) / len(lines),
        "ellipsis_character_line_share": sum(line.endswith("…") for line in lines) / len(lines),
        "recurring_line_share": sum(n for n in copies.values() if n > 1) / len(lines),
        "recurring_line_character_ratio": (
            sum(len(line) * n for line, n in copies.items() if n > 1) / characters if words else None
        ),
    }
    for size in range(2, 11):
        runs = Counter(zip(*(words[place:] for place in range(size))))
        lengths = {run: n * sum(map(len, run)) for run, n in runs.items()}
        name = f"top_{size}_white_space_gram_share" if size < 5 else f"recurring_{size}_gram_share"
        if not runs:
            values[name] = None
        elif size < 5:
            values[name] = lengths[runs.most_common(1)[0][0]] / characters
        else:
            values[name] = sum(lengths[run] for run, n in runs.items() if n > 1) / sum(lengths.values())
    return values


def got(strings: list[str]) -> list[dict[str, float | None]]:
    """Every measure, ours."""
    batch = batch_of(strings)
    columns = {name: shipped()[name].values(batch) for name in NAMES}
    return [
        {name: None if np.isnan(values[row]) else float(values[row]) for name, values in columns.items()}
        for row in range(len(strings))
    ]


def test_the_oracle_knows_every_measure() -> None:
    assert set(NAMES) == set(expected("a"))


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(st.sampled_from(PIECES.split("|")), max_size=50).map("".join), max_size=4))
def test_composed_texts(strings: list[str]) -> None:
    assert got(strings) == [expected(string) for string in strings]


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60).filter(lambda s: s.isprintable() or "\n" in s))
def test_any_text(string: str) -> None:
    string = string.encode("utf-8", "replace").decode()
    assert got([string]) == [expected(string)]


def test_texts_of_one_word_over_and_over() -> None:
    for words in range(0, 40):
        for period in (1, 2, 3, 7):
            string = " ".join("abcdefg"[place % period] for place in range(words))
            assert got([string]) == [expected(string)]


def test_real_documents(shared: Path) -> None:
    with gzip.open(shared / "bench/corpus_en_4000.jsonl.gz") as corpus:
        strings = [json.loads(line)["text"] for line in corpus][::10]
    assert got(strings) == [expected(string) for string in strings]


@pytest.mark.parametrize("letters", ["a ", "a b ", "\n", "# ", "ab\n"])
def test_a_hostile_text_takes_no_time_to_speak_of(letters: str) -> None:
    """Linear: a quadratic search in a text of 100,000 words would not end within the test's time."""
    string = letters * 100_000
    values = got([string])[0]
    assert values["recurring_line_share"] is not None
