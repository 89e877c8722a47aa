"""Drops lines that consist of symbols: rules, rows of stars, bullets without text.

Source: datatrove 0.10.1, formatters/symbol_lines_remover.py, `SymbolLinesFormatter`, which FineWeb-2 runs. As there, all
line ends become newlines and the last one goes, whether or not a line was dropped.
"""

from __future__ import annotations

import functools

import pyarrow as pa
from pydantic.dataclasses import dataclass

from curation.run import documents
from curation.run.documents import STRICT, TEXT

# Source: datatrove 0.10.1, utils/text.py, `PUNCTUATION_SET`: common marks, what ends a line in all scripts, and the
# control characters except tab and newline. Code points, both ends of a range included.
_SYMBOLS = """
    0-8 B-1F 21-2F 3A-40 5B-60 7B-9F AB B4 BB 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362
    1367-1368 166E 1735-1736 17D4-17D6 17D9-17DA 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E
    1C3B-1C3C 1C7E-1C7F 2013-2014 2019 201C-201E 2026 203C-203D 2047-2049 2236 2501 25BA 2E2E 2E3C 2E53-2E54
    3001-3002 3008-300D 3010-3011 A4FF A60E-A60F A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1
    ABEB FE52 FE56-FE57 FF01 FF05 FF08-FF09 FF0C FF0E FF11 FF1A-FF1B FF1F FF5E FF61 10A56-10A57 10F55-10F59
    10F86-10F89 11047-11048 110BE-110C1 11141-11143 111C5-111C6 111CD 111DE-111DF 11238-11239 1123B-1123C 112A9
    1144B-1144C 115C2-115C3 115C9-115D7 11641-11642 1173C-1173E 11944 11946 11A42-11A43 11A9B-11A9C 11C41-11C42
    11EF7-11EF8 11F43-11F44 16A6E-16A6F 16AF5 16B37-16B38 16B44 16E98 1BC9F 1DA88
"""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SymbolLines:
    """The step. A line of nothing but symbols and spaces is dropped; one without a symbol, such as an empty one, stays.

    symbols      the characters that count as symbols; None: those of datatrove
    replacement  stands for each run of dropped lines; "" for nothing

    The column `edit:NAME.lines` counts the lines dropped. It removes no document.
    """

    name: str = "symbol_lines"
    symbols: str | None = None
    replacement: str = ""

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its text rewritten, and edits."""
        strings = documents.texts(batch)
        dropped: list[int] = []
        for row, string in enumerate(strings):
            strings[row], lines = self.without(string)
            dropped.append(lines)
        batch = documents.with_column(batch, TEXT, pa.array(strings, batch.schema.field(TEXT).type))
        return documents.with_verdicts(batch, self.name, [None] * len(strings), edits={f"{self.name}.lines": dropped})

    def without(self, string: str) -> tuple[str, int]:
        """The text without its lines of symbols, and how many those were."""
        symbols = (default_symbols() if self.symbols is None else self.symbols) + " "
        kept: list[str] = []
        dropped = 0
        in_run = False
        for line in string.splitlines():
            if line.strip(symbols) or not line.strip():
                kept.append(line)
                in_run = False
                continue
            if self.replacement and not in_run:
                kept.append(self.replacement)
            in_run = True
            dropped += 1
        return "\n".join(kept), dropped


@functools.cache
def default_symbols() -> str:
    """The characters of `_SYMBOLS`."""
    ranges = (item.partition("-") for item in _SYMBOLS.split())
    return "".join(chr(c) for first, _, last in ranges for c in range(int(first, 16), int(last or first, 16) + 1))
