"""Words and sentences of other languages. Oracle where named: datatrove 0.10.1, `utils/word_tokenizers.py`."""

from __future__ import annotations

import csv
import functools
import importlib.util
import json
import lzma
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.text import languages
from curation.text.alignment import aligned
from curation.text.languages import Spans, Tokenizer, assigned, assignments, packages

CHARACTERS = 1_200  # of each text of the Universal Declaration
READ_OTHERWISE = (
    64  # codes without script, and two-letter codes, that the assignment here reads otherwise than datatrove
)
FAMILIES = {"SpaCyTokenizer": "spacy", "WhitespaceTokenizer": "spaces", "IndicNLPTokenizer": "indic"}
SCRIPTS = {"cyrl": "Cyrl", "latn": "Latn", "arab": "Arab", "tglg": "Tglg", "tfng": "Tfng", "mong": "Mong"}


def parts(strings: Sequence[str], spans: Spans) -> list[list[str]]:
    """The parts of each text as strings."""
    assert len(spans.counts) == len(strings) and spans.counts.sum() == len(spans.starts) == len(spans.stops)
    places = iter(zip(spans.starts.tolist(), spans.stops.tolist(), strict=True))
    return [[string[slice(*next(places))] for _ in range(count)] for string, count in zip(strings, spans.counts)]


@functools.cache
def theirs(tokenizer: Tokenizer) -> Any:
    """datatrove's tokenizer of a family and code."""
    module = pytest.importorskip("datatrove.utils.word_tokenizers")
    names = {family: name for name, family in FAMILIES.items()}
    name = names.get(tokenizer.family, f"{tokenizer.family.capitalize()}Tokenizer")
    return getattr(module, name)(*([tokenizer.code] if tokenizer.code else []))


def compared(strings: list[str], tokenizer: Tokenizer) -> list[str]:
    """The strings, without blanks where a library writes its own: "1948 .1998" is one word of Hindi, without the blank."""
    if tokenizer.family in ("spacy", "spaces") and tokenizer.code != "vi":
        return strings
    return ["".join(string.split()) for string in strings]


def can_run(tokenizer: Tokenizer) -> bool:
    """Whether all that a tokenizer needs is installed; stanza and botok would load models from elsewhere."""
    found = all(importlib.util.find_spec(module) for module in packages(tokenizer))
    return found and tokenizer.family not in ("stanza", "tibetan")


@functools.cache
def declaration(file: Path) -> dict[str, str]:
    """The beginnings of the Universal Declaration of Human Rights, by language."""
    found: dict[str, str] = {}
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            language, _, variant = row["code"].partition("_")
            script = SCRIPTS.get(variant)
            found.setdefault(f"{language}_{script}" if script else language, row["text"][:CHARACTERS])
    known = [language for language in found if language in assignments()]
    return {language: found[language] for language in sorted(known, key=assigned)}


def one_language_a_tokenizer() -> dict[Tokenizer, str]:
    """A language of every tokenizer."""
    return {tokenizer: language for language, tokenizer in sorted(assignments().items(), reverse=True)}


def test_the_assignment_is_datatroves() -> None:
    """Oracle: `load_tokenizer_assignments`, save for the codes of several scripts or languages."""
    module = pytest.importorskip("datatrove.utils.word_tokenizers")
    expected = {
        language: Tokenizer(FAMILIES.get(name, name.removesuffix("Tokenizer").lower()), code)
        for language, (name, code) in ((key, made.args) for key, made in module.load_tokenizer_assignments().items())
    }
    assert assignments().keys() - expected.keys() == {"tl", "bh"} and not expected.keys() - assignments().keys()
    differing = {language for language in expected if expected[language] != assignments()[language]}
    assert len(differing) == READ_OTHERWISE and {"ar", "hi", "zh", "ms"} < differing
    assert all("_" not in code or len(code) == len("de_Latn") for code in differing)


def test_a_code_without_script_means_the_default_script() -> None:
    """Oracle: the column `default_script` of datatrove's `tokenizer_assignment.csv`."""
    module = pytest.importorskip("datatrove.utils.word_tokenizers")
    with open(f"{module.ASSETS_PATH}/tokenizer_assignment.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["type"] and row["default_script"] == "TRUE"]
    for row in rows:
        assert assigned(row["code_3"]) == assigned(f"{row['code_3']}_{row['script']}"), row


@pytest.mark.parametrize(
    ("language", "tokenizer"),
    [
        ("de", ("spacy", "de")),
        ("deu_Latn", ("spacy", "de")),
        ("hi", ("indic", "hi")),
        ("zh", ("spacy", "zh")),
        ("ar", ("spacy", "ar")),
        ("ms", ("spacy", "ms")),
        ("ko", ("kiwi", "")),
        ("uk", ("spacy", "uk")),
        ("yue", ("spacy", "zh")),
        ("no", ("spacy", "nb")),
        ("tl", ("spacy", "tl")),
        ("bh", ("indic", "hi")),
        ("hin_Latn", ("stanza", "kmr")),
        ("ceb", ("spacy", "tl")),
    ],
)
def test_languages_by_any_of_their_codes(language: str, tokenizer: tuple[str, str]) -> None:
    assert assigned(language) == tokenizer


@pytest.mark.parametrize("language", ["dee", "", "de_Latm", "english", "xx", "x" * 1_000])
def test_a_language_that_is_not_known_is_one_line(language: str) -> None:
    with pytest.raises(UserError, match="No word tokenizer is known for the language") as raised:
        languages.word_spans(["Wort"], language)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 200


@pytest.mark.parametrize(("language", "module"), [("hi", "indicnlp"), ("th", "pythainlp"), ("zh", "jieba")])
def test_a_missing_package_is_one_line(language: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find(name))
    if module != "jieba" and find("datatrove") is None:
        pytest.skip("datatrove is missed first")
    with pytest.raises(UserError, match=r"is not installed. Install it with: pip install 'corpusmill\[languages\]'"):
        languages.require(language)


def test_sentences_of_urdu_need_one_more_package(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "urduhack" else find("json"))
    with pytest.raises(UserError, match="Sentences of 'ur' need the package 'urduhack': pip install urduhack"):
        languages.sentence_spans(["x"], "ur")
    assert languages.require("ur") == languages.URDU


@pytest.mark.parametrize("language", sorted(one_language_a_tokenizer().values()))
def test_every_tokenizer_that_is_here_gives_the_same_words_on_a_difficult_text(language: str) -> None:
    """Oracle: `word_tokenize` and `sent_tokenize` of the assigned class."""
    tokenizer = assigned(language)
    if not can_run(tokenizer) or tokenizer.family in ("burmese",):
        pytest.skip("its package is not installed, or rewrites text")
    text = "Ça va?  «Oui», dit-il… 3,5 % d'a.b.\n\n  U.S. 10:30; http://a.bc/d?e=f (x) — y! 你好。हिन्दी। \t Ende "
    words = languages.word_spans([text], language)
    assert compared(parts([text], words)[0], tokenizer) == compared(theirs(tokenizer).word_tokenize(text), tokenizer)
    if tokenizer == languages.URDU:
        return
    sentences = languages.sentence_spans([text], language)
    assert compared(parts([text], sentences)[0], tokenizer) == compared(
        theirs(tokenizer).sent_tokenize(text), tokenizer
    )


def test_every_language_of_the_declaration_has_datatroves_words(shared: Path) -> None:
    """Oracle: as above, over all languages of the Universal Declaration whose tokenizer can run here."""
    languages_compared = 0
    for language, text in declaration(shared / "data/text/udhr/udhr2.jsonl.xz").items():
        tokenizer = assigned(language)
        if not can_run(tokenizer):
            continue
        words = languages.word_spans([text], language)
        expected = theirs(tokenizer).word_tokenize(text)
        if tokenizer.family == "burmese":
            assert words.counts.tolist() == [len(expected)]
            continue
        assert compared(parts([text], words)[0], tokenizer) == compared(expected, tokenizer), language
        languages_compared += 1
        if tokenizer == languages.URDU:  # its sentences need one more package
            continue
        sentences = languages.sentence_spans([text], language)
        expected = theirs(tokenizer).sent_tokenize(text)
        assert compared(parts([text], sentences)[0], tokenizer) == compared(expected, tokenizer), language
    assert languages_compared > 250


def test_every_language_of_the_declaration_has_datatroves_sentence_parts(shared: Path) -> None:
    """Oracle: `split_into_sentences`, for the languages cut by spaCy's rules or by white space."""
    for language, text in declaration(shared / "data/text/udhr/udhr2.jsonl.xz").items():
        tokenizer = assigned(language)
        if tokenizer.family in ("spacy", "spaces") and can_run(tokenizer) and tokenizer.code != "vi":
            ends = [stop for _, stop in theirs(tokenizer).span_tokenize(text)]
            cuts = zip([0, *ends[:-1]], [*ends[:-1], len(text)], strict=True)
            assert parts([text], languages.sentence_parts([text], language))[0] == [text[a:b] for a, b in cuts]


PIECES = ["wort", "l'", "d.", "A.", "ä", "don't", "5", "%", ",", "...", "…", "(", ")", "«", "»", "!", "?", "。", "।"]
PIECES += [
    " ",
    "  ",
    "\n",
    "\t",
    "\x1c",
    "\xa0",
    "-",
    "/",
    ":",
    "@",
    "www.a.de",
    "z.B.",
    "U.",
    '"',
    "’",
    "न",
    "字",
    "\u0301",
]
strings = st.lists(st.sampled_from(PIECES), max_size=20).map("".join) | st.text(max_size=20)


@pytest.mark.parametrize("language", ["de", "fr", "hu", "tr", "xx"])
@settings(deadline=None, max_examples=150)
@given(string=strings)
def test_spacys_words_and_sentences_are_datatroves(language: str, string: str) -> None:
    """Oracle: `SpaCyTokenizer`; `aak` is one of the languages that `xx` cuts."""
    code = "aak" if language == "xx" else language
    tokenizer = theirs(assigned(code))
    assert parts([string], languages.word_spans([string], code))[0] == tokenizer.word_tokenize(string)
    assert parts([string], languages.sentence_spans([string], code))[0] == tokenizer.sent_tokenize(string)


@settings(deadline=None, max_examples=300)
@given(string=strings)
def test_spaced_words_and_sentences_are_datatroves(string: str) -> None:
    """Oracle: `WhitespaceTokenizer`."""
    tokenizer = theirs(assigned("ace_Arab"))
    assert parts([string], languages.word_spans([string], "ace_Arab"))[0] == tokenizer.word_tokenize(string)
    assert parts([string], languages.sentence_spans([string], "ace_Arab"))[0] == tokenizer.sent_tokenize(string)


@pytest.mark.parametrize("language", ["hi", "ta", "ur", "th", "lo", "km"])
@settings(deadline=None, max_examples=60)
@given(string=strings)
def test_words_given_as_strings_are_found_in_the_text(language: str, string: str) -> None:
    """Oracle: the class of the family. Words that its library joins over a blank keep the blank here."""
    if not can_run(assigned(language)):
        pytest.skip("its package is not installed")
    try:
        expected = theirs(assigned(language)).word_tokenize(string)
    except Exception:
        return
    tokenizer = assigned(language)
    found = parts([string], languages.word_spans([string], language))[0]
    assert compared(found, tokenizer) == compared(expected, tokenizer)


def test_japanese_texts_are_cut_into_the_pieces_that_datatrove_cuts() -> None:
    """Oracle: `chunk_text_on_bytes`."""
    module = pytest.importorskip("datatrove.utils.word_tokenizers")
    from curation.text.spacy_languages import _japanese_pieces

    for text in (
        "字" * 50_000,
        "ab字" * 40_000,
        "a" * 90_000 + "字" * 30_000,
        "字" * 30_000 + "a" * 90_000,
        "é𝕏字a" * 9_000,
    ):
        assert list(_japanese_pieces(text)) == module.chunk_text_on_bytes(text, 40_000)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.text(alphabet="ab字\u0301", min_size=1, max_size=4), max_size=12), st.text(alphabet=" \n", max_size=2)
)
def test_words_that_stand_in_a_text_are_found_where_they_stand(words: list[str], blank: str) -> None:
    string = blank + blank.join(words)
    spans = aligned(string, words)
    assert [string[start:stop] for start, stop in spans] == words
    assert spans == sorted(spans)


def test_words_that_do_not_stand_in_a_text_share_the_place_between_those_that_do() -> None:
    string = "eins zwei drei vier"
    spans = aligned(string, ["eins", "ZW", "EI", "DREI", "vier"])
    assert [string[start:stop] for start, stop in spans] == ["eins", "zw", "ei", "drei", "vier"]
    assert aligned("ab", ["x", "ab", "yy", "z"]) == [(0, 0), (0, 2), (2, 2), (2, 2)]
    assert aligned("", ["x"]) == [(0, 0)]
    assert aligned("eins 12345678901234567890 zwei", ["eins", "zwei"])[1] == (26, 30)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="abc ", max_size=30), st.lists(st.text(alphabet="abcX", min_size=1, max_size=3), max_size=12))
def test_every_word_has_a_place_in_order(string: str, words: list[str]) -> None:
    spans = aligned(string, words)
    assert len(spans) == len(words)
    assert all(0 <= start <= stop <= len(string) for start, stop in spans)
    assert all(before[1] <= behind[0] for before, behind in zip(spans, spans[1:]))


def test_several_texts_give_what_each_gives_alone() -> None:
    strings = ["Ein Satz. Zwei!", "", " \n", "Drei"]
    for function in (languages.word_spans, languages.sentence_spans, languages.sentence_parts):
        together = parts(strings, function(strings, "de"))
        assert together == [parts([string], function([string], "de"))[0] for string in strings]
    assert languages.word_spans(strings, "de").counts.tolist() == [5, 0, 0, 1]
    assert languages.sentence_parts(strings, "de").counts.tolist() == [2, 1, 1, 1]
    assert languages.word_spans([], "de").starts.tolist() == []


@pytest.mark.parametrize(
    "text", ["(" * 30_000, "a@" * 15_000, "A." * 15_000, "\u0301" * 30_000, "ab" * 15_000, "…" * 30_000]
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    for language in ("aak", "hu", "ace_Arab"):
        languages.word_spans(["warm"], language)
        started = time.process_time()
        languages.word_spans([text], language)
        languages.sentence_spans([text], language)
        assert time.process_time() - started < 8, language


def test_neither_spacy_nor_datatrove_is_imported_before_it_is_needed() -> None:
    script = (
        "import sys, curation.text.languages as l; l.assigned('de');"
        "assert not {'spacy', 'datatrove', 'jieba', 'stanza'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).resolve().parents[2])
