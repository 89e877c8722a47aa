"""What every tokenizer here can do, whichever library is behind it: text to ids, in whole batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Protocol

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError

Tokens = npt.NDArray[np.int32]
Lengths = npt.NDArray[np.int64]

END_OF_DOCUMENT_NAMES = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "[SEP]")

GROUP_CHARACTERS = 1 << 19


class Tokenizer(Protocol):
    """Text to ids.

    name              what the user reads: the name of the vocabulary, or of the file or folder that holds it
    vocabulary_size   the largest id + 1, added and special tokens included
    end_of_document   id of the token that the caller puts after a document. No text encodes to it.
    digest            SHA-256 (hex) of the tokenizer's content, wherever its files lie
    """

    @property
    def name(self) -> str: ...
    @property
    def vocabulary_size(self) -> int: ...
    @property
    def end_of_document(self) -> int: ...
    @property
    def digest(self) -> str: ...

    def encode_batch(self, strings: Sequence[str]) -> tuple[Tokens, Lengths]:
        """The ids of all texts end to end, and how many each text has.

        No special tokens are added. Text that spells a special token, such as "<|endoftext|>", is ordinary text. The
        ids of a text do not depend on what else is in the batch. One thread, unless TOKENIZERS_PARALLELISM says
        otherwise.
        """
        ...


def encoded_in_groups(
    encode: Callable[[list[str]], Iterable[Sequence[int]]], strings: Sequence[str]
) -> tuple[Tokens, Lengths]:
    """What `encode` makes of the texts, as `Tokenizer.encode_batch` returns it.

    Libraries hold up to 400 bytes a token until a call returns (tokenizers 0.23.3), so they get the texts in groups.
    """
    tokens, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    for group in in_groups(strings):
        ids = list(encode(group))
        lengths.append(np.fromiter(map(len, ids), dtype=np.int64, count=len(ids)))
        tokens.append(np.fromiter(chain.from_iterable(ids), dtype=np.int32, count=int(lengths[-1].sum())))
    return np.concatenate(tokens), np.concatenate(lengths)


def in_groups(strings: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, in groups that end once they hold `GROUP_CHARACTERS`."""
    group: list[str] = []
    characters = 0
    for string in strings:
        group.append(string)
        characters += len(string)
        if characters >= GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def end_of_document_name(known: Iterable[str], named: str | None, tokenizer: str) -> str:
    """The end-of-document token: the one that the user named, else the first usual name among the known tokens.

    Raises UserError when the tokenizer has no such token, or none of the usual names.
    """
    tokens = set(known)
    if named is not None and named not in tokens:
        raise UserError(f"The tokenizer '{tokenizer}' has no token '{named}' to end documents with.")
    for name in (named,) if named is not None else END_OF_DOCUMENT_NAMES:
        if name in tokens:
            return name
    raise UserError(
        f"The tokenizer '{tokenizer}' has none of the usual end-of-document tokens "
        f"({', '.join(END_OF_DOCUMENT_NAMES)}): name the one to use."
    )
