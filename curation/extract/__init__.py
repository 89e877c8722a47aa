"""From a page's bytes to its main text.

`step`                the step `Extract`: checks, decodes, extracts, and writes the verdicts
`charset`             which encoding the bytes are in
`work_limits`         how much work a page asks of a parser, counted before it is parsed
`resiliparse_engine`  main text by resiliparse, the fast one
`trafilatura_engine`  main text by trafilatura, the careful one

A new engine is a new file `NAME_engine.py` with `main_text(html: str) -> str`, and its name in `step.Engine`.
"""

from __future__ import annotations

from curation.extract.step import Extract

__all__ = ["Extract"]
