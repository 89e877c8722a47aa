"""The stage between the passes: which survivors are duplicates, and of which document that stays.

    address ─► text ─► near: keys ─► edges ─► compared ─► decided ─┐
                         ▲                                          │ undecided: again with finer bands, twice
                         └──────────────────────────────────────────┘
    ─► representatives ─► a list of duplicates for each split

Only keys go through the shuffle, and only bytes of signatures from home to home. Each part of the stage has a
receipt, so that what is complete is not done again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np

from connectors import storage
from connectors.storage import Written
from curation.dedup.candidates import MOST_DOCUMENTS, MOST_HOME_DOCUMENTS, JoinStars, PackKeys, Round, joined
from curation.dedup.comparing import AnswerWithSignatures, AskForSignatures, Near, Task
from curation.dedup.component_removals import AskAboutStaying, RemoveFromComponents, staying_path
from curation.dedup.components import label_components, smallest_by_rank
from curation.dedup.deciding import Survey, TakeUp, changed_path, decide_all, rank_ranges, undecided_folder
from curation.dedup.distinct import distinct
from curation.dedup.duplicates import EXACT, NEAR, URL
from curation.dedup.exact import Settle
from curation.dedup.homes import HOME_DOCUMENTS, Home, Neighbourhood, Part, plan_homes
from curation.dedup.keys import Signing
from curation.dedup.measuring import KeptSketches, Sketcher
from curation.dedup.representatives import Answer, AskOn, Naming, WriteDuplicates
from curation.dedup.signature_files import FINER_KEYS, KEYS, POLICY, TEXT_HASH, URL_HASH, read_column, unmap
from curation.dedup.similar_pairs import FindSimilar, similar_path
from curation.engines.engine import Engine
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt

STAGE = "dedup"
UNIT = "duplicates"  # of the receipt that ends the stage
KEYS_PER_PARTITION = 4_000_000  # of which a stripe at a time is looked at
LATER_ROUNDS = 2
MARGIN = 0.1  # of an estimated similarity around the target: within it shingles are compared
SAMPLE = 2000  # near duplicates, about, whose true similarity is measured for the report
SAMPLE_HASHES = 1 << 16  # of their sketches: all shingles of nearly every text
FEW_CHANGED = 16  # times as many documents take part in a round as came or went since: their keys alone decide it
HOMES_LOOKED_THROUGH = 64  # here at most, for a round in which few documents take part


@dataclass(frozen=True)
class Settings:
    """What the stage is to do.

    url, exact  whether equal addresses and equal texts are duplicates
    near        how documents were signed, None where near duplicates are not looked for
    target      similarity of near duplicates; None: unverified, by components
    sketcher    where the shingles of uncertain pairs come from
    """

    url: bool
    exact: bool
    near: Signing | None
    target: float | None
    sketcher: Sketcher | None = None


def settings_of(url: bool, exact: bool, near: Signing | None, target: float | None) -> Settings:
    """The settings for documents whose texts are at hand."""
    return Settings(url, exact, near, target, KeptSketches(near.shingling) if near else None)


def deduplicate(
    engine: Engine,
    run: RunFolder,
    plan: str,
    settings: Settings,
    parts: Sequence[Part],
    home_documents: int = HOME_DOCUMENTS,
) -> Receipt:
    """Finds all duplicates among the parts' documents, which are numbered in their order.

    Driver memory: a byte a document, and some bytes a split. A worker's: a home's signatures, or the keys of a partition.
    """
    return run.once(STAGE, UNIT, plan, lambda: Deduplication(engine, run, plan, settings, parts, home_documents).work())


@dataclass
class Deduplication:
    """The stage at work."""

    engine: Engine
    run: RunFolder
    plan: str
    settings: Settings
    parts: Sequence[Part]
    home_documents: int
    removing: list[tuple[str, str]] = field(default_factory=list)  # folder and reason of the rounds so far
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.homes = tuple(plan_homes(self.parts, self.home_documents))
        documents = self.homes[-1].stop if self.homes else 0
        assert documents < MOST_DOCUMENTS and all(home.documents <= MOST_HOME_DOCUMENTS for home in self.homes)
        own = next((part.first for part in self.parts if part.texts), documents)
        firsts = tuple(home.first for home in self.homes)
        self.neighbourhood = Neighbourhood((*firsts, documents) if firsts else (0,), own)
        self.taking_part = documents  # in the round at hand, at most

    def work(self) -> Receipt:
        """Does all of it and returns the stage's receipt."""
        started, outputs = time.perf_counter(), {}
        if self.homes:
            for wanted, column, reason in ((self.settings.url, URL_HASH, URL), (self.settings.exact, TEXT_HASH, EXACT)):
                if wanted:
                    self.equal(column, reason)
            if self.settings.near is not None:
                if self.settings.target is None:
                    self.by_components(self.settings.near)
                else:
                    self.by_similarity(self.settings.near, self.settings.target)
            outputs = self.name()
        unmap()
        own = self.neighbourhood.documents - self.neighbourhood.own
        timing = {"wall": time.perf_counter() - started}
        return Receipt(UNIT, self.plan, "", own, 0, {}, outputs, self.facts, timing)

    # ---- parts of the stage, each with its receipt ----

    def once(self, unit: str, work: Callable[[], tuple[dict[str, Written], dict[str, Any]]]) -> Receipt:
        """One part of the stage: files and facts, with a receipt written last."""

        def receipted() -> Receipt:
            started = time.perf_counter()
            outputs, facts = work()
            wall = {"wall": time.perf_counter() - started}
            return Receipt(unit, self.plan, "", self.neighbourhood.documents, 0, {}, outputs, facts, wall)

        return self.run.once(STAGE, unit, self.plan, receipted)

    def at_homes(self, unit: str, task: Callable[[Home], Task], light: bool = False) -> Receipt:
        """A part that is a task for each home. Every home must be heard of. `light`: it does next to nothing with a document."""

        def work() -> tuple[dict[str, Written], dict[str, Any]]:
            files: dict[str, Written] = {}
            facts: dict[str, int] = {}
            heard = 0
            for _, (written, counts) in self.map(task, light):
                files |= written
                heard += 1
                for name, count in counts.items():
                    facts[name] = facts.get(name, 0) + count
            if heard != len(self.homes):
                raise RuntimeError(f"{unit}: {heard} of {len(self.homes)} homes were heard of")
            return dict(sorted(files.items())), facts

        return self.once(unit, work)

    def map(self, task: Callable[[Home], Any], light: bool = False) -> Any:
        """A task for each home: by the engine, or here where there is little to do."""
        if self.few or (light and len(self.homes) <= self.engine.few_light):
            return enumerate(map(task, self.homes))
        return self.engine.map(task, self.homes, alike=True)

    @property
    def few(self) -> bool:
        """Whether there is too little to do to give it to an engine."""
        homes, few = len(self.homes), self.engine.few
        return homes <= few or (homes <= HOMES_LOOKED_THROUGH and self.taking_part <= few * self.home_documents)

    def shuffle(self, name: str, round: Round) -> tuple[str, ...]:
        """The keys of a round become edges. Gives the files."""

        def work() -> tuple[dict[str, Written], dict[str, Any]]:
            emit, reduce = PackKeys(round), JoinStars(round)
            if self.few:
                return joined(shuffled_here(emit, self.homes, reduce)), {}
            return joined(list(self.engine.shuffle(emit, self.homes, reduce, round.partitions))), {}

        return tuple(self.once(f"{name}-edges", work).outputs)

    # ---- the rounds ----

    def round(
        self,
        name: str,
        column: str,
        keys: int,
        whole: bool = False,
        undecided: str = "",
        components: bool = False,
        only: str = "",
    ) -> Round:
        """A round in a folder of its own, behind those that removed documents before."""
        partitions = 1 if only else 1 + self.taking_part * keys // KEYS_PER_PARTITION
        earlier = tuple(folder for folder, reason in self.removing if reason != NEAR)
        folder = f"{self.run.work}/dedup/{name}"
        return Round(
            self.run, folder, column, whole, earlier, undecided, components, partitions, self.neighbourhood, only
        )

    def equal(self, column: str, reason: str) -> None:
        """Documents with one hash: the first in rank stays."""
        round = self.round(reason, column, 1, whole=True)
        files = self.shuffle(reason, round)
        settled = self.at_homes(f"{reason}-removed", Settle(round, files, None if reason == URL else 1.0), light=True)
        self.removing.append((round.folder, reason))
        self.facts[reason] = settled.facts["removed"]

    def by_similarity(self, signing: Signing, target: float) -> None:
        """Near duplicates: only documents that were themselves found similar to one that stays."""
        sketcher = self.settings.sketcher
        assert signing.finer is not None and sketcher is not None
        starts = self.survey()
        done: tuple[str, ...] = ()  # folders of the rounds so far
        only, similar, removed = "", list[str](), 0
        for number in range(1 + LATER_ROUNDS):
            name = f"near-{number}"
            column, keys = (FINER_KEYS, signing.finer.bands) if number else (KEYS, signing.banding.bands)
            undecided = undecided_folder(done[-1]) if done else ""
            round = self.round(name, column, keys, undecided=undecided, only=only)
            near = Near(round, signing.agreement, target, MARGIN, done)
            asked = self.at_homes(f"{name}-asked", AskForSignatures(near, self.shuffle(name, round)))
            self.facts["rounds"] = number + 1
            # not beside an index: its documents that were first in a round take no part in the next, which may find more
            may_end = bool(done) and (number == LATER_ROUNDS or not self.neighbourhood.own)
            if may_end and not asked.facts["edges"]:
                break  # nothing new: all is decided as it was
            self.at_homes(f"{name}-answered", AnswerWithSignatures(near))
            compared = self.at_homes(f"{name}-compared", FindSimilar(near, sketcher, self.homes, starts))
            for fact, count in (("candidates", asked.facts["edges"]), ("measured", compared.facts["measured"])):
                self.facts[fact] = self.facts.get(fact, 0) + count
            if may_end and not compared.facts["similar"]:
                break
            similar += [similar_path(round.folder, home.number) for home in self.homes]
            decided = self.decide(name, round, similar, len(starts))
            taken_up = self.at_homes(f"{name}-removed", TakeUp(round, done, tuple(decided.outputs)), light=True)
            removed, done = decided.facts["removed"], (*done, round.folder)
            self.taking_part = taken_up.facts["undecided"]
            if not self.taking_part:
                break
            only = self.changed_keys(name, round, taken_up.facts["changed"]) if number else ""
        self.taking_part = self.neighbourhood.documents
        self.removing.append((done[-1], NEAR))
        self.facts[NEAR] = removed

    def changed_keys(self, name: str, round: Round, changed: int) -> str:
        """A file of the keys that a round of the same keys need look at, "" for all.

        A key whose documents all take part again, and no others, gives the edges that it gave before.
        """
        if changed * FEW_CHANGED > min(self.taking_part, self.home_documents):
            return ""
        path = f"{round.folder}/changed_keys"

        def work() -> tuple[dict[str, Written], dict[str, Any]]:
            uris = [self.run.uri(changed_path(round.folder, home.number)) for home in self.homes]
            keys = np.frombuffer(b"".join(map(storage.read_bytes, uris)), np.uint64)
            return {path: storage.pass_on(self.run.uri(path), distinct(keys).tobytes())}, {}

        self.once(f"{name}-changed", work)
        return path

    def survey(self) -> tuple[int, ...]:
        """Where the ranges of rank begin that the pass over similar pairs takes one by one."""

        def work() -> tuple[dict[str, Written], dict[str, Any]]:
            classes: dict[int, int] = {}
            for _, counts in self.map(Survey(), light=True):
                for number, count in counts.items():
                    classes[number] = classes.get(number, 0) + count
            return {}, {"starts": list(rank_ranges(classes, self.neighbourhood))}

        return tuple(self.once("ranks", work).facts["starts"])

    def decide(self, name: str, round: Round, similar: Sequence[str], ranges: int) -> Receipt:
        """The one pass over all similar pairs."""

        def work() -> tuple[dict[str, Written], dict[str, Any]]:
            files, removed = decide_all(self.run, similar, round.folder, ranges, self.neighbourhood)
            return files, {"removed": removed}

        return self.once(f"{name}-decided", work)

    def by_components(self, signing: Signing) -> None:
        """Near duplicates unverified: whatever shares keys, however far around, counts as one."""
        name = "near-0"
        round = self.round(name, KEYS, signing.banding.bands, components=True)
        near = Near(round, signing.agreement, 0.0, 0.0, ())
        files = self.shuffle(name, round)
        self.once(f"{name}-staying", lambda: (self.staying(round, files), {}))
        removed = self.at_homes(f"{name}-asked", AskAboutStaying(near))
        self.at_homes(f"{name}-answered", AnswerWithSignatures(near))
        self.at_homes(f"{name}-removed", RemoveFromComponents(near))
        self.removing.append((round.folder, NEAR))
        self.facts[NEAR] = removed.facts["removed"]

    def staying(self, round: Round, files: Sequence[str]) -> dict[str, Written]:
        """Which document stays for each: the first in rank of its component. Memory here: 6 bytes a document."""
        firsts = self.neighbourhood.firsts
        uris = [self.run.uri(path) for path in files]
        labels = label_components(self.engine, self.run.uri(f"{round.folder}/components"), uris, firsts)
        classes = np.concatenate([read_column(home, POLICY).to_numpy() for home in self.homes])
        staying = smallest_by_rank(labels.read(0, firsts[-1]), classes)
        written: dict[str, Written] = {}
        for home in self.homes:
            path = staying_path(round.folder, home.number)
            content = staying[home.first : home.stop].astype(np.uint64).tobytes()
            written[path] = storage.pass_on(self.run.uri(path), content)
        return written

    # ---- the end ----

    def name(self) -> dict[str, Written]:
        """Each duplicate's document that stays, by its id; a list for each split."""
        hops = sum(1 for _, reason in self.removing if reason != NEAR and self.facts[reason])
        sampled = min(1.0, SAMPLE / max(1, self.facts.get(NEAR, 0)))
        naming = Naming(
            self.run, f"{self.run.work}/dedup/names", self.neighbourhood, tuple(self.removing), hops, sampled,
            self.settings.sketcher if self.facts.get(NEAR) else None, SAMPLE_HASHES,
        )  # fmt: skip
        for hop in range(hops + 1):
            self.at_homes(f"names-{hop}-asked", AskOn(naming, hop), light=True)
            self.at_homes(f"names-{hop}-answered", Answer(naming, hop), light=True)
        listed = self.at_homes("names-written", WriteDuplicates(naming, self.homes))
        self.facts["duplicates"] = listed.facts["duplicates"]
        return listed.outputs


def shuffled_here(emit: PackKeys, homes: Sequence[Home], reduce: JoinStars) -> list[bytes]:
    """A shuffle in this process: the keys of few homes are small."""
    blobs: dict[int, list[memoryview]] = {}
    for home in homes:
        for partition, blob in emit(home):
            blobs.setdefault(partition, []).append(blob)
    return [reduce(partition, blobs[partition]) for partition in sorted(blobs)]


def parts_of(run: RunFolder, refined: Sequence[Receipt], first: int = 0) -> list[Part]:
    """A part for each split of the run, from the receipts of the first pass in the order of the plan."""
    counts = [int(receipt.facts["survivors"]) for receipt in refined]
    firsts = accumulate([first, *counts])
    return [
        Part(receipt.unit, run.uri(run.signatures(receipt.unit)), run.uri(run.survivors(receipt.unit)), number, count)
        for receipt, number, count in zip(refined, firsts, counts, strict=False)
    ]
