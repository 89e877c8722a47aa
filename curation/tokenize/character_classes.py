"""What the split patterns of byte-level vocabularies ask of a character: letter, number, white space, upper or lower case.

The classes are those of the `tokenizers` library, which splits by the same patterns when it encodes, whatever Unicode the
installed `regex` or Python knows. They lie in `character_classes.npz`, so that two machines count alike, and were made by

    python -m curation.tokenize.character_classes
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt

from curation.tokenize.huggingface import library
from curation.tokenize.kernels.pre_tokens import LETTER, LOWER, NUMBER, SPACE, UPPER

FILE = Path(__file__).with_suffix(".npz")
CODE_POINTS = 0x110000
SURROGATES = range(0xD800, 0xE000)

CLASSES = {
    LETTER: r"\p{L}",
    NUMBER: r"\p{N}",
    SPACE: r"\s",
    UPPER: r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]",
    LOWER: r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]",
}


@functools.cache
def character_classes() -> npt.NDArray[np.uint8]:
    """uint8[0x110000]: the bits of each code point's classes."""
    with np.load(FILE) as ranges:
        table = np.repeat(ranges["classes"], np.diff(ranges["firsts"], append=CODE_POINTS))
    table.flags.writeable = False
    return table


def asked_of_the_library(points: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """The bits of some code points, none of them a surrogate, as the `tokenizers` library has them; 10 µs each."""
    tokenizers = library()
    characters = [chr(point) for point in points.tolist()]
    found = np.zeros(len(points), np.uint8)
    for bit, pattern in CLASSES.items():
        without = tokenizers.pre_tokenizers.Split(tokenizers.Regex(pattern), "removed")
        left = {piece for text, _ in without.pre_tokenize_str("".join(characters)) for piece in text}
        found |= np.fromiter((character not in left for character in characters), bool, len(points)) * np.uint8(bit)
    return found


def main() -> None:
    """Writes the file anew, from the installed library; half a minute."""
    table = np.zeros(CODE_POINTS, np.uint8)
    points = np.setdiff1d(np.arange(CODE_POINTS), np.array(SURROGATES))
    table[points] = asked_of_the_library(points)
    firsts = np.flatnonzero(np.diff(table, prepend=table[0] + 1))
    np.savez_compressed(FILE, firsts=firsts.astype(np.uint32), classes=table[firsts])


if __name__ == "__main__":
    main()
