"""Pages whose address, title and text mean harm to a reader: markup, scripts, control and bidirectional characters."""

from __future__ import annotations

from pathlib import Path

from tests.audit.composed import PROSE, response

CONTROLS = "\x00\x07\x08\x0b\x1b[31m\x7f\x85\x9b\u2028\u2029"
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u3164\U000e0041"
MARKS = "e" + "\u0301" * 300
TAGS = (
    "<script>alert('owned')</script>",
    "</style><style>body{display:none}</style>",
    "</title><svg onload=alert(1)>",
    '"><img src=https://attacker.example/x onerror=alert(1)>',
    "<!-- <iframe src=javascript:alert(1)> ]]>",
    "&lt;script&gt; &#60;b&#62;",
    "</bdi></details></section></main></body></html>",
)

RECIPE = """
recipe: "<b>hostile</b>"
extract: {engine: resiliparse}
filters:
  - lengths:
      - {measure: characters, min: 200, reason: "<i>short"}
dedup: {exact: true}
redact: [email]
tokenize: {tokenizer: train, vocabulary: 300, shard_tokens: 10000}
"""


def text_of(mark: str) -> str:
    """A long text with harm at its beginning, escaped so that it is a page's text and not its markup."""
    harm = " ".join((*TAGS, BIDI, UNSEEN, MARKS[:20], mark)).replace("&", "&amp;").replace("<", "&lt;")
    return f"<p>{mark} {harm} {PROSE} {PROSE} Here it ends, and {mark} is where it was.</p>"


def pages() -> dict[str, str]:
    """Addresses and bodies: kept ones, one too short, two of the same text."""
    urls = [f"https://h{i}.example/{tag}?a='b'&c={BIDI[i]}{UNSEEN[i]}" for i, tag in enumerate(TAGS)]
    bodies = {url: text_of(f"number {i} of many") for i, url in enumerate(urls)}
    bodies[f"https://short.example/{TAGS[0]}"] = "<p>Short &lt;script&gt;.</p>"
    bodies[f"https://copy.example/{TAGS[2]}{BIDI}"] = bodies[urls[0]]
    bodies[f"https://{TAGS[1]}.example/"] = "<p>Short, on a site of that name.</p>"
    bodies["https://long.example/" + "x" * 5000] = "<p>Short, with a long address.</p>"
    bodies["javascript:alert(document.domain)"] = text_of("an address that is a script")
    return bodies


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    records = []
    for url, body in pages().items():
        title = TAGS[0] + TAGS[2]
        records.append(
            response(url, f"<html><head><title>{title}</title></head><body><article>{body}</article></body></html>")
        )
    path.write_bytes(b"".join(records))
