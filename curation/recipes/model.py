"""What a recipe may say. Its resolved form, with every default written out, is stored in the run; its digest names the plan."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from functools import cached_property
from typing import Any

from pydantic import Field, PositiveInt, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError

from connectors.errors import UserError, nearest
from connectors.records import Limits
from curation.decontaminate import Decontaminate
from curation.dedup.index import NAME as INDEX_NAME
from curation.dedup.index import read_index
from curation.dedup.keys import Keys, Signing
from curation.dedup.policy import Policy
from curation.erased import Erased
from curation.extract import Extract
from curation.language import Language
from curation.quality.rules import Rule, RuleFilter
from curation.quality.url import UrlFilter
from curation.recipes.dedup import Best, Dedup
from curation.recipes.lookup import find_step, module_file, shipped_steps
from curation.recipes.repeated import Repeated
from curation.recipes.shards import Groups
from curation.recipes.strict import Strict
from curation.recipes.tokenize import Tokenize
from curation.redact import Redact
from curation.redact.gates import Kind
from curation.run.documents import Step


class Read(Strict):
    """Bounds on reading."""

    record_bytes: PositiveInt = Limits().record_bytes  # larger records go to quarantine


STEP_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
TAKEN_NAMES = (
    *("read", "url", "extract", "language", "decontaminate", "keys", "write"),
    *("dedup", "repeated", "redact", "erased", "erase", "tokenize"),
)


class Recipe(Strict):
    """The steps of a run, in the order in which they are done."""

    recipe: str
    source: str = ""  # the paper or code that it follows
    read: Read = Read()
    url: UrlFilter | None = None
    extract: Extract = Field(default_factory=Extract)
    language: Language | None = None
    filters: list[dict[str, Any]] = []
    decontaminate: Decontaminate | None = None
    dedup: Dedup | None = Dedup()
    repeated: Repeated | None = None
    redact: list[Kind] = []
    erased: list[str] = []  # runs from which something was erased: what their tombstones name stays out
    tokenize: Tokenize | None = Tokenize()
    documents: bool = True  # whether the run keeps a copy of the curated text

    @cached_property
    def filter_steps(self) -> list[Step]:
        """The filters, built. Raises `UserError` for an unknown measure or step, or a name that is taken."""
        steps = [build_filter(entry) for entry in self.filters]
        names = [step.name for step in steps]
        for name in names:
            if not STEP_NAME.fullmatch(name):
                raise UserError(f"filters: '{name[:40]}' is no name for a filter: use letters, digits, '_' and '-'")
            if names.count(name) > 1 or name in TAKEN_NAMES:
                raise UserError(f"filters: the name '{name}' is taken: give each filter one of its own")
        return steps

    @property
    def refine_steps(self) -> list[Step]:
        """The steps of the first pass behind reading, in order.

        Evaluation items are looked for in what the filters leave, before the keys: what is cut is cut of all alike documents.
        Personal data go at its end, behind the keys: duplicates are found on the text as it was, and no text that is
        written anywhere holds what was redacted. What was erased from earlier runs is looked for in the text as it will be kept.
        """
        redact = Redact(kinds=list(self.redact)) if self.redact else None
        erased = Erased(runs=tuple(self.erased)) if self.erased else None
        steps: list[Step | None] = [self.url, self.extract, self.language, *self.filter_steps, self.decontaminate]
        steps += [self.keys, redact, erased]
        return [step for step in steps if step is not None]

    @property
    def keys(self) -> Keys:
        """The step that adds what deduplication compares. Raises `UserError` for a measure that no step computes."""
        dedup = self.dedup
        if dedup is None:
            return Keys(url=False, exact=False, near=None)
        keep = dedup.keep
        measure = keep.best if isinstance(keep, Best) else ""
        if measure:
            self._require_measure("dedup.keep", measure)
        near = None
        if (minhash := dedup.minhash) is not None:
            near = Signing(minhash.shingles, minhash.values, minhash.banding, minhash.finer)
        policy = Policy(keep if isinstance(keep, str) else "", measure, tuple(dedup.sources))
        hashed = dedup.index  # an index is good for whatever a later run asks
        sketched = hashed or (minhash is not None and minhash.verify)
        return Keys(dedup.url or hashed, dedup.exact or hashed, near, policy, sketched)

    def require_groups(self) -> None:
        """Raises `UserError` where shards are to be grouped by what no step of the recipe finds out."""
        groups = self.tokenize.groups if self.tokenize else Groups()
        if groups.language and self.language is None:
            raise UserError("tokenize.groups.language: the recipe has no language step: add one, or leave this out")
        if groups.quality is not None:
            self._require_measure("tokenize.groups.quality", groups.quality.measure)

    def _require_measure(self, where: str, measure: str) -> None:
        known = [name for step in (self.extract, *self.filter_steps) for name in getattr(step, "measures", ())]
        if measure not in known:
            told = " ".join(measure[:60].split())
            near_it = nearest(measure, known) if known else " Add a filter that does"
            raise UserError(f"{where}: no step of the recipe computes '{told}'.{near_it}")

    @property
    def judging_steps(self) -> list[Step]:
        """The steps that judge a text as it is: what a table can be held against."""
        steps: list[Step | None] = [self.url, self.language, *self.filter_steps, self.decontaminate]
        return [step for step in steps if step is not None]

    @property
    def files(self) -> list[str]:
        """Files that decide what the recipe does: block lists, models."""
        indexes = [f"{read_index(path).folder}/{INDEX_NAME}" for path in self.dedup.against] if self.dedup else []
        return sorted({*indexes, *(str(path) for step in self.refine_steps for path in getattr(step, "files", ()))})

    @property
    def modules(self) -> dict[str, str]:
        """The source files of measures and steps of the user's own, by dotted path."""
        rules = [rule for entry in self.filters for body in entry.values() if isinstance(body, list) for rule in body]
        names = [*(str(rule["measure"]) for rule in rules), *(next(iter(entry)) for entry in self.filters)]
        names += [path for step in self.filter_steps for path in getattr(step, "modules", ())]
        return {name: module_file(name) for name in sorted(set(names)) if ":" in name}

    def resolved(self) -> dict[str, Any]:
        """The recipe with all defaults written out, as plain data."""
        plain = self.model_dump(mode="json")
        plain["filters"] = [resolved_filter(entry) for entry in self.filters]
        return plain

    def digest(self) -> str:
        """SHA-256 of the resolved form."""
        return hashlib.sha256(json.dumps(self.resolved(), sort_keys=True).encode()).hexdigest()


def build_filter(entry: Mapping[str, Any]) -> Step:
    """A filter from its YAML: `name: [rules]`, or `step: {parameters}`."""
    name, body = only_pair(entry)
    if isinstance(body, list):
        if not body or name in shipped_steps():
            raise UserError(f"filters: {name}: " + ("a list without rules" if not body else "the step takes no rules"))
        return RuleFilter(name=name, rules=tuple(build_rule(name, rule) for rule in body))
    try:
        step: Step = TypeAdapter(find_step(name)).validate_python(body or {})
    except PydanticSchemaGenerationError:
        raise UserError(f"filters: {name}: write the step as a pydantic dataclass, as the shipped ones are") from None
    return step


def build_rule(filter_name: str, fields: Any) -> Rule:
    """A rule from its YAML: `{measure: words, min: 50, reason: gopher_short_doc}`."""
    if not isinstance(fields, Mapping) or "measure" not in fields:
        raise UserError(f"filters.{filter_name}: a rule is {{measure: …, min: … or max: …, reason: …}}, not {fields!r}")
    return TypeAdapter(Rule).validate_python(fields)


def only_pair(entry: Mapping[str, Any]) -> tuple[str, Any]:
    """The one key and value of a filter's entry."""
    if len(entry) != 1:
        raise UserError(
            f"filters: each entry is one `name: …`, not {', '.join(map(str, entry))}: put a dash before each"
        )
    return next(iter(entry.items()))


def resolved_filter(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A filter's entry with its defaults written out."""
    name, body = only_pair(entry)
    if isinstance(body, list):
        return {name: body}
    step: Any = build_filter(entry)
    settled = is_dataclass(step) and not isinstance(step, type)
    return {name: json.loads(json.dumps(asdict(step))) if settled else body}
