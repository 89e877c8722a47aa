"""How byte-level vocabularies write bytes as characters: GPT-2's table.

A byte is itself where Latin-1 has it printable, else the next character from U+0100. Source: Radford et al. 2019; openai/gpt-2,
encoder.py, `bytes_to_unicode`.
"""

from __future__ import annotations

_PRINTABLE = [byte for byte in range(256) if chr(byte).isprintable() and chr(byte) != " "]
_REST = [byte for byte in range(256) if byte not in _PRINTABLE]

CHARACTER = {byte: chr(byte) for byte in _PRINTABLE} | {byte: chr(256 + place) for place, byte in enumerate(_REST)}
BYTE = {character: byte for byte, character in CHARACTER.items()}
ALPHABET = sorted(BYTE)  # the order in which the `tokenizers` library gives them ids


def spelled(token: bytes) -> str:
    """A token's bytes as characters."""
    return "".join(CHARACTER[byte] for byte in token)


def bytes_of(spelling: str) -> bytes:
    """The bytes that a spelling stands for; none where one of its characters stands for no byte."""
    if not all(character in BYTE for character in spelling):
        return b""
    return bytes(BYTE[character] for character in spelling)
