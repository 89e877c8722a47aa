"""Registered domains, and the fold of the cross-validation that each belongs to."""

from __future__ import annotations

import functools
import zlib
from typing import Any
from urllib.parse import urlsplit

FOLDS = 5


def registered_domain(url: str) -> str:
    """The registered domain of an address (`example.co.uk`), by the public suffix list inside tldextract; else its host.

    What is no address stands for itself.
    """
    try:
        host = urlsplit(url).hostname or url
    except ValueError:
        host = url
    return _suffixes().extract_str(host).top_domain_under_public_suffix or host


def fold_of(url: str) -> int:
    """The fold of a page: pages of one registered domain are in the same."""
    return zlib.crc32(registered_domain(url).encode()) % FOLDS


@functools.cache
def _suffixes() -> Any:
    from tldextract import TLDExtract

    return TLDExtract(cache_dir=None, suffix_list_urls=())
