"""The patterns by which byte-level vocabularies cut text into pre-tokens, which no token crosses.

They are written as the `tokenizers` library and models' own files have them. GPT-4's is Llama 3's: tiktoken's later form of it
differs only where a text ends in white space that has a line end. The kernels that cut by them are held to them by tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from curation.tokenize.huggingface import library
from curation.tokenize.kernels.pre_tokens import GPT2, GPT4, GPT4O

Name = Literal["gpt2", "gpt4", "llama3", "gpt4o"]

# A word, a number or a run of signs, each with one blank before it; then white space, whose last character is left to the
# word behind it.
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

# Numbers in threes, line ends with the signs before them, any sign before a word.
_GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# Words also cut where lower case turns to upper case, contractions kept with their word.
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_GPT4O = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTION}"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class SplitPattern:
    """A pattern as a regular expression, and its kind for the kernels."""

    regex: str
    kind: int

    def pre_tokenizer(self) -> Any:
        """The same for the `tokenizers` library; GPT-2's in the form that faster encoders know best."""
        pre_tokenizers = library().pre_tokenizers
        if self.kind == GPT2:
            return pre_tokenizers.ByteLevel(add_prefix_space=False)
        split = pre_tokenizers.Split(library().Regex(self.regex), "isolated")
        return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


PATTERNS: Mapping[Name, SplitPattern] = {
    "gpt2": SplitPattern(_GPT2, GPT2),
    "gpt4": SplitPattern(_GPT4, GPT4),
    "llama3": SplitPattern(_GPT4, GPT4),
    "gpt4o": SplitPattern(_GPT4O, GPT4O),
}
