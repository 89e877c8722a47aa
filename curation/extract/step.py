"""The step `Extract`: bytes in, main text out, and for each page that has none the reason."""

from __future__ import annotations

import functools
import importlib
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, missing_extra, nearest
from curation.extract import charset, work_limits
from curation.extract.own_columns import with_page
from curation.extract.plain_text import pass_through
from curation.run.documents import CHARSET, CONTENT, MEDIA, STRICT, TEXT, URL, Verdict, with_column, with_verdicts

Engine = Literal["fast", "resiliparse", "trafilatura"]
BETAS: dict[str, float | None] = {"precision": 0.2, "balance": None, "recall": 3.0}  # None: that of the weights
MOST_BETA = 10.0
OF_FAST = ("format", "links", "comments", "favour", "min_quality", "metadata")
QUALITY = "extraction_quality"  # the measure that `fast` takes of its own texts
PACKAGES: dict[Engine, str] = {"resiliparse": "resiliparse", "trafilatura": "trafilatura and lxml_html_clean"}


class Outcome(NamedTuple):
    """What became of a page.

    quality   0 to 1, of a text whose engine says what it expects of itself
    page      what the page says of itself, where the recipe wants to know
    """

    text: str
    verdict: Verdict | None = None
    quality: float | None = None
    page: dict[str, Any] | None = None


@functools.cache
def _engine(engine: Engine) -> ModuleType:
    """An engine's file. Its `main_text` is a function of a page's UTF-8 for `fast`, of a string for the others."""
    try:
        return importlib.import_module(f"curation.extract.{engine}_engine")
    except ImportError:
        if engine not in PACKAGES:
            raise
        raise missing_extra(PACKAGES[engine], "extract") from None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Extract:
    """Turns `media`, `charset`, `content` into `text` and drops them.

    format, links, comments   `fast` only: how it gives its text, and whether with what readers wrote (see
                  `main_text.extractor.Output`)
    favour        `fast` only: what its choice of blocks leans to, precision, balance or recall; or the number beta itself
                  (see `choosing.choose`)
    min_quality   `fast` only: texts below are removed as `doubtful_extraction`. `fast` expects of each text a word F1 against
                  what a person would take for the main text, from 0 to 1, calibrated on pages of domains that the weights had
                  not seen; it is the measure `extraction_quality`. Text media have none.
    metadata      `fast` only: what the page says of itself goes into `meta`, as the object `page`: title, author, date, language,
                  site, type, type_probability, those that are known. What `meta` has of its own stays, `page` included

    Pages over a limit go to quarantine unparsed, so that time and memory are bounded by counts, never by a clock:

    max_page_bytes   size of the page as it was sent, bytes                     → `page_too_large`
    max_tags         start and end tags                                         → `page_too_many_tags`
    max_nesting      elements open at once                                      → `page_too_deep`
    max_placements   elements open at each tag, summed (see `work_limits`)      → `page_too_tangled`
    max_attributes   attributes of one tag                                      → `page_too_many_attributes`
    max_options      `<option>` elements (parsers are quadratic in them)        → `page_too_many_options`

    All but the first are for engines that build a tree of a page. `fast` does not: it is linear in the bytes, whatever
    they are, in memory that is bounded, so it takes a page of any shape.

    Other verdicts: quarantined `bad_charset` (value: share of undecodable characters, where known), quarantined
    `extractor_error` (the engine raised), removed `no_main_text`. Text media must be UTF-8 and pass through
    unchanged, save for NUL, which no reader of Arrow strings expects. A row without content keeps an empty text and
    its verdict.
    """

    engine: Engine = "fast"
    format: Literal["text", "markdown"] = "text"
    links: bool = False
    comments: Literal["keep", "drop"] = "keep"
    favour: str | float = "balance"
    min_quality: Annotated[float, Field(gt=0, le=1)] | None = None
    metadata: bool = False
    max_page_bytes: Annotated[int, Field(gt=0)] = 8 << 20
    max_tags: Annotated[int, Field(gt=0)] = 400_000
    max_nesting: Annotated[int, Field(gt=0, lt=work_limits.OPEN_CAP)] = 512
    max_placements: Annotated[int, Field(gt=0)] = 2_000_000
    max_attributes: Annotated[int, Field(gt=0)] = 1_000
    max_options: Annotated[int, Field(gt=0)] = 10_000

    name: ClassVar[str] = "extract"

    def __post_init__(self) -> None:
        asked = [option for option in OF_FAST if getattr(self, option) != getattr(type(self), option)]
        if self.engine != "fast" and asked:
            raise UserError(
                f"extract.{asked[0]}: '{self.engine}' has no such thing; take the engine 'fast', or leave this out"
            )
        if isinstance(self.favour, str) and self.favour not in BETAS:
            raise UserError(f"extract.favour: there is no '{self.favour[:40]}'.{nearest(self.favour, BETAS)}")
        if not isinstance(self.favour, str) and not 0 < self.favour <= MOST_BETA:
            raise UserError(f"extract.favour: as a number it is above 0 and at most {MOST_BETA:g}, not {self.favour:g}")
        if self.links and self.format == "text":
            raise UserError("extract.links: addresses are for Markdown; add 'format: markdown', or leave this out")

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the step adds to the ledger."""
        return (QUALITY,) if self.engine == "fast" else ()

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with `text` in place of the three columns read, and a verdict for each row without text."""
        media, charsets, contents = (batch.column(column) for column in (MEDIA, CHARSET, CONTENT))
        urls = batch.column(URL) if self.metadata else pa.nulls(batch.num_rows, pa.string())
        pages: list[dict[str, Any] | None] = [None] * batch.num_rows
        passing = pass_through(media, contents, self.max_page_bytes)
        verdicts: list[Verdict | None] = [None] * batch.num_rows
        qualities: list[float | None] = [None] * batch.num_rows
        if passing.all():
            texts = contents.view(pa.string())  # checked just now
        else:
            _engine(self.engine)  # a package that is missing is a mistake of the user's, not a page's fate
            others = pa.array(~passing)
            rows = zip(
                *(column.filter(others).to_pylist() for column in (media, charsets, contents, urls)), strict=True
            )
            outcomes = [self._outcome(*row) for row in rows]
            for row, outcome in zip(np.flatnonzero(~passing).tolist(), outcomes, strict=True):
                verdicts[row], qualities[row], pages[row] = outcome.verdict, outcome.quality, outcome.page
            unchanged = pc.if_else(others, b"", contents).view(pa.string())
            texts = pc.replace_with_mask(
                unchanged, others, pa.array([outcome.text for outcome in outcomes], pa.string())
            )
        kept = batch.select([name for name in batch.schema.names if name not in (MEDIA, CHARSET, CONTENT)])
        measures = dict.fromkeys(self.measures, qualities)
        if self.metadata:
            kept = with_page(kept, pages)
        return with_verdicts(with_column(kept, TEXT, texts), self.name, verdicts, measures)

    def _outcome(self, media: str, http_charset: str, content: bytes | None, url: str | None) -> Outcome:
        content = content or b""
        if len(content) > self.max_page_bytes:
            return Outcome("", Verdict("quarantined", "page_too_large", len(content), self.max_page_bytes))
        return self._page(content, http_charset, url or "") if media == "html" else _plain(content)

    def _page(self, content: bytes, http_charset: str, url: str) -> Outcome:
        html = self._html(content, http_charset)
        if html is None:
            return Outcome("", Verdict("quarantined", "bad_charset", threshold=charset.MAX_REPLACED))
        refused = self._over_limit(work_limits.measure(html.encode())) if isinstance(html, str) else None
        if refused:
            return Outcome("", refused)
        try:
            found = self._extracted(html, url)
        except MemoryError:  # says something of the machine, nothing of the page
            raise
        except Exception:  # whatever a hostile page provokes in an engine is the page's fate, not the job's
            return Outcome("", Verdict("quarantined", "extractor_error"))
        outcome = _with_text(charset.clean(found.text))
        return self._judged(outcome._replace(page=found.page), found.quality)

    def _extracted(self, html: str | bytes, url: str) -> Outcome:
        """The engine's text, what it expects of it, and what the page says of itself."""
        engine = _engine(self.engine)
        if self.engine != "fast":
            return Outcome(engine.main_text(html))
        found = engine.extract(html, self.output, url)
        return Outcome(found.text, quality=found.expected_f1, page=found.page and found.page.known())

    @functools.cached_property
    def output(self) -> Any:
        """What is asked of `fast`, as its `Output`."""
        beta = BETAS[self.favour] if isinstance(self.favour, str) else self.favour
        return _engine("fast").Output(self.format, self.links, self.comments, beta, self.metadata)

    def _judged(self, outcome: Outcome, quality: float | None) -> Outcome:
        """A page with text, its quality, and the verdict on it."""
        if outcome.verdict or quality is None:
            return outcome
        is_low = self.min_quality is not None and quality < self.min_quality
        verdict = Verdict("removed", "doubtful_extraction", quality, self.min_quality) if is_low else None
        return outcome._replace(verdict=verdict, quality=quality)

    def _html(self, content: bytes, http_charset: str) -> str | bytes | None:
        """The page as the engine takes it, or None where no encoding makes sense of it."""
        if self.engine == "fast":
            return charset.to_utf8(content, http_charset)
        decoded = charset.decode(content, http_charset)
        return None if decoded is None else decoded.text

    def _over_limit(self, work: work_limits.Work) -> Verdict | None:
        for count, limit, reason in (
            (work.tags, self.max_tags, "page_too_many_tags"),
            (work.depth, self.max_nesting, "page_too_deep"),
            (work.placements, self.max_placements, "page_too_tangled"),
            (work.attributes, self.max_attributes, "page_too_many_attributes"),
            (work.options, self.max_options, "page_too_many_options"),
        ):
            if count > limit:
                return Verdict("quarantined", reason, count, limit)
        return None


def _plain(content: bytes) -> Outcome:
    try:
        return _with_text(charset.clean(content.decode("utf-8")))
    except UnicodeDecodeError:
        return Outcome("", Verdict("quarantined", "bad_charset"))


def _with_text(text: str) -> Outcome:
    return Outcome(text) if text.strip() else Outcome("", Verdict("removed", "no_main_text"))
