"""What is asked to be erased: an address, a domain, a document, a text, or whatever a pattern finds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from connectors import storage
from connectors.errors import UserError, nearest
from curation.quality.blacklists import host_of

Kind = Literal["url", "domain", "doc_id", "text", "pattern"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that is asked for. Raises `UserError` for what names nothing, or everything; what a text or pattern says is
    in no message.

    url      any capture of this page, by the canonical form of its address
    domain   every page of this host and those below it
    doc_id   one document, by 32 hex digits
    text     every page in which this text stands, white space aside, or nearly all of its runs of words
    pattern  every page in whose text, address or own columns RE2 finds this expression
    """

    kind: Kind
    value: str

    def __post_init__(self) -> None:
        if not self.value.strip():
            raise UserError(f"A request to erase by {self.kind} is empty")
        check = {"doc_id": self._check_id, "domain": self._check_domain, "pattern": self._check_pattern}.get(self.kind)
        if check is not None:
            check()

    def _check_id(self) -> None:
        try:
            whole = len(bytes.fromhex(self.value)) == 16
        except ValueError:
            whole = False
        if not whole:
            raise UserError(f"'{self.value[:40]}' is no document id: it has 32 hex digits")

    def _check_domain(self) -> None:
        host = self.host
        if "." not in host or any(part in ("", "*") for part in host.split(".")):
            raise UserError(f"'{self.value[:80]}' is no domain: name one such as example.org")

    def _check_pattern(self) -> None:
        try:
            finds_nothing = pc.match_substring_regex(pa.array([""]), self.value)[0].as_py()
        except pa.ArrowInvalid:
            raise UserError(
                "A pattern is no regular expression that RE2 knows: it has no look-around and no back references"
            ) from None
        if finds_nothing:
            raise UserError(
                "A pattern finds the empty text, and so every document: ask for something that must be there"
            )

    @property
    def host(self) -> str:
        """Of a domain: the name itself, in lower case, however it was written."""
        given = self.value.strip().lower().removeprefix("*.")
        return host_of(given if "://" in given else f"http://{given}").removeprefix("www.")


def read_requests(path: str) -> list[Request]:
    """The requests of a file of JSON lines, one object with one key a line: `{"url": "https://…"}`.

    Raises `UserError` that names the line, never what it says.
    """
    try:
        lines = storage.read_bytes(path).decode().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    requests = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                requests.append(_request(line))
            except UserError as error:
                raise UserError(f"{path}, line {number}: {error}") from None
    if not requests:
        raise UserError(f'{path} holds no request: one line such as {{"url": "https://example.org/page"}} for each')
    return requests


def _request(line: str) -> Request:
    try:
        content = json.loads(line)
    except ValueError:
        content = None
    if not isinstance(content, dict) or len(content) != 1:
        raise UserError(f"not one JSON object with one key of {', '.join(KINDS)}")
    (kind, value), *_ = content.items()
    if kind not in KINDS:
        raise UserError(f"unknown kind '{kind[:20]}'.{nearest(kind, KINDS)}")
    if not isinstance(value, str):
        raise UserError(f"the value of {kind} is no string")
    return Request(kind, value)


def settled(requests: Iterable[Request]) -> tuple[Request, ...]:
    """The requests, each once, in the order given. Raises `UserError` where there is none."""
    found = tuple(dict.fromkeys(requests))
    if not found:
        raise UserError(
            "Name what to erase: --url, --domain, --doc-id, --text, --text-file, --pattern, or --requests FILE for many"
        )
    return found


def of_kind(requests: Sequence[Request], *kinds: Kind) -> list[tuple[int, Request]]:
    """Those of some kinds, with their numbers."""
    return [(number, request) for number, request in enumerate(requests) if request.kind in kinds]
