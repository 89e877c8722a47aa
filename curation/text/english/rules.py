"""The rules of the installed spaCy's blank English tokenizer: what the tables are built from.

Only the builder needs this; nothing here runs while documents are worked on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from connectors.errors import UserError
from curation.text.punctuation import SENTENCE_END
from curation.text.spacy_loading import without_torch

Tokens = tuple[str, ...]

# The kernels' rule for URLs is written by hand after this pattern, with the letters of the last label left out.
_URL = "d8edb6268685418663a5777442edc34c65a49f8abb6a67fcbf4d26e0aad9a014"


@dataclass(frozen=True)
class Rules:
    """What spaCy cuts English by.

    prefix, suffix, infix  regular expressions: what is cut off at the start and the end of a run, and out of its middle
    url                    regular expression of a run that is not cut at infixes
    domain_letters         the letters that `url` takes in the last label of a host: the inside of a character class
    special_cases          strings that have tokens of their own: "can't" is "ca", "n't"; none is white space
    phrases                the special cases that the regular expressions would cut, with the tokens they would give.
                           spaCy looks for these tokens again when all is cut
    """

    prefix: str
    suffix: str
    infix: str
    url: str
    domain_letters: str
    special_cases: dict[str, Tokens]
    phrases: dict[str, Tokens]

    def digest(self) -> str:
        """SHA-256 over all of it, in hexadecimal."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self), sort_keys=True).encode()).hexdigest()


def installed() -> Rules:
    """The rules of the installed spaCy.

    Raises `UserError` if they have changed in what the kernels write out by hand: the pattern of URLs, the characters
    that end a sentence, the order of the tokenizer's steps.
    Source: spaCy 3.8.18, tokenizer.pyx, `Tokenizer`; lang/en; lang/tokenizer_exceptions.py, `URL_PATTERN`.
    """
    with without_torch():
        import spacy
        from spacy.lang.char_classes import ALPHA_LOWER
        from spacy.pipeline import Sentencizer
        from spacy.symbols import ORTH

    tokenizer: Any = spacy.blank("en").tokenizer
    url = _pattern(tokenizer.url_match).removeprefix("(?u)")
    if _digest(url.replace(ALPHA_LOWER, "<AL>")) != _URL:
        raise _changed("the pattern of URLs")
    if set(Sentencizer().punct_chars) != SENTENCE_END:
        raise _changed("the characters that end a sentence (curation/text/punctuation.py)")
    if tokenizer.token_match is not None or not tokenizer.faster_heuristics:
        raise _changed("the steps of the tokenizer")
    special_cases = {string: tuple(token[ORTH] for token in tokens) for string, tokens in tokenizer.rules.items()}
    special_cases = {string: tokens for string, tokens in special_cases.items() if not string.isspace()}
    return Rules(
        prefix=_pattern(tokenizer.prefix_search),
        suffix=_pattern(tokenizer.suffix_search),
        infix=_pattern(tokenizer.infix_finditer),
        url=url,
        domain_letters=ALPHA_LOWER,
        special_cases=special_cases,
        phrases=_phrases(tokenizer, special_cases),
    )


def _phrases(tokenizer: Any, special_cases: dict[str, Tokens]) -> dict[str, Tokens]:
    """Source: spaCy 3.8.18, tokenizer.pyx, `Tokenizer.add_special_case`."""
    from spacy.tokenizer import Tokenizer

    bare = Tokenizer(
        tokenizer.vocab,
        prefix_search=tokenizer.prefix_search,
        suffix_search=tokenizer.suffix_search,
        infix_finditer=tokenizer.infix_finditer,
        url_match=tokenizer.url_match,
    )
    affixes = (tokenizer.find_prefix, tokenizer.find_infix, tokenizer.find_suffix)
    return {
        string: tuple(token.text for token in bare(string))
        for string in special_cases
        if " " in string or any(find(string) for find in affixes)
    }


def _pattern(method: Any) -> str:
    pattern = method.__self__
    if not isinstance(pattern, re.Pattern) or pattern.flags != re.UNICODE:
        raise _changed("the flags of a regular expression")
    return str(pattern.pattern)


def _digest(string: str) -> str:
    return hashlib.sha256(string.encode()).hexdigest()


def _changed(what: str) -> UserError:
    return UserError(f"spaCy has changed {what}, which curation/text/kernels/ follow by hand: review them first.")
