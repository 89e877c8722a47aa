"""What each HTML element is to the extraction: numbers, kinds, and the flags that descendants inherit.

A block-level element begins and ends blocks of text; an inline one does not. Raw elements are skipped to their end tag, skipped
ones with what is nested in them. Elements that HTML does not know are `custom` (block level) if their name has a hyphen, else
`unknown` (inline).
"""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels.characters import hash_table

VOID, RAW, BLOCK, INLINE, SKIPPED = 1, 2, 4, 8, 16  # kinds, as bits

_BLOCK_LEVEL = (
    "p div section article main header footer nav aside h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table tr td th tbody thead tfoot"
    " caption blockquote pre figure figcaption form fieldset legend details summary address button label body html head center"
    " dialog hgroup menu dir option optgroup noscript custom"
).split()
_INLINE = (
    "a span b strong i em u s small sub sup code kbd samp var cite q abbr time mark font ins del picture video audio object canvas"
    " math map tt big strike bdi bdo data output progress meter ruby rt rp slot nobr dfn unknown"
).split()
_VOID = "br hr img input link meta area base col embed param source track wbr".split()
_RAW = "script style textarea title xmp iframe noembed noframes template".split()
_SKIPPED = "svg select datalist".split()

NAMES = [
    *_BLOCK_LEVEL,
    *_INLINE,
    *_VOID,
    *_RAW,
    *_SKIPPED,
]  # a tag's number is its place here; features are fitted to it
NUMBER = {name: number for number, name in enumerate(NAMES)}
TAGS = len(NAMES)
KIND = np.zeros(TAGS, np.uint8)
for _names, _kind in ((_BLOCK_LEVEL, BLOCK), (_INLINE, INLINE), (_VOID, VOID), (_RAW, RAW), (_SKIPPED, SKIPPED)):
    KIND[[NUMBER[name] for name in _names]] = _kind
KIND[NUMBER["hr"]] |= BLOCK
KEYS, VALUES = hash_table([(name, n) for name, n in NUMBER.items() if name not in ("custom", "unknown")], 9)

A, BODY, BR, BUTTON, CUSTOM, HTML, IMG, INPUT = (NUMBER[n] for n in "a body br button custom html img input".split())
LINK, META, NOSCRIPT, P, PRE, SCRIPT, TEMPLATE = (NUMBER[n] for n in "link meta noscript p pre script template".split())
TITLE, UNKNOWN, B, STRONG, H1, H6 = (NUMBER[n] for n in "title unknown b strong h1 h6".split())
LI, UL, OL, MENU, DT, DD, DL = (NUMBER[n] for n in "li ul ol menu dt dd dl".split())
CODE, BLOCKQUOTE = NUMBER["code"], NUMBER["blockquote"]
TABLE, TBODY, THEAD, TFOOT, TR, TD, TH = (NUMBER[n] for n in "table tbody thead tfoot tr td th".split())

# Flags of an element, which its descendants inherit: by its tag here, by its attributes in `attributes`. 32 bits.
FLAGS = (
    "nav header footer aside main article section form table list dl quote figure pre a button heading hidden para item cell"
    " details dialog label ariahidden cookie comment noscript itemprop code emph caption"
).split()
FLAG = {name: 1 << bit for bit, name in enumerate(FLAGS)}
COMMENTS_BIT = 32  # behind the flags that the weights know: readers comment there, as class, id or itemtype say
_FLAGGED = {
    **{name: name for name in "nav header footer aside main article section form table dl figure pre a button".split()},
    **{name: name for name in "details dialog label noscript code caption".split()},
    **dict.fromkeys(("ul", "ol", "menu"), "list"),
    **dict.fromkeys(("li", "dt", "dd"), "item"),
    **dict.fromkeys(("td", "th"), "cell"),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("b", "strong", "em", "i"), "emph"),
    "blockquote": "quote",
    "p": "para",
    "figcaption": "caption",
}
FLAGS_OF = np.zeros(TAGS, np.int64)
for _tag, _flag in _FLAGGED.items():
    FLAGS_OF[NUMBER[_tag]] = FLAG[_flag]

# Kinds of pages and things that JSON-LD's "@type" and Open Graph's og:type name; the place is the bit.
_TYPE_NAMES = [
    "article newsarticle blogposting techarticle report liveblogposting scholarlyarticle",
    "product productgroup individualproduct",
    "itemlist collectionpage",
    "faqpage question",
    "discussionforumposting qapage comment",
    "breadcrumblist",
    "organization localbusiness",
    "webpage website",
    "recipe howto",
    "softwareapplication service webapplication",
    "offer aggregateoffer",
    "review aggregaterating",
    "person",
    "videoobject",
    "course event jobposting",
    "apireference",
]
TYPES = len(_TYPE_NAMES)
TYPE_KEYS, TYPE_VALUES = hash_table([(name, bit) for bit, names in enumerate(_TYPE_NAMES) for name in names.split()], 8)
