"""What a page says of itself in its head: description, canonical address, types of JSON-LD and Open Graph, metas by name."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import attributes, tags
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import (
    AT_SIGN,
    BRACE,
    COLON,
    COMMA,
    END_BRACE,
    IS_SPACE,
    QUOTE,
    U,
    find,
    hash_lower,
    hash_table,
    looked_up,
    name_hash,
)
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import Bytes, inlined, kernel

DESCRIPTION_BYTES, ADDRESS_BYTES, TITLE_BYTES = 1000, 300, 600  # what is read of each
TYPE_REACH = 160  # bytes behind "@type" in which its values are looked for
_TYPE_KEY = np.frombuffer(b"@type", np.uint8)

# Names of metas that say something of the page, in lower case; a name's number is its place. Whoever wants to know what they
# say reads `facts`, which no feature does.
META_NAMES = (
    "og:title twitter:title headline dc.title dc:title dcterms.title citation_title parsely-title sailthru.title title"
    " author authors article:author og:author og:article:author dc.creator dc:creator dcterms.creator creator"
    " citation_author parsely-author sailthru.author byl twitter:label1 twitter:data1"
    " article:published_time og:article:published_time og:published_time article:published datepublished parsely-pub-date"
    " sailthru.date citation_publication_date citation_online_date citation_date dc.date.issued dcterms.issued"
    " dcterms.created dc.date dc:date dcterms.date dc.date.created datecreated pubdate publishdate publish-date publish_date"
    " published_time article.published date article:modified_time og:updated_time datemodified last-modified"
    " content-language og:locale language dc.language dc:language dcterms.language inlanguage"
    " og:site_name application-name apple-mobile-web-app-title dc.publisher dcterms.publisher publisher"
    " citation_journal_title"
).split()
assert len(META_NAMES) <= p.MAX_META_NAMES
_META_KEYS, _META_VALUES = hash_table(((name, place) for place, name in enumerate(META_NAMES)), 8)
_NAME, _PROPERTY, _ITEMPROP, _HTTP_EQUIV = (U(name_hash(name)) for name in "name property itemprop http-equiv".split())
SAID_BYTES = 4000  # of what a meta says that are read


@kernel
def skip_space_to(text: Bytes, at: int, stop: int) -> int:
    """The next byte that is no white space, or `stop`."""
    while at < stop and IS_SPACE[text[at]] == 1:
        at += 1
    return at


@kernel
def types_in_json(text: Bytes, start: int, stop: int) -> int:
    """The known values of "@type" in a JSON-LD script, as bits."""
    bits, at = 0, find(text, start, stop, AT_SIGN)
    while at + 8 < stop:
        matched = 1
        while matched < 5 and text[at + matched] == _TYPE_KEY[matched]:
            matched += 1
        if matched == 5:
            found, at = _type_values(text, at + 6, min(stop, at + TYPE_REACH))
            bits |= found
        at = find(text, at + 1, stop, AT_SIGN)
    return bits


@kernel
def _type_values(text: Bytes, at: int, stop: int) -> tuple[int, int]:
    """The types named from here on, one or a list of them, and where their end was seen."""
    bits = 0
    after_colon = False
    while at < stop:
        byte = text[at]
        if byte == COLON:
            after_colon = True
        elif byte == QUOTE and after_colon:
            end = find(text, at + 1, stop, QUOTE)
            known = looked_up(tags.TYPE_KEYS, tags.TYPE_VALUES, hash_lower(text, at + 1, end))
            if known >= 0:
                bits |= 1 << known
            at = skip_space_to(text, end + 1, stop)
            if at >= stop or text[at] != COMMA:
                break
            # A list goes on with a further string; a string before a colon is the next key.
            following = skip_space_to(text, at + 1, stop)
            following = skip_space_to(text, find(text, min(following + 1, stop), stop, QUOTE) + 1, stop)
            if following >= stop or text[following] == COLON:
                break
        elif byte == END_BRACE or byte == BRACE:
            break
        at += 1
    return bits, at


@inlined
def note_void(page: Page, tag, about, first, last):  # type: ignore[no-untyped-def]
    """Notes what a meta or link element says, and counts images and form fields."""
    facts, state = page.facts, page.state
    if tag == tags.META:
        if last > first and (about == attributes.DESCRIPTION or about == attributes.SOCIAL_DESCRIPTION):
            if facts[p.DESCRIPTION_END] == 0 or about == attributes.DESCRIPTION:
                facts[p.DESCRIPTION_START] = first
                facts[p.DESCRIPTION_END] = min(last, first + DESCRIPTION_BYTES)
        elif last > first and about == attributes.SOCIAL_TYPE:
            known = looked_up(tags.TYPE_KEYS, tags.TYPE_VALUES, hash_lower(page.html, first, last))
            if known >= 0:
                facts[p.TYPE_BITS] |= 1 << (p.OPEN_GRAPH + known)
    elif tag == tags.LINK:
        if about == attributes.CANONICAL and last > first:
            facts[p.CANONICAL_START] = first
            facts[p.CANONICAL_END] = min(last, first + ADDRESS_BYTES)
    elif tag == tags.IMG:
        state[p.IMAGES_SEEN] += 1
        facts[p.ALL_IMAGES] += 1
    elif tag == tags.INPUT:
        state[p.INPUTS_SEEN] += 1
        facts[p.ALL_INPUTS] += 1


@inlined
def name_of_meta(html, key, start, stop, said):  # type: ignore[no-untyped-def]
    """The number of the name that an attribute of a meta gives it; `said` where the attribute is another, or the name unknown."""
    if key == _NAME or key == _PROPERTY or key == _ITEMPROP or key == _HTTP_EQUIV:
        known = looked_up(_META_KEYS, _META_VALUES, hash_lower(html, start, stop))
        if known >= 0:
            said = known
    return said


@inlined
def note_meta(page: Page, name, first, last):  # type: ignore[no-untyped-def]
    """Notes what a meta of a known name says, unless enough of its name were there before."""
    places = page.facts[p.FIRST_META + 2 * p.METAS_OF_NAME * name :]
    for place in range(0, 2 * p.METAS_OF_NAME, 2):
        if places[place + 1] == 0:
            if last > first:
                places[place] = first
                places[place + 1] = min(last, first + SAID_BYTES)
            break


@inlined
def note_raw(page: Page, tag, about, start, stop):  # type: ignore[no-untyped-def]
    """Notes the title, or a script with its JSON-LD, whose text is the range."""
    facts = page.facts
    if tag == tags.TITLE:
        if facts[p.TITLE_END] == 0:
            facts[p.TITLE_START] = start
            facts[p.TITLE_END] = min(stop, start + TITLE_BYTES)
    elif tag == tags.SCRIPT:
        facts[p.SCRIPTS] += 1
        if about == attributes.JSON_LD:
            facts[p.TYPE_BITS] |= types_in_json(page.html, start, stop)
            count = facts[p.JSON_COUNT]
            if count < p.MAX_JSON:
                facts[p.FIRST_JSON + 2 * count] = start
                facts[p.FIRST_JSON + 2 * count + 1] = stop
                facts[p.JSON_COUNT] = count + 1
