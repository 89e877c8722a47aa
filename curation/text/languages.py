"""Words and sentences of any language, by the tokenizer that datatrove assigns to it. English has a kernel of its own.

`languages.txt` says which; a language is named by ISO 639-1 (`de`), ISO 639-3 (`deu`), or either with a script
(`deu_Latn`). What has to be installed:

family     languages                                what cuts                                    beyond the base
spacy      most, 1,000 of them by `xx`, 310 by      spaCy's blank tokenizer of that code         spaCy; vi: pyvi; zh: jieba;
           Tswana's and 270 by Malay's                                                           ja: sudachipy
spaces     70 in rarer scripts                      words by spaCy's `xx`, sentences by `spaced` spaCy
indic      Hindi, Bengali, Tamil, Urdu, …           indic-nlp-library                            datatrove, the package
stanza     Welsh, Belarusian, Kazakh, Maltese, …    stanza, which downloads a model a language   the same
thai, khmer, lao, tibetan, burmese, kiwi (Korean)   pythainlp, khmer-nltk, laonlp, botok,        the same
                                                    pyidaungsu-numpy2, kiwipiepy

The extra `languages` brings them, save for stanza, which brings torch, and pyidaungsu-numpy2, which needs a fastText that
replaces ours. botok downloads its dictionary at first use.

datatrove 0.10.1 reads every mark "FALSE" of its table as true, so that of several scripts of a language the last is what
a code without script means: its `hi` is cut as Latin Kurdish, its `zh` and `ar` by `xx`, its `ms` as Thai. Here such a
code means the script that the table marks as the language's default. With a script both agree, except for the two-letter
codes that several languages share.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Sequence
from importlib import resources
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError, missing_extra, nearest
from curation.text import other_tokenizers, spaced, spacy_languages
from curation.text.alignment import Span

EXTRA = "languages"
_UNDEFINED = "-"  # in the table, of a family that has no codes

Positions = npt.NDArray[np.int64]


class Tokenizer(NamedTuple):
    """What cuts a language: the family, and the code that the family's library knows the language, or a near one, by."""

    family: str
    code: str


URDU = Tokenizer("indic", "ur")  # also of Pashto, Sindhi and others


class Spans(NamedTuple):
    """Parts of several texts, one text behind the other. Positions are in characters of the text they belong to.

    counts   parts of each text
    starts   of each part
    stops    behind each part
    """

    counts: Positions
    starts: Positions
    stops: Positions


@functools.cache
def assignments() -> dict[str, Tokenizer]:
    """The tokenizer of every language that has one, from `languages.txt`."""
    found: dict[str, Tokenizer] = {}
    for line in resources.files("curation.text").joinpath("languages.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        head, _, languages = line.partition(":")
        family, code = head.split()
        tokenizer = Tokenizer(family, code.replace(_UNDEFINED, ""))
        for entry in languages.split():
            language, both, script = entry.partition("+")
            found[language] = tokenizer
            if both:
                found[f"{language}_{script}"] = tokenizer
    return found


def assigned(language: str) -> Tokenizer:
    """The tokenizer of a language. Raises `UserError` for a language that has none."""
    found = assignments().get(language)
    if found is None:
        raise UserError(f"No word tokenizer is known for the language '{language[:40]}'.{_near(language)}")
    return found


def _near(language: str) -> str:
    """The nearest language that is known; never the list of all."""
    told = nearest(language, assignments())
    return told if told.startswith(" Did") else " Use a code such as de, deu or deu_Latn"


def require(language: str) -> Tokenizer:
    """The tokenizer of a language. Raises `UserError` where there is none, or a package that it needs is missing."""
    tokenizer = assigned(language)
    for module, package in packages(tokenizer).items():
        if importlib.util.find_spec(module) is None:
            if package == "stanza":  # in no extra, since it brings torch
                raise UserError(f"Words of '{language}' need the package 'stanza': pip install stanza")
            raise missing_extra(package, EXTRA)
    return tokenizer


def _require_sentences(language: str) -> Tokenizer:
    tokenizer = require(language)
    if tokenizer == URDU and importlib.util.find_spec("urduhack") is None:
        raise UserError(f"Sentences of '{language}' need the package 'urduhack': pip install urduhack. Words do not")
    return tokenizer


def packages(tokenizer: Tokenizer) -> dict[str, str]:
    """What a tokenizer needs beyond the base: modules, and the packages that bring them."""
    if tokenizer.family in ("spacy", "spaces"):
        return {module: module for module in ("spacy", *spacy_languages.PACKAGES.get(tokenizer.code, ()))}
    module, package = other_tokenizers.PACKAGES[tokenizer.family]
    return {"datatrove": "datatrove", module: package}


def word_spans(strings: Sequence[str], language: str) -> Spans:
    """The words of each text, by the language's tokenizer: those of white space are dropped, blanks around one cut off.

    They are the words that datatrove's `word_tokenize` gives. Where its library rewrites characters (Burmese; Vietnamese in
    decomposed form) their number is the same and their places are near (see `alignment`); Korean morphemes that are
    fused into one syllable overlap. Raises what `require` does.
    """
    cut = _words_by(require(language))
    return _concatenated([_stripped(string, cut(string)) for string in strings])


def sentence_spans(strings: Sequence[str], language: str) -> Spans:
    """The sentences of each text, blanks around them cut off, empty ones dropped: datatrove's `sent_tokenize`.

    A text of a language of the family `spaces` ends, as there, with its last sentence mark or line end.
    """
    cut = _sentences_by(_require_sentences(language))
    return _concatenated([_stripped(string, cut(string)) for string in strings])


def sentence_parts(strings: Sequence[str], language: str) -> Spans:
    """Each text cut behind its sentences, so that nothing of it is left out; the empty text is one part.

    It is what C4's filter counts. Source: datatrove 0.10.1, utils/text.py, `split_into_sentences`.
    """
    tokenizer = _require_sentences(language)
    cut = _sentences_by(tokenizer)
    parts = []
    for string in strings:
        sentences = cut(string) if tokenizer.family == "spacy" else _stripped(string, cut(string))
        parts.append(list(pairwise([0, *[stop for _, stop in sentences[:-1]], len(string)])))
    return _concatenated(parts)


def _words_by(tokenizer: Tokenizer) -> Callable[[str], list[Span]]:
    if tokenizer.family in ("spacy", "spaces"):
        return lambda string: spacy_languages.token_spans(string, tokenizer.code or "xx")
    return lambda string: other_tokenizers.word_spans(string, *tokenizer)


def _sentences_by(tokenizer: Tokenizer) -> Callable[[str], list[Span]]:
    if tokenizer.family == "spaces":
        return spaced.sentence_spans
    if tokenizer.family == "spacy":
        return lambda string: spacy_languages.sentence_spans(string, tokenizer.code)
    return lambda string: other_tokenizers.sentence_spans(string, *tokenizer)


def _stripped(string: str, spans: Sequence[Span]) -> list[Span]:
    """The spans without the white space at their ends, those of nothing else left out; empty ones stay."""
    kept: list[Span] = []
    for start, stop in spans:
        part = string[start:stop]
        stripped = part.strip()
        if stripped or not part:
            start += len(part) - len(part.lstrip())
            kept.append((start, start + len(stripped)))
    return kept


def _concatenated(spans: Sequence[Sequence[Span]]) -> Spans:
    counts = np.fromiter(map(len, spans), np.int64, len(spans))
    flat = np.array([position for text in spans for span in text for position in span], np.int64).reshape(-1, 2)
    return Spans(counts, np.ascontiguousarray(flat[:, 0]), np.ascontiguousarray(flat[:, 1]))
