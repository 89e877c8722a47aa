"""C4's cleaning: drops lines that are no prose, then documents that keep too few sentences. It rewrites the text.

Source: Raffel et al. 2020 (T5), 2.2; datatrove 0.10.1, filters/c4_filters.py, `C4QualityFilter`. As there, and unlike
in the paper, `{` or "lorem ipsum" removes a document only in a line that has passed the line rules before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
from pydantic.dataclasses import dataclass

from curation.run import documents
from curation.run.documents import STRICT, TEXT, Verdict
from curation.text.segmentation import Text, texts

_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
_LINE_END = (".", "?", "!", '"', "'")
_POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")

TOO_LONG_WORD = "too_long_word"
NO_TERMINAL_PUNCTUATION = "no_terminal_punctuation"
TOO_FEW_WORDS = "too_few_words"
JAVASCRIPT = "javascript"
POLICY = "policy"
LOREM_IPSUM = "lorem_ipsum"
CURLY_BRACKET = "curly_bracket"
CITATIONS = "citations"
EDITS = (TOO_LONG_WORD, NO_TERMINAL_PUNCTUATION, TOO_FEW_WORDS, JAVASCRIPT, POLICY, CITATIONS)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class C4:
    """The step. The defaults are C4's; the published FineWeb recipe sets `terminal_punctuation=False`.

    max_word_length       a line with a longer word (by white space, in characters) is dropped; None: no limit
    remove_citations      cut `[12]`, `[]`, `[edit]` and `[citation needed]` out of lines
    terminal_punctuation  a line must end in . ? ! " ' and not in ...
    min_words_per_line    lines with fewer words (by white space, before citations are cut) are dropped
    lorem_ipsum           "lorem ipsum" removes the document
    javascript            lines that say so are dropped
    curly_bracket         `{` removes the document
    policy                lines about terms of use and cookies are dropped
    min_sentences         a document that keeps fewer is removed

    For each reason in `EDITS` a column `edit:NAME.REASON` counts the lines dropped (for citations: the marks cut out of
    kept lines) up to where the document was decided. The text of a removed document stays as it was.
    """

    name: str = "c4"
    max_word_length: int | None = 1_000
    remove_citations: bool = True
    terminal_punctuation: bool = True
    min_words_per_line: int = 3
    lorem_ipsum: bool = True
    javascript: bool = True
    curly_bracket: bool = True
    policy: bool = True
    min_sentences: int = 5

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        strings = documents.texts(batch)
        verdicts: list[Verdict | None] = []
        edits: dict[str, list[int]] = {f"{self.name}.{reason}": [] for reason in EDITS}
        for row, text in enumerate(texts(strings)):
            verdict, cleaned, counts = self.clean(text)
            verdicts.append(verdict)
            strings[row] = cleaned
            for reason in EDITS:
                edits[f"{self.name}.{reason}"].append(counts[reason])
        batch = documents.with_column(batch, TEXT, pa.array(strings, batch.schema.field(TEXT).type))
        return documents.with_verdicts(batch, self.name, verdicts, edits=edits)

    def clean(self, text: Text) -> tuple[Verdict | None, str, Counter[str]]:
        """The verdict, the text that stays, and how often each reason of `EDITS` changed it."""
        kept: list[str] = []
        counts: Counter[str] = Counter()
        sentences = 0
        for start, original in _stripped_lines(text.string):
            line, citations = _CITATION.subn("", original) if self.remove_citations else (original, 0)
            reason = self._drops(original, line)
            if reason in (LOREM_IPSUM, CURLY_BRACKET):
                return Verdict("removed", reason, 1.0, 0.0), text.string, counts
            if reason:
                counts[reason] += 1
                continue
            counts[CITATIONS] += citations
            kept.append(line)
            if sentences < self.min_sentences:
                stop = start + len(line)
                sentences += len(Text(line).sentences) if citations else text.sentences_between(start, stop)
        if sentences < self.min_sentences:
            return Verdict("removed", "too_few_sentences", sentences, self.min_sentences), text.string, counts
        return None, "\n".join(kept).strip(), counts

    def _drops(self, original: str, line: str) -> str | None:
        """Why a line goes, None if it stays. `original` is the line with its citations."""
        words = original.split()
        if self.max_word_length is not None and any(len(word) > self.max_word_length for word in words):
            return TOO_LONG_WORD
        if self.terminal_punctuation and (not line.endswith(_LINE_END) or line.endswith("...")):
            return NO_TERMINAL_PUNCTUATION
        if len(words) < self.min_words_per_line:
            return TOO_FEW_WORDS
        lower = line.lower()
        if self.lorem_ipsum and "lorem ipsum" in lower:
            return LOREM_IPSUM
        if self.javascript and "javascript" in lower:
            return JAVASCRIPT
        if self.curly_bracket and "{" in line:
            return CURLY_BRACKET
        if self.policy and any(phrase in lower for phrase in _POLICY):
            return POLICY
        return None


def _stripped_lines(string: str) -> Iterator[tuple[int, str]]:
    """Each line without the white space around it, and where it starts in the text."""
    offset = 0
    for line in string.splitlines(keepends=True):
        yield offset + len(line) - len(line.lstrip()), line.strip()
        offset += len(line)
