"""Removes documents by their address: block lists of domains and URLs, banned words, banned parts of words.

Source: datatrove 0.10.1, filters/url_filter.py, `URLFilter` (after RefinedWeb, Penedo et al. 2023, G.1); the folder of
block lists is read as in `blacklists`. Nothing is fetched over the network: the public suffix list is the one in the
`tldextract` package.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from pydantic import AfterValidator, BeforeValidator
from pydantic.dataclasses import dataclass

from connectors.errors import UserError
from curation.quality.blacklists import host_of, known_categories, list_files, open_blacklist, parents
from curation.quality.word_trie import WordTrie
from curation.run import documents
from curation.run.documents import STRICT, URL, Verdict

SHIPPED = Path(__file__).parent / "lists"
_SEPARATORS = re.compile(r"[^a-zA-Z0-9]+")


def _paths(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _existing(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        if not Path(path).exists():
            raise UserError(f"The list '{path}' of the URL filter does not exist. Name a file or a folder of files.")
    return paths


Lists = Annotated[tuple[str, ...], BeforeValidator(_paths), AfterValidator(_existing)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class UrlFilter:
    """The step. Each list is a file or a folder of files, or several: one entry a line; no lines that begin with #.

    domains         registered domains (`example.co.uk`) or full host names: reasons `domain`, `subdomain`
    urls            whole addresses, compared character by character: reason `url`
    words           words between separators, case-sensitive as they stand in the address: `hard_blacklisted`
    soft_words      the same, but removed only from `soft_word_threshold` different ones on: `soft_blacklisted`
    subwords        found anywhere in the address once separators are out, in any case: `blacklisted_subword`
    shipped_lists   adds the small lists of words of our own that lie in `lists/`
    allow_domains   domains that are never removed, with their subdomains, whatever the other lists say
    blacklists      a folder `CATEGORY/{domains,urls}`, as the Toulouse (UT1) lists are: reason `blacklist_CATEGORY`
    categories      those of them that remove; the first that has the address gives the reason

    An entry of the three word lists counts in lower case and without separators. `value` is the number of entries
    found, `threshold` the largest number that would have been let through. A document without an address goes on.
    Raises `UserError` for a list or a category that is not there.
    """

    name: str = "url"
    domains: Lists = ()
    urls: Lists = ()
    words: Lists = ()
    soft_words: Lists = ()
    subwords: Lists = ()
    soft_word_threshold: int = 2
    shipped_lists: bool = True
    allow_domains: Lists = ()
    blacklists: str | None = None
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.blacklists is None and self.categories:
            raise UserError(f"{self.name}: categories of no block lists. Name their folder: blacklists: FOLDER.")
        if self.blacklists is not None and not self.categories:
            known = ", ".join(known_categories(self.blacklists)) or "none"
            raise UserError(f"{self.name}: name the categories that remove. '{self.blacklists}' has: {known}.")
        _ = self.files

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        verdicts = [self.verdict(url) if url else None for url in batch.column(URL).to_pylist()]
        return documents.with_verdicts(batch, self.name, verdicts)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that this step reads, without the shipped ones, in order."""
        named = (*self.domains, *self.urls, *self.words, *self.soft_words, *self.subwords, *self.allow_domains)
        blacklists = list_files(self.blacklists, self.categories) if self.blacklists is not None else ()
        return (*(str(file) for path in named for file in _files(Path(path))), *blacklists)

    def verdict(self, url: str) -> Verdict | None:
        """Why a document at this address is removed, None if it is not."""
        if self.allow_domains and not _entries(self.allow_domains).isdisjoint(parents(host_of(url))):
            return None
        if self.blacklists is not None:
            category = open_blacklist(self.blacklists, self.categories).category(url)
            if category is not None:
                return _removed(f"blacklist_{category}", 1)
        domains = _entries(self.domains)
        if domains:
            host = _extractor()(url)
            if host.top_domain_under_public_suffix in domains:
                return _removed("domain", 1)
            if host.fqdn in domains:
                return _removed("subdomain", 1)
        if url in _entries(self.urls):
            return _removed("url", 1)
        found = set(_SEPARATORS.split(url))
        if hard := len(found & self._words("words")):
            return _removed("hard_blacklisted", hard)
        soft = len(found & self._words("soft_words"))
        if soft >= self.soft_word_threshold:
            return _removed("soft_blacklisted", soft, self.soft_word_threshold - 1)
        solid = _normalized(url)
        subwords = self._words("subwords")
        if _trie(subwords).count(solid, whole_words=False):
            return _removed("blacklisted_subword", sum(part in solid for part in subwords))
        return None

    def _words(self, kind: str) -> frozenset[str]:
        """The entries of one of the word lists, normalised."""
        return _normalized_entries(kind, getattr(self, kind), self.shipped_lists)


def _removed(reason: str, found: int, allowed: int = 0) -> Verdict:
    return Verdict("removed", reason, found, allowed)


def _normalized(string: str) -> str:
    return _SEPARATORS.sub("", string).lower()


@functools.cache
def _entries(paths: tuple[str, ...]) -> frozenset[str]:
    """The entries of all files, as they stand but for white space around them."""
    return frozenset(entry for path in paths for entry in _read(Path(path)))


@functools.cache
def _normalized_entries(kind: str, paths: tuple[str, ...], shipped: bool) -> frozenset[str]:
    all_paths = (*paths, str(SHIPPED / f"{kind}.txt")) if shipped else paths
    return frozenset(filter(None, map(_normalized, _entries(all_paths))))


@functools.cache
def _trie(words: frozenset[str]) -> WordTrie:
    return WordTrie.of(words)


def _files(path: Path) -> list[Path]:
    """The file itself, or all files below the folder in alphabetical order."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _read(path: Path) -> Iterator[str]:
    for file in _files(path):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.strip() and not line.startswith("#"):
                yield line.strip()


@functools.cache
def _extractor() -> Any:
    from tldextract import TLDExtract

    return TLDExtract(cache_dir=None, suffix_list_urls=())
