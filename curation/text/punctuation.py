"""The character sets that text is normalised, cut and measured by: data, each with its source.

They are written as code points in hexadecimal, ranges with both ends included, because many of them do not print or
look alike.
"""

from __future__ import annotations


def _characters(code_points: str) -> frozenset[str]:
    """The characters of a list such as `0021 0030-0039`."""
    characters: set[str] = set()
    for item in code_points.split():
        first, _, last = item.partition("-")
        characters.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(characters)


PUNCTUATION = _characters(
    """
    0000-0008 000B-001F 0021-002F 003A-0040 005B-0060 007B-009F 00AB 00B4 00BB 2013-2014 2019 201C-201E 2026
    2236 2501 25BA 3001-3002 3008-300D 3010-3011 FF01 FF05 FF08-FF09 FF0C FF0E FF11 FF1A-FF1B FF1F FF5E
    """
)
"""What normalisation turns into blanks: common marks and the control characters except tab and newline.

It has the closing single quotation mark but not the opening one, and no bullet.

Source: datatrove 0.10.1, utils/text.py, `PUNCTUATION`.
"""

TERMINAL_PUNCTUATION = _characters(
    """
    0021 002E 003F 0589 061D-061F 06D4 0700-0702 07F9 0837 0839 083D-083E 0964-0965 104A-104B 1362 1367-1368
    166E 1735-1736 17D4-17D6 17D9-17DA 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C
    1C7E-1C7F 203C-203D 2047-2049 2E2E 2E3C 2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F
    A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB FE52 FE56-FE57 FF01 FF0E FF1F FF61 10A56-10A57 10F55-10F59 10F86-10F89
    11047-11048 110BE-110C1 11141-11143 111C5-111C6 111CD 111DE-111DF 11238-11239 1123B-1123C 112A9
    1144B-1144C 115C2-115C3 115C9-115D7 11641-11642 1173C-1173E 11944 11946 11A42-11A43 11A9B-11A9C
    11C41-11C42 11EF7-11EF8 11F43-11F44 16A6E-16A6F 16AF5 16B37-16B38 16B44 16E98 1BC9F 1DA88
    """
)
"""What ends a line, in all scripts; no quotation mark, `…`, `:` or `;`.

Source: datatrove 0.10.1, utils/text.py, `TERMINAL_PUNCTUATION`.
"""

SYMBOLS = PUNCTUATION | TERMINAL_PUNCTUATION
"""A word that has only these counts as a symbol, not as a word.

Source: datatrove 0.10.1, utils/text.py, `PUNCTUATION_SET`.
"""

SENTENCE_END = _characters(
    """
    0021 002E 003F 0589 061F 06D4 0700-0702 07F9 0964-0965 104A-104B 1362 1367-1368 166E 1735-1736 1803 1809
    1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1C3B-1C3C 1C7E-1C7F 203C-203D 2047-2049 2E2E 2E3C 3002 A4FF
    A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB FE52 FE56-FE57 FF01 FF0E
    FF1F FF61 10A56-10A57 11047-11048 110BE-110C1 11141-11143 111C5-111C6 111CD 111DE-111DF 11238-11239
    1123B-1123C 112A9 1144B-1144C 115C2-115C3 115C9-115D7 11641-11642 1173C-1173E 11A42-11A43 11A9B-11A9C
    11C41-11C42 16A6E-16A6F 16AF5 16B37-16B38 16B44 1BC9F 1DA88
    """
)
"""The tokens that end a sentence.

Source: spaCy 3.8.18, pipeline/sentencizer.pyx, `default_punct_chars`.
"""
