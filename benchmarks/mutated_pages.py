"""Pages broken at random, and pages made to be hard: what an extractor must survive."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

SNIPPETS = [
    *(
        b"<",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"</",
        b"/>",
        b"=",
        b"'",
        b'"',
        b"\0",
        b"\xff",
        b"\xc2",
        b"\xe2\x80",
    ),
    *(
        b"&",
        b"&#",
        b"&#x110000;",
        b"&#0;",
        b"&#xD800;",
        b"&nGt;",
        b"&amp",
        b"&nbsp;",
        b"&notit;",
        b"\xc2\xa0",
        b"\xef\xbb\xbf",
    ),
    *(
        b"<script>",
        b"</script>",
        b"<style>",
        b"<title>",
        b"<plaintext>",
        b"<xmp>",
        b"<textarea>",
        b"<iframe>",
        b"<noscript>",
    ),
    *(
        b"<template shadowrootmode=open>",
        b"</template>",
        b"<svg>",
        b"</svg>",
        b"<select>",
        b"<math>",
        b"<frameset>",
        b"<br><br>",
    ),
    *(
        b"<table>",
        b"<tr>",
        b"<td>",
        b"</table>",
        b"<li>",
        b"<dd>",
        b"<p>",
        b"</p>",
        b"<h2>",
        b"<a href=x>",
        b"<b>",
        b"</b>",
    ),
    *(
        b"<pre>\n",
        b"</pre>",
        b"<body class=cookie>",
        b"<x-y/>",
        b"<meta name=description content=",
        b"<link rel=canonical href=",
    ),
    *(
        b'<script type="application/ld+json">{"@type":["',
        b'"@type" : "Product"',
        b'{"@graph":[',
        b"class='a-b cD e7 f77'",
    ),
]
HOSTILE = [
    *(
        b"<div>",
        b"<b>",
        b"<a ",
        b"<",
        b"&",
        b"&nGt;",
        b"<!--",
        b"<!",
        b"<?",
        b"</",
        b"<script>",
        b"<style>",
        b"<svg>",
        b"<select>",
    ),
    *(
        b"<title>",
        b"<table><tr><td>x",
        b"<li>x",
        b"<b><div>x</b></div>",
        b"x<br><br>",
        b"<a b='",
        b"<a class='a-b c ",
        b"<h1>x",
    ),
    *(
        b"<p>a b c",
        b"<span>x</span>",
        b"<noscript><iframe>",
        b"<template shadowrootmode=open>",
        b'{"@type":',
        b"\xc2\xa0",
        b"\0",
    ),
    *(
        b"<plaintext>",
        b"<dl><dt>x<dd>",
        b"<pre>\n",
        b"<form><input>",
        b"</p>",
        b"</div>",
        b"<x-y>",
        b"\xe2\x80\x8b",
        b"<ul><li>x</ul>",
    ),
]


def mutated(page: bytes, draw: random.Random) -> bytes:
    """The page with one to twelve changes: bytes lost, doubled, moved, overwritten, or a piece of markup put in."""
    changed = bytearray(page)
    for _ in range(draw.randint(1, 12)):
        at = draw.randrange(len(changed) + 1)
        size = int(draw.expovariate(1 / 200)) + 1
        kind = draw.randrange(7)
        if kind == 0:
            del changed[at : at + size]
        elif kind == 1:
            changed[at:at] = changed[at : at + size] * draw.randint(1, 4)
        elif kind == 2:
            to = draw.randrange(len(changed) + 1)
            changed[to:to] = changed[at : at + size]
        elif kind == 3:
            changed[at : at + size] = draw.randbytes(min(size, 40))
        elif kind == 4 and draw.random() < 0.2:
            del changed[at:]
        elif kind == 5:
            changed[at:at] = draw.choice(SNIPPETS) * draw.choice((1, 1, 1, 30, 700))
        else:
            changed[at:at] = draw.choice(SNIPPETS)
    return bytes(changed)


def hostile(size: int) -> Iterator[bytes]:
    """Pages of about `size` bytes that are one thing over and over, alone and behind a paragraph."""
    for piece in HOSTILE:
        yield piece * (size // len(piece))
        yield b"<p>A paragraph of some words, and of some more.</p>" + piece * (size // len(piece))
    yield b"<p " + b" ".join(b"a%d=1" % number for number in range(size // 8)) + b">x</p>"
    yield b"<p " + b"class='cookie a-b' " * (size // 19) + b">x</p>"
    yield b"<p>" + b"".join(b"<b id=i%d>" % number for number in range(size // 16)) + b"<p>x</p>" * (size // 16)


def mutations(pages: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """So many mutated pages, each a function of the seed and its number."""
    for number in range(count):
        draw = random.Random(seed << 32 | number)
        yield mutated(pages[number % len(pages)], draw)
