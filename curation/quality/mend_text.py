"""Mends text that was decoded in a wrong encoding (mojibake), and what comes with it, by the package `ftfy`.

Source: Speer 2019 (ftfy); datatrove 0.10.1, formatters/ftfy.py, `FTFYFormatter`, with its keys and defaults. As in
`ftfy.fix_text`, a line is mended by itself, and all fixes are repeated until nothing changes. ftfy repeats without end:
a line such as `&amp;amp;amp;…` unwraps one layer each time, in quadratic time. Here a line is left as it stands after
`MOST_ROUNDS` rounds; text that is not made to be slow is done after two or three.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Literal

import pyarrow as pa
from pydantic.dataclasses import dataclass

from connectors.errors import missing_extra
from curation.quality.normalise import normal_form
from curation.run import documents
from curation.run.documents import STRICT, TEXT

MOST_ROUNDS = 16
ENCODING = "fix_encoding"
NORMALIZATION = "normalization"
_BEFORE_ENCODING = ("unescape_html",)
_BEHIND_ENCODING = (
    "fix_c1_controls",
    "fix_latin_ligatures",
    "fix_character_width",
    "uncurl_quotes",
    "fix_line_breaks",
    "fix_surrogates",
    "remove_terminal_escapes",
    "remove_control_chars",
)
EDITS = (*_BEFORE_ENCODING, ENCODING, *_BEHIND_ENCODING, NORMALIZATION)
_ASCII_TO_MEND = re.compile("[&\x00-\x08\x0b-\x1f\x7f]")


@functools.cache
def _ftfy() -> Any:
    try:
        import ftfy
    except ImportError:
        raise missing_extra("ftfy", "text") from None
    return ftfy


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Ftfy:
    """The step. Its keys are those of `ftfy.TextFixerConfig`, with datatrove's defaults.

    unescape_html            entities become characters; `auto`: up to the first line with a `<`
    remove_terminal_escapes  cut out colour codes and their like
    fix_encoding             undo wrong decodings, with the help of `restore_byte_a0`, `replace_lossy_sequences`,
                             `decode_inconsistent_utf8` and `fix_c1_controls`
    fix_latin_ligatures      `ﬁ` becomes `fi`
    fix_character_width      full-width Latin letters and half-width Katakana get their usual width
    uncurl_quotes            quotation marks become straight
    fix_line_breaks          all line breaks become newlines
    fix_surrogates           pairs of surrogates become the character that they stand for
    remove_control_chars     cut out control characters
    normalization            a Unicode normal form for the whole text

    For each of `EDITS` that is switched on a column `edit:NAME.FIX` counts the lines that it changed. It removes no
    document. Raises `UserError` where the package `ftfy` is not installed.
    """

    name: str = "ftfy"
    unescape_html: bool | Literal["auto"] = "auto"
    remove_terminal_escapes: bool = True
    fix_encoding: bool = True
    restore_byte_a0: bool = True
    replace_lossy_sequences: bool = True
    decode_inconsistent_utf8: bool = True
    fix_c1_controls: bool = True
    fix_latin_ligatures: bool = False
    fix_character_width: bool = False
    uncurl_quotes: bool = False
    fix_line_breaks: bool = False
    fix_surrogates: bool = True
    remove_control_chars: bool = True
    normalization: Literal["NFC", "NFD", "NFKC", "NFKD"] | None = None

    def __post_init__(self) -> None:
        _ftfy()

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its text mended, and edits."""
        strings = documents.texts(batch)
        fixes = [fix for fix in EDITS if getattr(self, fix)]
        edits: dict[str, list[int]] = {fix: [] for fix in fixes}
        for row, string in enumerate(strings):
            strings[row], counts = self.mend(string)
            for fix in fixes:
                edits[fix].append(counts.get(fix, 0))
        batch = documents.with_column(batch, TEXT, pa.array(strings, batch.schema.field(TEXT).type))
        named = {f"{self.name}.{fix}": counts for fix, counts in edits.items()}
        return documents.with_verdicts(batch, self.name, [None] * len(strings), edits=named)

    def mend(self, string: str) -> tuple[str, dict[str, int]]:
        """The text mended, and how many lines each fix changed."""
        counts: dict[str, int] = {}
        if string.isascii() and not _ASCII_TO_MEND.search(string):
            return string, counts
        config = self._config
        mended: list[str] = []
        for line in _segments(string, config.max_decode_length):
            if config.unescape_html == "auto" and "<" in line:
                config = config._replace(unescape_html=False)
            if not (line.isascii() and not _ASCII_TO_MEND.search(line)):
                line, fixes = _mend(line, config)
                for fix in fixes:
                    counts[fix] = counts.get(fix, 0) + 1
            mended.append(line)
        return "".join(mended), counts

    @functools.cached_property
    def _config(self) -> Any:
        config = _ftfy().TextFixerConfig
        return config(**{key: getattr(self, key) for key in config._fields if hasattr(self, key)})


def _segments(string: str, longest: int) -> list[str]:
    """The lines with their newlines, cut where they are longer than `longest` characters."""
    lines = string.split("\n")
    ended = [line + "\n" for line in lines[:-1]] + [lines[-1]]
    return [line[at : at + longest] for line in ended for at in range(0, len(line), longest)]


def _mend(line: str, config: Any) -> tuple[str, set[str]]:
    """The line after all fixes, and those that changed it: `ftfy.fix_and_explain`, but for the bound on the rounds."""
    fixes: set[str] = set()
    for _ in range(MOST_ROUNDS):
        before = line
        line = _fixed(line, _BEFORE_ENCODING, config, fixes)
        if config.fix_encoding:
            line = _decoded(line, config, fixes)
        line = _fixed(line, _BEHIND_ENCODING, config, fixes)
        if config.normalization is not None:
            normal = normal_form(line, config.normalization)
            fixes.update([NORMALIZATION] if normal != line else [])
            line = normal
        if line == before:
            break
    return line, fixes


def _fixed(line: str, names: tuple[str, ...], config: Any, fixes: set[str]) -> str:
    for name in names:
        if getattr(config, name):
            fixed: str = _ftfy().FIXERS[name](line)
            fixes.update([name] if fixed != line else [])
            line = fixed
    return line


def _decoded(line: str, config: Any, fixes: set[str]) -> str:
    """The line with wrong decodings undone. ftfy has no public name for one round, and repeats without end itself."""
    for _ in range(MOST_ROUNDS):
        decoded: str = _ftfy()._fix_encoding_one_step_and_explain(line, config).text
        if decoded == line:
            break
        fixes.add(ENCODING)
        line = decoded
    return line
