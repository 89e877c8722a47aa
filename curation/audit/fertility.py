"""How well a run's tokenizer fits its text, read back from the ledger; measured by `curation/pipeline/fertility.py`."""

from __future__ import annotations

from dataclasses import dataclass, fields

from curation.audit.story import Ledger

PART = "vocabulary"


@dataclass(frozen=True, slots=True)
class Fit:
    """Sums over a sample of the documents of a source and a language; None stands for all, language "" for none recognised.

    words   runs of characters that are no white space
    tokens  end-of-document tokens left out; `used` are the distinct ones among them, of `vocabulary`
    """

    source: str | None
    lang: str | None
    documents: int
    bytes: int
    characters: int
    words: int
    tokens: int
    used: int
    vocabulary: int

    @property
    def tokens_a_word(self) -> float | None:
        """Fertility. High for scripts that set no blanks between words, where bytes a token tell more."""
        return self.tokens / self.words if self.words else None

    @property
    def bytes_a_token(self) -> float | None:
        """How much text a token stands for."""
        return self.bytes / self.tokens if self.tokens else None

    @property
    def characters_a_token(self) -> float | None:
        """The same in code points: comparable between scripts."""
        return self.characters / self.tokens if self.tokens else None


def fits(ledger: Ledger) -> list[Fit]:
    """The whole first, then each source and language, then each pair, the larger ones first; empty for a run without tokens.

    Where there is one source, or one language, rows that would say the same again are left out.
    """
    names = ", ".join(field.name for field in fields(Fit))
    rows = [Fit(**row) for row in ledger.rows(PART, "true", [], names)]
    one_source = len({fit.source for fit in rows if fit.source is not None}) == 1
    one_language = len({fit.lang for fit in rows if fit.lang is not None}) == 1
    told = [
        fit
        for fit in rows
        if not (one_source and fit.source is not None) and not (one_language and fit.lang is not None)
    ]
    return sorted(told, key=lambda f: (-(f.source, f.lang).count(None), -f.bytes, f.source or "", f.lang or ""))
