"""The canonical form of a URL: what two captures of one page have in common."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import xxhash

DEFAULT_PORTS = ("80", "443")
INDEX_PAGES = ("index.html", "index.htm", "index.php")

# Parameters that say who came from where, and never which page it is.
TRACKING = frozenset(
    ("fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "mc_cid", "mc_eid", "igshid")
    + ("_ga", "_gl", "ref_src", "phpsessid", "jsessionid", "sid", "sessionid")
)
TRACKING_PREFIX = "utm_"


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
    place = host.removeprefix("www.") + (f":{port}" if port and port not in DEFAULT_PORTS else "")
    path = parts.path.partition(";jsessionid=")[0]
    folder, _, page = path.rpartition("/")
    path = (folder if page.lower() in INDEX_PAGES else path).rstrip("/")
    return place + path + (f"?{query}" if (query := canonical_query(parts.query)) else "")


def canonical_query(query: str) -> str:
    """Parameters sorted, without those that only track."""
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=1000) if query.count("&") < 1000 else []
    if not pairs:
        return query
    kept = sorted((k, v) for k, v in pairs if not (k.lower() in TRACKING or k.lower().startswith(TRACKING_PREFIX)))
    return urlencode(kept)


def address_hash(url: str) -> bytes | None:
    """16 bytes of the canonical form, None where there is no URL."""
    if not url:
        return None
    digest: bytes = xxhash.xxh3_128_digest(canonical(url).encode("utf-8", "surrogatepass"))
    return digest
