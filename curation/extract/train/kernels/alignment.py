"""The longest common subsequence of two sequences of words that prefers runs: a word that goes on a run counts three."""

from __future__ import annotations

from curation.text.kernels.compiling import Bytes, Int32s, entry

BOTH, FIRST, SECOND = range(3)  # what a step back takes: a word of each, of the first sequence, of the second
RUN_VALUE = 3


@entry
def align(first: Int32s, second: Int32s, steps: Bytes, values: Int32s, runs: Bytes, matched: Bytes) -> None:
    """Marks the words of `first` that are matched, in `matched`, uint8.

    first, second  int32: numbers of words, at least one each
    steps          uint8[first, second], scratch: the way back
    values, runs   int32 and uint8, [2, second + 1], scratch: greatest value up to a pair, and whether it ends in a match

    Where a match is worth as much as leaving a word out, it is taken. Time is the product of both lengths.
    """
    rows, columns = len(first), len(second)
    values[0, :] = 0
    runs[0, :] = 0
    for row in range(rows):
        above, here = row & 1, (row + 1) & 1
        values[here, 0] = 0
        runs[here, 0] = 0
        word = first[row]
        for column in range(columns):
            up, left = values[above, column + 1], values[here, column]
            value = -1
            if word == second[column]:
                value = values[above, column] + (RUN_VALUE if runs[above, column] else 1)
            if value >= up and value >= left:
                values[here, column + 1] = value
                runs[here, column + 1] = 1
                steps[row, column] = BOTH
            else:
                values[here, column + 1] = max(up, left)
                runs[here, column + 1] = 0
                steps[row, column] = FIRST if up >= left else SECOND
    row, column = rows - 1, columns - 1
    while row >= 0 and column >= 0:
        step = steps[row, column]
        if step == BOTH:
            matched[row] = 1
        row -= step != SECOND
        column -= step != FIRST
