"""The characters that two encoders treat alike, proven for each one when the first text brings it.

Encoders differ where their libraries know different versions of Unicode: whether a new character is a letter, and what
normalization makes of it. They differ where their regular expressions do: to PCRE2, which fastokens uses for patterns
that it has no code for, U+180E is a space.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from curation.tokenize.kernels.encoding import PROVEN, are_all

CODE_POINTS = 0x110000
UNSEEN, ALIKE, UNLIKE = 0, PROVEN, 2

States = npt.NDArray[np.uint8]  # of each code point


class ProvenCharacters:
    """What is known of every character beyond ASCII, in `states`. 1.1 MB.

    `alike` is given texts and says of each whether both encoders give it the same ids. What it says of a character does
    not depend on what came before, so that neither does the answer of `doubtful`.
    """

    def __init__(self, alike: Callable[[list[str]], list[bool]]) -> None:
        self._alike = alike
        self.states = np.zeros(CODE_POINTS, np.uint8)

    def all_alike(self, text: npt.NDArray[np.uint8]) -> bool:
        """Whether no character of a valid UTF-8 text is treated differently."""
        return are_all(text, self.states, ALIKE) or bool((self._states(_code_points(text)) == ALIKE).all())

    def doubtful(self, strings: list[str]) -> list[int]:
        """Positions of the texts that hold a character which the encoders treat differently, or a lone surrogate."""
        try:
            codes = _beyond_ascii("".join([string for string in strings if not string.isascii()]).encode())
        except UnicodeEncodeError:
            return [i for i, string in enumerate(strings) if self._is_doubtful(string)]
        if (self._states(codes) == ALIKE).all():
            return []
        return [i for i, string in enumerate(strings) if self._is_doubtful(string)]

    def _is_doubtful(self, string: str) -> bool:
        try:
            return bool((self._states(_beyond_ascii(string.encode())) != ALIKE).any())
        except UnicodeEncodeError:
            return True

    def _states(self, codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
        """What is known of each character, now that those which were unseen are tried."""
        states = self.states[codes]
        if (states == UNSEEN).any():
            unseen = np.unique(codes[states == UNSEEN])
            alike = self._alike([in_company(chr(code)) for code in unseen])
            self.states[unseen] = np.where(alike, ALIKE, UNLIKE)
            states = self.states[codes]
        return states


def _beyond_ascii(text: bytes) -> npt.NDArray[np.uint32]:
    """The code points of a UTF-8 text that are not ASCII, in order."""
    return _code_points(np.frombuffer(text, np.uint8))


def _code_points(text: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Those beyond ASCII: what is left without the bytes below 128."""
    return np.frombuffer(text[text > 127].tobytes().decode().encode("utf-32-le"), "<u4")


def in_company(character: str) -> str:
    """A text that shows what an encoder takes a character for: letter, digit, sign, space or mark, and how it composes.

    Runs of spaces, signs and digits around it are cut in other places for each of these.
    """
    c = character
    return (
        f"the{c}ing {c} {c}the   {c}   {c}{c}   x\n\n{c}\n\n  {c}  \n\t{c}\n{c}{c}\t1{c}234 12{c}3456{c} "
        f"...{c}... {c}!!! -{c}-the{c}. A{c}b a{c}B '{c}s{c}'s "
        f"e{c} {c}\u0301 a\u0323{c}\u0301 e\u0327{c}\u0308 \u1100{c}\u11a8 {c}\u1161 \u0915{c}\u093c"
    )
