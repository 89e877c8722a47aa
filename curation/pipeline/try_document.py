"""One document through every step of a recipe's first pass, past the first verdict: what each step and each rule says of it.

What is redacted appears nowhere in a trial: its texts, lines and marks are those of the redacted text.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from connectors.errors import UserError
from connectors.records import Media, Record
from curation.pipeline.edited_lines import EditedLine, edited_lines, edits_of
from curation.pipeline.reading import document_batch
from curation.pipeline.step_rules import rules_of
from curation.pipeline.try_page import PageTrial, try_page
from curation.quality.rules import RuleFilter
from curation.recipes.model import Recipe
from curation.recipes.tokenize import TRAIN
from curation.redact import Redact
from curation.redact.marked import redact_marked
from curation.redact.text import Unredactable
from curation.run.documents import (
    FATE,
    LANG,
    LANG_SCORE,
    MEASURE,
    REASON,
    TEXT,
    THRESHOLD,
    VALUE,
    VERDICT_FIELDS,
    Step,
    Verdict,
    texts,
    with_verdicts,
)
from curation.run.split import Split
from curation.text.segmentation import Span, Text
from curation.tokenize.loading import load_tokenizer

HERE = Split("try", "", "", 0)
_VERDICT = [field.name for field in VERDICT_FIELDS]

Outcome = Literal["holds", "fires", "undefined"]
Marks = dict[tuple[str, str], tuple[Span, ...]]
Hide = Callable[[str, Sequence[Span]], tuple[str, list[Span]]]


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """What a rule says of the document; `places` counts the spans of its evidence."""

    measure: str
    unit: str
    value: float | None
    min: float | None
    max: float | None
    reason: str
    outcome: Outcome
    places: int = 0


@dataclass(frozen=True, slots=True)
class LineTrial:
    """A line that a step edited, dropped, or ended the document by: its number from 1, the kinds of edits, its text."""

    number: int
    kinds: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class StepTrial:
    """What a step does to the document. `findings` are the language and measures that no rule of the step looks at."""

    step: str
    verdict: Verdict | None
    rules: tuple[RuleTrial, ...]
    findings: dict[str, Any]
    edits: dict[str, int]
    lines: tuple[LineTrial, ...] = ()


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text as some steps saw it, with the spans of characters that made rules fire, by step and reason."""

    steps: tuple[str, ...]
    text: str
    marks: Marks


@dataclass(frozen=True, slots=True)
class Trial:
    """All that is said of a document. `tokens` is None where the recipe has no tokenizer yet.

    texts   a text for each that a rule fired on, and the one that the last step left
    page    the page block by block, where the engine `fast` extracts
    """

    recipe: str
    url: str
    steps: tuple[StepTrial, ...]
    texts: tuple[MarkedText, ...]
    tokens: int | None
    page: PageTrial | None = None

    @property
    def deciding(self) -> StepTrial | None:
        """The first step with a verdict, None if the document is kept."""
        return next((step for step in self.steps if step.verdict), None)


@dataclass(frozen=True, slots=True)
class _Done:
    """A step that was done: the document before and behind it, its trial, the lines edited, the marks of its rules."""

    before: pa.RecordBatch
    after: pa.RecordBatch
    trial: StepTrial
    lines: list[EditedLine]
    marks: Marks


def try_document(recipe: Recipe, *, url: str = "", media: Media = "", content: bytes | None = None) -> Trial:
    """Takes a document through the steps of a recipe. `media` and `content` as in `Record`; without content only the address
    is looked at. Raises `UserError` for a recipe that has nothing to look at, or whose tokenizer is not there."""
    if content is None and recipe.url is None:
        raise UserError(f"The recipe {recipe.recipe} does not look at addresses: give a text, too")
    if content is not None and len(content) > recipe.read.record_bytes:
        raise UserError(f"The document is larger than read.record_bytes, {recipe.read.record_bytes:,} bytes")
    named = recipe.tokenize is not None and recipe.tokenize.tokenizer != TRAIN
    tokenizer = load_tokenizer(recipe.tokenize.tokenizer) if recipe.tokenize and named else None
    record = Record(0, url=url, media=media, content=content or b"")
    batch = document_batch(HERE, 0, [record], set(), "email" in recipe.redact).drop_columns(_VERDICT)
    shown_url = str(batch.column("url")[0].as_py())
    steps: list[Step] = recipe.refine_steps if content is not None else [step for step in [recipe.url] if step]
    done: list[_Done] = []
    for step in steps:
        done.append(_do(step, batch))
        batch = done[-1].after.drop_columns([name for name in _VERDICT if name in done[-1].after.schema.names])
    last = texts(batch)[0] if content is not None else ""
    tokens = int(tokenizer.encode_batch([last])[1][0]) + 1 if tokenizer and content is not None else None
    hide = _hiding(recipe)
    shown = _texts(done, hide) if content is not None else ()
    if content is not None and (not shown or shown[-1].text != last):
        shown = (*shown, MarkedText((), last, {}))
    page = try_page(recipe.extract, recipe.redact, content, url) if content is not None and media == "html" else None
    return Trial(recipe.recipe, shown_url, tuple(_with_lines(each, hide) for each in done), shown, tokens, page)


def _do(step: Step, batch: pa.RecordBatch) -> _Done:
    """A step on the one document."""
    after = _result(step, batch)
    verdict = _verdict(after)
    edits = edits_of(step, after, 0)
    lines = edited_lines(step, batch, after) if edits and not isinstance(step, Redact) else []
    rules, marks = _rules(step, after, Text(texts(batch)[0])) if rules_of(step) else ((), {})
    return _Done(batch, after, StepTrial(step.name, verdict, rules, _findings(step, batch, after), edits), lines, marks)


def _rules(step: Step, after: pa.RecordBatch, text: Text) -> tuple[tuple[RuleTrial, ...], Marks]:
    """What each rule says, and where the text has what made it fire.

    Evidence cuts words as English ones are cut, so that there is none for a step that cuts them in a way of its own.
    """
    trials: list[RuleTrial] = []
    marks: Marks = {}
    for rule in rules_of(step):
        measure = rule.measure
        value = _number(after, MEASURE + measure.name)
        outcome: Outcome = "undefined" if value is None else "fires" if rule.breaks(np.array([value]))[0] else "holds"
        evidence = measure.evidence if outcome == "fires" and isinstance(step, RuleFilter) else None
        spans = tuple(evidence(text)) if evidence else ()
        if spans:
            marks[step.name, rule.reason] = (*marks.get((step.name, rule.reason), ()), *spans)
        bounds = (rule.min, rule.max)
        trials.append(RuleTrial(measure.name, measure.unit, value, *bounds, rule.reason, outcome, len(spans)))
    return tuple(trials), marks


def _findings(step: Step, before: pa.RecordBatch, after: pa.RecordBatch) -> dict[str, Any]:
    """The language and the measures that a step without rules has found out."""
    own = {MEASURE + name for name in getattr(step, "measures", ())} if not rules_of(step) else set()
    added = {name for name in (LANG, LANG_SCORE) if name not in before.schema.names}
    return {
        name.removeprefix(MEASURE): after.column(name)[0].as_py() for name in after.schema.names if name in own | added
    }


def _result(step: Step, batch: pa.RecordBatch) -> pa.RecordBatch:
    """What the step gives; a document that it fails on is quarantined as in a run."""
    try:
        after = step(batch)
    except (OSError, MemoryError, UserError):
        raise
    except Exception:
        return with_verdicts(batch, step.name, [Verdict("quarantined", "step_error")])
    if after.num_rows != 1:
        raise UserError(f"The step '{step.name}' dropped or added documents: it must write verdicts instead")
    return after


def _verdict(batch: pa.RecordBatch) -> Verdict | None:
    if FATE not in batch.schema.names or batch.column(FATE)[0].as_py() is None:
        return None
    fate, reason = batch.column(FATE)[0].as_py(), batch.column(REASON)[0].as_py()
    return Verdict(fate, reason, _number(batch, VALUE), _number(batch, THRESHOLD))


def _number(batch: pa.RecordBatch, column: str) -> float | None:
    value: float | None = batch.column(column)[0].as_py() if column in batch.schema.names else None
    return value


def _hiding(recipe: Recipe) -> Hide:
    """How a text and its spans are shown: as the recipe's own step redacts it. Without spans where they cannot be told."""
    if not recipe.redact:
        return lambda text, spans: (text, list(spans))
    step, kinds = Redact(kinds=list(recipe.redact)), list(recipe.redact)

    @functools.cache
    def redacted(text: str) -> str:
        return texts(step(pa.RecordBatch.from_pydict({TEXT: [text]})))[0]

    def hide(text: str, spans: Sequence[Span]) -> tuple[str, list[Span]]:
        try:
            same, moved = redact_marked(text, kinds, spans)
        except Unredactable:
            return redacted(text), []
        return redacted(text), moved if same == redacted(text) else []

    return hide


def _with_lines(done: _Done, hide: Hide) -> StepTrial:
    """The step's trial with the lines that it edited, redacted."""
    if not done.lines:
        return done.trial
    text, spans = hide(texts(done.before)[0], [(line.start, line.stop) for line in done.lines])
    shown = zip(done.lines, spans) if spans else ()
    lines = tuple(LineTrial(line.number, line.kinds, text[start:stop]) for line, (start, stop) in shown)
    return replace(done.trial, lines=lines)


def _texts(done: Sequence[_Done], hide: Hide) -> tuple[MarkedText, ...]:
    """A marked text for each that a rule with evidence fired on, in order."""
    stages: dict[str, list[_Done]] = {}
    for each in done:
        if each.marks:
            stages.setdefault(texts(each.before)[0], []).append(each)
    shown: list[MarkedText] = []
    for text, here in stages.items():
        named = {name: spans for each in here for name, spans in each.marks.items()}
        redacted, moved = hide(text, [span for spans in named.values() for span in spans])
        places = iter(moved)
        marks = {name: tuple(next(places) for _ in spans) for name, spans in named.items()} if moved else {}
        shown.append(MarkedText(tuple(each.trial.step for each in here), redacted, marks))
    return tuple(shown)
