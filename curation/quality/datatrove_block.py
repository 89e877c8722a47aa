"""The step `datatrove`: a filter, formatter or extractor of datatrove, or of the same base classes, as a step.

Source: datatrove 0.10.1, pipeline/filters/base_filter.py, formatters/base.py, extractors/base.py: what their `run` does.

What a block remembers from one document to the next would make a result depend on what the worker saw before:

- random draws (`SamplerFilter`, `C4BadWordsFilter` with `keep_fraction`) are made anew for each document, from the block's
  `seed`, the step's name and the document's id;
- the replacements of `PIIFormatter` begin with the first in every document;
- `Trafilatura` must be given `deduplicate: false`: it leaves out what it saw in pages before;
- datatrove's words keep the token `IS_ALPHA` in the first text that has it and lose it in later ones: here in all.

A block of one's own that remembers something, or whose `filter_batch` looks at a document's neighbours, breaks the law that
the same input gives the same bytes: nobody can see that from outside. Nor does the plan know the data that
`C4BadWordsFilter`, `UnigramLogProbFilter` and `LanguageFilter` load from the network; without it they end the run in one line.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash
from pydantic import model_validator
from pydantic.dataclasses import dataclass

from connectors.errors import UserError
from curation.quality import datatrove_loading
from curation.quality.datatrove_loading import first_line
from curation.run import documents
from curation.run.documents import DATE, DOC_ID, LANG, LANG_SCORE, META, STRICT, TEXT, URL, Verdict
from curation.text.spacy_loading import without_torch

FIRED, LIMIT = 1.0, 0.0  # of a verdict: a block says yes or no and gives no figure
REWRITTEN = "rewritten"
NO_MAIN_TEXT = "no_main_text"
_LONGEST_REASON = 80  # characters
_METADATA = {URL: "url", DATE: "date", LANG: "language", LANG_SCORE: "language_score"}


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Datatrove:
    """The step.

    block           a name in datatrove (`GopherQualityFilter`), or a path to it or to one's own (`package.module.Name`)
    args            the arguments of its constructor; for a function, `module:function`
    keep_metadata   what the block adds to a document's metadata and is to be kept: numbers, as the measures `NAME.KEY`

    A filter's no is the verdict `removed` with the block's reason, else its class's name; value 1 over threshold 0 stands
    for "it fired". Text that a block rewrites replaces the text of a document that goes on, and counts as `edit:NAME.rewritten`.
    An extractor takes the text for HTML; a document without main text is removed as `no_main_text`. The block sees
    `url`, `date`, `language`, `language_score` and the user's own columns as metadata. A document that it raises on is
    quarantined by the pass. Time and memory are the block's own: datatrove puts no bound on hostile text.

    Raises `UserError` for a block that there is not, arguments that it does not take, or where a package is missing.
    """

    block: str
    args: dict[str, Any] = field(default_factory=dict)
    keep_metadata: tuple[str, ...] = ()
    name: str = "datatrove"

    @model_validator(mode="after")
    def _can_be_made(self) -> Datatrove:
        try:
            arguments = self._arguments
        except TypeError:
            raise UserError("datatrove: args: only numbers, strings, lists and mappings can stand there") from None
        block = _block(self.block, arguments)
        if block.kind == "Trafilatura" and getattr(block.made, "deduplicate", False):
            raise UserError(
                "datatrove: Trafilatura remembers what it saw in other pages: write args: {deduplicate: false}, "
                "or extract: {engine: trafilatura}"
            )
        return self

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the step adds to the ledger."""
        return tuple(f"{self.name}.{key}" for key in self.keep_metadata)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that decide what the block does: local ones in arguments that name a model or a path."""
        values = [value for name, value in self.args.items() if any(part in name for part in ("model", "path", "file"))]
        return tuple(value for value in values if isinstance(value, str) and Path(value).is_file())

    @property
    def modules(self) -> tuple[str, ...]:
        """The dotted paths of the code behind the step that is not datatrove's."""
        return datatrove_loading.own_code(self.block, self._arguments)

    @property
    def _arguments(self) -> str:
        return json.dumps(self.args, sort_keys=True)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its text rewritten, verdicts, edits, and the measures that are asked for."""
        strings = documents.texts(batch)
        given = [dict(metadata) for metadata in _metadata_of(batch)]
        ids = batch.column(DOC_ID).to_pylist() if DOC_ID in batch.schema.names else [b""] * len(strings)
        block = _block(self.block, self._arguments)
        try:
            outcomes = block.outcomes(self.name, strings, ids, given)
        except OSError as error:  # of its data, not of a document
            raise UserError(f"datatrove: {block.kind} cannot load what it needs: {first_line(error)}") from None
        verdicts = [verdict for verdict, _ in outcomes]
        rewritten = [text if verdict is None else old for (verdict, text), old in zip(outcomes, strings, strict=True)]
        edits = {f"{self.name}.{REWRITTEN}": [int(new != old) for new, old in zip(rewritten, strings, strict=True)]}
        measures = {f"{self.name}.{key}": [_number(each.get(key)) for each in given] for key in self.keep_metadata}
        batch = documents.with_column(batch, TEXT, pa.array(rewritten, batch.schema.field(TEXT).type))
        return documents.with_verdicts(batch, self.name, verdicts, measures, edits)


class _Block:
    """A block that is made, and what has to be done before each document."""

    def __init__(self, made: Any, arguments: dict[str, Any]) -> None:
        self.made = made
        self.kind = type(made).__name__
        self._seed = arguments.get("seed")
        self._draws = hasattr(made, "uniform")
        self._replacers = [value for value in vars(made).values() if hasattr(value, "_replace_i")]
        self._warm = False

    def outcomes(
        self, step: str, strings: list[str], ids: list[bytes], metadata: list[dict[str, Any]]
    ) -> list[tuple[Verdict | None, str]]:
        """A verdict, or none, and the text for each document. What the block adds stands in `metadata` afterwards."""
        self._warm_up()
        if hasattr(self.made, "filter_batch"):
            return list(self._filtered(step, strings, ids, metadata))
        change = self.made.format if hasattr(self.made, "format") else self._extracted
        changed: list[tuple[Verdict | None, str]] = []
        for string, identity in zip(strings, ids, strict=True):
            self._forget(step, identity)
            text = _string(change(string))
            lost = change == self._extracted and not text.strip()
            changed.append((Verdict("removed", NO_MAIN_TEXT, FIRED, LIMIT) if lost else None, text))
        return changed

    def _filtered(
        self, step: str, strings: list[str], ids: list[bytes], metadata: list[dict[str, Any]]
    ) -> Iterator[tuple[Verdict | None, str]]:
        from datatrove.data import Document

        size = 1 if self._draws else max(self.made.batch_size, 1)
        for first in range(0, len(strings), size):
            rows = range(first, min(first + size, len(strings)))
            batch = [Document(text=strings[row], id=ids[row].hex(), metadata=metadata[row]) for row in rows]
            self._forget(step, ids[first])
            answers = self.made.filter_batch(batch)
            for document, answer in zip(batch, answers, strict=True):
                keep, reason = answer if isinstance(answer, tuple) else (answer, None)
                told = str(reason)[:_LONGEST_REASON] if reason else self.kind
                yield (None if keep else Verdict("removed", told, FIRED, LIMIT)), _string(document.text)

    def _extracted(self, html: str) -> str:
        return self.made.extract(html) or ""

    def _forget(self, step: str, identity: bytes) -> None:
        """Puts back what the block remembers of documents before."""
        for replacer in self._replacers:
            replacer._replace_i = 0
        if self._draws:
            key = xxhash.xxh3_128_intdigest(f"{self._seed}\0{step}\0".encode() + identity)
            self.made.uniform = np.random.default_rng(key).uniform

    def _warm_up(self) -> None:
        """Shows datatrove's word tokenizer the token that it treats otherwise from the second time on."""
        language = getattr(self.made, "language", None)
        if self._warm or not isinstance(language, str):
            return
        from datatrove.utils.word_tokenizers import load_word_tokenizer

        with without_torch():
            load_word_tokenizer(language).word_tokenize("IS_ALPHA")
        self._warm = True


@functools.cache
def _block(block: str, arguments: str) -> _Block:
    return _Block(datatrove_loading.made(block, arguments), json.loads(arguments))


def _metadata_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """What a block may know of each document beside its text."""
    columns = {key: batch.column(name).to_pylist() for name, key in _METADATA.items() if name in batch.schema.names}
    own = batch.column(META).to_pylist() if META in batch.schema.names else [""] * batch.num_rows
    for row, meta in enumerate(own):
        known = {key: values[row] for key, values in columns.items()}
        yield {
            **(json.loads(meta) if meta else {}),
            **{key: value for key, value in known.items() if value is not None},
        }


def _string(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError("a block gave a text that is none")
    return text


def _number(value: Any) -> float | None:
    """A number as a measure, None for what is none."""
    if isinstance(value, np.generic):
        value = value.item()
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
