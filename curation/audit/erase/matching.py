"""Which documents, addresses and shown texts a request names. Linear time whatever the pattern: RE2, inside Arrow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.audit.erase.requests import Request, of_kind
from curation.dedup.addresses import canonical
from curation.dedup.kernels.squeezing import squeeze
from curation.dedup.keys import text_hashes
from curation.dedup.shingles import Shingling, document_shingles, text_shingles
from curation.quality.blacklists import host_of, parents
from curation.redact.gates import Kind
from curation.redact.text import Unredactable, redact_text
from curation.redact.urls import redact_url
from curation.run.documents import DOC_ID, LANG, META, TEXT, URL
from curation.text.batch import Shingles
from curation.text.columns import batch_of, shared_batch

AT_ONCE = 32  # patterns or texts that are looked for together, before it is asked which of them is there
KNOWN_BY = 48  # characters of a text that are looked for first

Mask = npt.NDArray[np.bool_]
Hit = tuple[int, int]  # a row, and the number of a request that names it


@dataclass(frozen=True)
class Matcher:
    """Requests, and how texts become shingles. Picklable.

    similarity  share of a requested text's runs of words that must stand in a document, if the text itself does not
    redacted    kinds of personal data that the run redacts: texts and addresses are looked for in both forms
    """

    requests: tuple[Request, ...]
    similarity: float
    shingling: Shingling
    redacted: tuple[Kind, ...] = ()

    def documents(self, batch: pa.RecordBatch) -> list[Hit]:
        """Of documents: columns doc_id, url, text, meta, and lang if shingles depend on it."""
        hits = set(self.ids(batch.column(DOC_ID)))
        hits |= set(self.addresses(batch.column(URL)))
        hits |= set(self.texts(batch))
        hits |= set(self._patterns(batch.column(META)))
        return sorted(hits)

    def ids(self, doc_ids: pa.Array) -> list[Hit]:
        """Of documents named by their id."""
        if not self.requested_ids:
            return []
        rows = np.flatnonzero(
            pc.is_in(doc_ids, pa.array(list(self.requested_ids), pa.binary(16))).to_numpy(zero_copy_only=False)
        )
        return [(row, self.requested_ids[doc_ids[row].as_py()]) for row in rows.tolist()]

    def addresses(self, urls: pa.Array) -> list[Hit]:
        """Of addresses: by URL, by domain, and by pattern. Null and "" are none."""
        hits = list(self._patterns(urls))
        for row in self._of_known_hosts(urls):
            url = urls[row].as_py()
            if (number := self._pages.get(canonical(url))) is not None:
                hits.append((row, number))
            hits += [(row, self._domains[name]) for name in parents(host_of(url)) if name in self._domains]
        return hits

    def _of_known_hosts(self, urls: pa.Array) -> list[int]:
        """Addresses in which the host of a requested one stands somewhere: the few that are taken apart."""
        hosts = [*self._domains, *(host_of(f"//{page}").partition("]")[0] for page in self._pages)]
        rows = {row for row, _ in found_together(urls, [(0, f"(?i){re.escape(host)}") for host in set(hosts)], matches)}
        return sorted(rows)

    def texts(self, batch: pa.RecordBatch) -> list[Hit]:
        """Of texts: by pattern, and by texts that stand in them."""
        hits = list(self._patterns(batch.column(TEXT)))
        if self._texts:
            hits += self._containing(batch.column(TEXT))
            hits += self._nearly_containing(batch)
        return hits

    # ---- patterns

    def _patterns(self, column: pa.Array) -> Iterator[Hit]:
        patterns = [(number, request.value) for number, request in of_kind(self.requests, "pattern")]
        return found_together(column, patterns, matches)

    # ---- texts

    def _containing(self, column: pa.Array) -> Iterator[Hit]:
        """Where a requested text stands as it is, white space aside."""
        squeezed = squeezed_texts(column)
        beginnings = [(number, re.escape(text[:KNOWN_BY])) for number, text in self._texts]
        for row, number in found_together(squeezed, beginnings, matches):
            if any(text in squeezed[row].as_py() for of, text in self._texts if of == number):
                yield row, number

    def _nearly_containing(self, batch: pa.RecordBatch) -> list[Hit]:
        """Where enough of a requested text's runs of words stand."""
        hashes, owners, sizes = self._text_hashes
        if not len(hashes):
            return []
        shingles = document_shingles(batch, self.shingling)
        low = np.searchsorted(hashes, shingles.hashes, side="left")
        counts = np.searchsorted(hashes, shingles.hashes, side="right") - low
        row_of = np.repeat(np.arange(batch.num_rows), np.diff(shingles.offsets))
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(low, counts) + within
        seen = np.unique(np.stack([np.repeat(row_of, counts), places], axis=1), axis=0)
        pairs, held = np.unique(np.stack([seen[:, 0], owners[seen[:, 1]]], axis=1), axis=0, return_counts=True)
        enough = held >= self.similarity * sizes[pairs[:, 1]] - 1e-6
        numbers = np.array([number for number, _ in self._texts])
        return [(row, int(numbers[owner])) for row, owner in pairs[enough].tolist()]

    @cached_property
    def _texts(self) -> list[tuple[int, str]]:
        """The requested texts with their white space squeezed, also in the form that redaction leaves."""
        found = []
        for number, request in of_kind(self.requests, "text"):
            for text in dict.fromkeys((request.value, self._redacted(request.value))):
                found.append((number, " ".join(text.split())))
        return found

    def _redacted(self, text: str) -> str:
        if not self.redacted:
            return text
        try:
            return redact_text(text, self.redacted)[0]
        except Unredactable:
            return text

    @property
    def numbers_of_texts(self) -> list[int]:
        """Of each requested text in each of its forms, the request's number: in the order of `text_shingles`."""
        return [number for number, _ in self._texts]

    @property
    def hashes_of_texts(self) -> list[bytes]:
        """What `dedup.keys.text_hashes` gives for each of them."""
        hashes: list[bytes] = text_hashes(pa.array([text for _, text in self._texts], pa.string())).to_pylist()
        return hashes

    def text_shingles(self) -> Shingles:
        """Of the requested texts, by the shingles' own words: no language is known of them."""
        return text_shingles(batch_of([text for _, text in self._texts]), self.shingling)

    @cached_property
    def _text_hashes(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Distinct hashes of each text, ascending over all, whose they are, and how many each text has."""
        hashes, offsets = self.text_shingles()
        parts = [np.unique(hashes[start:stop]) for start, stop in zip(offsets[:-1], offsets[1:])]
        owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts]).astype(np.int64)
        together = np.concatenate([np.zeros(0, np.uint64), *parts])
        order = np.argsort(together, kind="stable")
        return together[order], owners[order], np.array([len(part) for part in parts], np.int64)

    # ---- names

    @cached_property
    def requested_ids(self) -> dict[bytes, int]:
        """Documents named by their id, and by which request."""
        return {bytes.fromhex(request.value): number for number, request in of_kind(self.requests, "doc_id")}

    @cached_property
    def _pages(self) -> dict[str, int]:
        """Canonical addresses, also in the form in which the run keeps them."""
        forms = [(number, form) for number, one in of_kind(self.requests, "url") for form in self._forms(one.value)]
        return {canonical(form): number for number, form in reversed(forms)}

    def _forms(self, url: str) -> tuple[str, ...]:
        return (url, redact_url(url)) if "email" in self.redacted else (url,)

    @cached_property
    def _domains(self) -> dict[str, int]:
        return {request.host: number for number, request in reversed(of_kind(self.requests, "domain"))}


def found_together(
    column: pa.Array, wanted: Sequence[tuple[int, str]], find: Callable[[pa.Array, str], Mask]
) -> Iterator[Hit]:
    """Rows in which expressions are found, and whose they are; many are first looked for as one."""
    for first in range(0, len(wanted), AT_ONCE):
        group = wanted[first : first + AT_ONCE]
        any_of = "|".join(f"(?:{pattern})" for _, pattern in group)
        try:
            rows = np.flatnonzero(find(column, any_of))
        except pa.ArrowInvalid:  # together they are larger than RE2 allows
            rows = np.arange(len(column))
        if not len(rows):
            continue
        chosen = column.take(pa.array(rows))
        for number, pattern in group:
            yield from ((row, number) for row in rows[np.flatnonzero(find(chosen, pattern))].tolist())


def matches(column: pa.Array, pattern: str) -> Mask:
    """In which strings RE2 finds an expression; in null never."""
    found = pc.fill_null(pc.match_substring_regex(column, pattern), False)
    mask: Mask = found.to_numpy(zero_copy_only=False)
    return mask


def squeezed_texts(column: pa.Array) -> pa.Array:
    """Texts with each run of white space as one blank, none at either end."""
    texts, rows = shared_batch(column)
    content, bounds = np.empty(len(texts.buffer), np.uint8), np.zeros(len(texts) + 1, np.int64)
    squeeze(texts.buffer, texts.bounds, content, bounds)
    whole = pa.Array.from_buffers(
        pa.large_string(), len(texts), [None, pa.py_buffer(bounds), pa.py_buffer(content[: bounds[-1]].copy())]
    )
    return whole.take(pa.array(rows))


COLUMNS = (DOC_ID, URL, TEXT, LANG, META)  # of a document, that are looked at
