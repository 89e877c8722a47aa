"""Every shipped measure in slow, obviously right Python: what the kernels are held against.

Words and sentences come from spaCy as it is installed, not from our own tokenizer.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from curation.text.punctuation import SYMBOLS, TERMINAL_PUNCTUATION

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}


@functools.cache
def pipeline() -> Any:
    """spaCy's blank English with the sentencizer."""
    import spacy

    english = spacy.blank("en")
    english.add_pipe("sentencizer")
    english.max_length = 10**8
    return english


class Obvious:
    """One text and all that is counted of it."""

    def __init__(self, string: str) -> None:
        self.string = string
        document = pipeline()(string)
        self.words = [token.text.strip() for token in document if token.text.strip()]
        self.sentences = len(list(document.sents)) or 1
        self.lines = string.splitlines()
        self.runs = re.split(r"\n+", string)
        self.filled = [line for line in string.split("\n") if line.strip()]
        self.paragraphs = re.split(r"\n{2,}", string.strip())
        self.real_words = [word for word in self.words if not SYMBOLS.issuperset(word)]


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def share(parts: Sequence[Any], holds: Callable[[Any], bool]) -> float | None:
    return ratio(sum(map(holds, parts)), len(parts))


def repeated(parts: Sequence[str]) -> list[str]:
    """The parts that have come before."""
    seen: set[str] = set()
    again = []
    for part in parts:
        if part in seen:
            again.append(part)
        seen.add(part)
    return again


def top(text: Obvious, n: int) -> float | None:
    runs = [" ".join(text.words[i : i + n]) for i in range(len(text.words) - n + 1)]
    if not runs:
        return None
    run, count = Counter(runs).most_common(1)[0]
    return len(run) * count / len(text.string)


def duplicate(text: Obvious, n: int) -> float | None:
    seen: set[str] = set()
    characters = index = 0
    while index < len(text.words) - n + 1:
        run = "".join(text.words[index : index + n])
        if run in seen:
            characters += len(run)
            index += n
        else:
            seen.add(run)
            index += 1
    return ratio(characters, len(text.string))


def third_longest(text: Obvious) -> float:
    lengths = sorted(map(len, text.string.split("\n")), reverse=True)
    return lengths[2] if len(lengths) > 2 else 0


MEASURES: dict[str, Callable[[Obvious], float | None]] = {
    "characters": lambda t: len(t.string),
    "words": lambda t: len(t.real_words),
    "white_space_words": lambda t: len(t.string.split()),
    "mean_word_length": lambda t: ratio(sum(map(len, t.real_words)), len(t.real_words)),
    "alpha_word_share": lambda t: share(t.words, lambda word: any(map(str.isalpha, word))),
    "distinct_word_share": lambda t: ratio(len(set(t.words)), len(t.words)),
    "stop_words_present": lambda t: len(STOP_WORDS.intersection(t.words)),
    "hashes_per_word": lambda t: ratio(t.string.count("#"), len(t.words)),
    "ellipses_per_word": lambda t: ratio(t.string.count("...") + t.string.count("…"), len(t.words)),
    "sentences": lambda t: t.sentences,
    "mean_sentence_length": lambda t: len(t.words) / t.sentences if t.words else None,
    "bullet_line_share": lambda t: share(t.lines, lambda line: line.lstrip().startswith(("•", "-"))),
    "ellipsis_line_share": lambda t: share(t.lines, lambda line: line.rstrip().endswith(("...", "…"))),
    "filled_lines": lambda t: len(t.filled),
    "terminal_punctuation_line_share": lambda t: share(t.filled, lambda line: line[-1] in TERMINAL_PUNCTUATION),
    "short_line_share": lambda t: share(t.filled, lambda line: len(line) <= 30),
    "newlines_per_word": lambda t: ratio(t.string.count("\n"), len(t.words)),
    "third_longest_line": third_longest,
    "duplicate_line_share": lambda t: ratio(len(repeated(t.runs)), len(t.runs)),
    "duplicate_line_character_share": lambda t: ratio(sum(map(len, repeated(t.runs))), len(t.string)),
    "duplicate_paragraph_share": lambda t: ratio(len(repeated(t.paragraphs)), len(t.paragraphs)),
    "duplicate_paragraph_character_share": lambda t: ratio(sum(map(len, repeated(t.paragraphs))), len(t.string)),
    "repeated_line_character_share": lambda t: ratio(
        sum(map(len, repeated(t.filled))), len(t.string) - t.string.count("\n")
    ),
    **{f"top_{n}_gram_share": functools.partial(top, n=n) for n in (2, 3, 4)},
    **{f"duplicate_{n}_gram_share": functools.partial(duplicate, n=n) for n in range(5, 11)},
}
