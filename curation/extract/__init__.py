"""From a page's bytes to its main text.

`step`                the step `Extract`: checks, decodes, extracts, and writes the verdicts
`charset`             which encoding the bytes are in
`plain_text`          what is text already and passes as it is, by `kernels`
`work_limits`         how much work a page asks of a parser, counted before it is parsed
`fast_engine`         main text by our own fitted weights, in `main_text`: the best and the fastest
`resiliparse_engine`  main text by resiliparse
`trafilatura_engine`  main text by trafilatura, as FineWeb was made

A new engine is a new file `NAME_engine.py` with `main_text(html: str) -> str`, and its name in `step.Engine`.
"""

from __future__ import annotations

from curation.extract.step import Extract

__all__ = ["Extract"]
