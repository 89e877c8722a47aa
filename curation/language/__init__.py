"""Which language a text is in.

`step`               the step `Language`: label, score and the verdict
`lid176_engine`      fastText's lid.176 (176 languages, compressed model)
`langdetect_engine`  langdetect (55 languages), for comparison with older corpora

A new engine is a new file `NAME_engine.py` with `scores(text: str) -> dict[str, float]` and `LANGUAGES`, and its name
in `step.Engine`.
"""

from __future__ import annotations

from curation.language.step import Language

__all__ = ["Language"]
