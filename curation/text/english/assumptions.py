"""What the kernels take for granted about the rules and about Unicode. Checked when the tables are built."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError
from curation.text.english.characters import CHARACTERS, normal_form
from curation.text.english.layout import NUMBER, SPACE, TERMINAL, TO_BLANK
from curation.text.english.rules import Rules

_LOWER_TO_ASCII = ["\u0130", "\u212a"]  # dotted capital I and the sign for Kelvin


def check(rules: Rules, classes: npt.NDArray[np.int64]) -> None:
    """Raises `UserError` that names the first assumption that does not hold.

    `classes` are the class bits of every code point.
    """
    if any("".join(tokens) != string for string, tokens in rules.phrases.items()):
        raise _broken("the tokens of a special case do not spell it")
    members = {bit: (classes >> bit & 1).astype(np.bool_) for bit in (SPACE, TERMINAL, TO_BLANK, NUMBER)}
    if set(re.findall(r"\s", "".join(CHARACTERS))) != set(filter(str.isspace, CHARACTERS)):
        raise _broken("regular expressions have another white space than str.isspace")
    if (members[SPACE] & members[TERMINAL]).any():
        raise _broken("a character that ends a line is white space")
    if [c for c in CHARACTERS[128:] if any(map(str.isascii, c.lower()))] != _LOWER_TO_ASCII:
        raise _broken("other characters become ASCII in lower case, so case cannot be ignored byte by byte")
    if any(members[TO_BLANK][ord(c.lower())] for c in CHARACTERS if len(c.lower()) == 1 and c.lower() != c):
        raise _broken("punctuation has an upper case, so normalisation cannot go character by character")
    _check_phrases_of_normal_text(rules, members[SPACE] | members[TO_BLANK] | members[NUMBER])


def _check_phrases_of_normal_text(rules: Rules, vanishing: npt.NDArray[np.bool_]) -> None:
    """In normalised text no two phrases may share a token: its chunks are cut apart, so they would not be seen."""
    left = {"0"}
    for code_point in np.flatnonzero(~vanishing).tolist():
        if not 0xD800 <= code_point < 0xE000:
            left.update(normal_form(CHARACTERS[code_point]) or "")
    possible = {string: tokens for string, tokens in rules.phrases.items() if left.issuperset(string)}
    for string, tokens in possible.items():
        for other, others in possible.items():
            if tokens[-1] == others[0] or (other != string and set(tokens) & set(others)):
                raise _broken("two special cases that normalised text can spell share a token")


def _broken(what: str) -> UserError:
    return UserError(f"The kernels of the tokenizer do not hold any more: {what}. Review curation/text/kernels/ first.")
