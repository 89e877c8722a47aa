"""The canonical form of a URL: what two captures of one page have in common."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import xxhash

DEFAULT_PORTS = ("80", "443")
INDEX_PAGES = ("index.html", "index.htm", "index.php")

# Parameters that say who came from where, and never which page it is.
TRACKING = frozenset(
    ("fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "mc_cid", "mc_eid", "igshid")
    + ("_ga", "_gl", "ref_src", "phpsessid", "jsessionid")
)
SESSIONS = (
    "sid",
    "sessionid",
)  # of visitors where the value is long; a short one is a page's, as in PHP-Nuke's `sid=123`
SESSION_CHARACTERS = 16
TRACKING_PREFIX = "utm_"
MOST_PARAMETERS = 1000  # a query that has more stays as it is
BYTES_STAY = "surrogateescape"


def canonical(url: str) -> str:
    """The URL without scheme, `www.`, default port, fragment, tracking parameters, closing slash and index page, its
    parameters sorted; host in lower case. A URL that cannot be parsed stays as it is.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), str(parts.port or "")
    except ValueError:
        return url
    if not host:
        return url
    host = f"[{host}]" if ":" in host else host.removeprefix("www.")
    place = host + (f":{port}" if port and port not in DEFAULT_PORTS else "")
    folders = parts.path.partition(";jsessionid=")[0].split("/")
    while folders and folders[-1].lower() in ("", *INDEX_PAGES):
        folders.pop()
    return place + "/".join(folders) + (f"?{query}" if (query := canonical_query(parts.query)) else "")


def canonical_query(query: str) -> str:
    """Parameters sorted, without those that only track. Bytes that are no UTF-8 stay: old sites have their own encodings."""
    if not query:
        return ""
    pairs = parse_qsl(query, True, errors=BYTES_STAY) if query.count("&") < MOST_PARAMETERS else []
    if not pairs:
        return query
    return urlencode(sorted(pair for pair in pairs if not only_tracks(*pair)), errors=BYTES_STAY)


def only_tracks(name: str, value: str) -> bool:
    """Whether a parameter says nothing of which page it is."""
    name = name.lower()
    if name in SESSIONS:
        return len(value) >= SESSION_CHARACTERS
    return name in TRACKING or name.startswith(TRACKING_PREFIX)


def address_hash(url: str) -> bytes | None:
    """16 bytes of the canonical form, None where there is no URL."""
    if not url:
        return None
    digest: bytes = xxhash.xxh3_128_digest(canonical(url).encode("utf-8", "surrogatepass"))
    return digest
