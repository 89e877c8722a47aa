"""CCNet's normalisation of a text before a language model scores it: case, accents, digits, punctuation, control characters.

Source: facebookresearch/cc_net, cc_net/text_normalizer.py, `normalize`, whose tables this has (also that a full-width 1
would be a quotation mark, were it not a digit). The steps are one pass here: after lower case and decomposition each
character stands for itself, for nothing, or for what the table says.
"""

from __future__ import annotations

import functools
import sys
import unicodedata

PUNCTUATION = {
    **dict.fromkeys("，、", ","),
    **dict.fromkeys("„”“«»」「《》", '"'),
    **dict.fromkeys("´’", "'"),
    **dict.fromkeys("∶：", ":"),
    **dict.fromkeys("–━►", "-"),
    **{"。": ".", "？": "?", "！": "!", "（": "(", "）": ")", "；": ";", "—": " - ", "．": ". ", "～": "~", "…": "..."},
    **{"〈": "<", "〉": ">", "【": "[", "】": "]", "％": "%"},
}
CONTROL = [*range(32), *range(127, 160)]


@functools.cache
def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {ord(character): stands_for for character, stands_for in PUNCTUATION.items()}
    table.update(dict.fromkeys(CONTROL))
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category in ("Mn", "Nd"):
            table[code] = "0" if category == "Nd" else None
    return table


def normalised(text: str) -> str:
    """The text in lower case without accents, each digit as 0, with ASCII punctuation and without control characters.

    White space at the ends goes. Line breaks are control characters, too: of a whole document they join its lines.
    """
    return unicodedata.normalize("NFD", text.strip().lower()).translate(_table())
