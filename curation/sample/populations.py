"""The mix: which share of a crawl is what, and what the FineWeb recipe is meant to do with it. One row a population.

Steps are named `read`, `url`, `language`, `gopher_repetition`, `gopher_quality`, `c4`, `fineweb`, `dedup`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import gcd

from curation.run.documents import Fate
from curation.sample import faults, replies
from curation.sample.duplicates import jaccard, near_copy, partial_copy
from curation.sample.evaluation import ITEMS, contaminated, item_id
from curation.sample.genres import good_text
from curation.sample.languages import foreign_text
from curation.sample.pages import Page, Place, Reply
from curation.sample.personal_data import with_personal_data
from curation.sample.prose import Writer
from curation.sample.randomness import Draws
from curation.sample.sites import has_comments
from curation.sample.texts import Text

COPIED_FROM = 1800  # characters; in a shorter page a stray line of furniture counts too much
BLOCK = 1000  # pages; within each block of so many, every population has exactly its share


def prose(place: Place) -> Page:
    """A good English page."""
    return Page(good_text(Writer(place.draws)))


def foreign(place: Place) -> Page:
    """A good page in another language."""
    return Page(foreign_text(place.draws, place.draws.below(1 << 20)))


def personal(place: Place) -> Page:
    """A good page with personal data in it."""
    text, spans = with_personal_data(good_text(Writer(place.draws)), place.draws)
    return Page(text, spans=tuple(spans))


def leak(place: Place) -> Page:
    """A good page with an evaluation item in it."""
    item = place.draws.below(ITEMS)
    text = contaminated(good_text(Writer(place.draws)), place.seed, item, place.draws)
    return Page(text, contamination=item_id(item))


def original_of(place: Place) -> tuple[int, Text] | None:
    """An earlier page of population `prose` and its number, None where drawing finds none that is fit to be copied."""
    for _ in range(64 if place.number else 0):
        number = place.draws.below(place.number)
        if population_of(place.seed, number).name == "prose" and not has_comments(place.seed, number):
            text = prose(Place.of(place.seed, number)).text
            assert text is not None
            if len(text.main_text) > COPIED_FROM:
                return number, text
    return None


def copied(place: Place, change: Callable[[Text, Draws], Text]) -> Page:
    """A page made from an earlier one; a page of its own where nothing earlier can be copied."""
    found = original_of(place)
    if found is None:
        return prose(place)
    number, source = found
    text = change(source, place.draws)
    return Page(text, original=number, jaccard=jaccard(source.main_text, text.main_text))


def exact(place: Place) -> Page:
    """The same text on another site."""
    return copied(place, lambda text, draws: text)


def near(similarity: float) -> Callable[[Place], Page]:
    """A copy in which single words differ."""
    return lambda place: copied(place, lambda text, draws: near_copy(text, draws, similarity))


def partial(place: Place) -> Page:
    """A page that quotes another at length."""
    return copied(place, lambda text, draws: partial_copy(text, Writer(draws)))


def faulty(write: Callable[[Writer], Text]) -> Callable[[Place], Page]:
    """A page that breaks one rule."""
    return lambda place: Page(write(Writer(place.draws, focused=False)))


def banned(words: tuple[str, ...]) -> Callable[[Place], Page]:
    """An ordinary page under a host name with a word that URL filters ban."""
    return lambda place: Page(
        good_text(Writer(place.draws)), host=f"{place.draws.choice(words)}-{place.draws.between(10, 9999)}.example"
    )


def answered(reply: Callable[[Place], Reply]) -> Callable[[Place], Page]:
    """A record that is no page."""
    return lambda place: Page(reply=reply(place))


def damaged(reply: Callable[[Place], Reply]) -> Callable[[Place], Page]:
    """A page whose bytes cannot be read whole."""
    return lambda place: Page(good_text(Writer(place.draws)), reply=reply(place))


@dataclass(frozen=True, slots=True)
class Population:
    """A share of the crawl, in pages of 1,000, and its intended fate."""

    name: str
    share: int
    fate: Fate
    step: str
    reason: str
    compose: Callable[[Place], Page]


REPETITION, QUALITY, C4, FINEWEB = "gopher_repetition", "gopher_quality", "c4", "fineweb"

POPULATIONS: tuple[Population, ...] = (
    Population("prose", 298, "kept", "", "", prose),
    Population("personal_data", 40, "kept", "", "", personal),
    Population("contamination", 15, "kept", "", "", leak),
    Population("partial_copy", 15, "kept", "", "", partial),
    Population("exact_copy", 40, "duplicate", "dedup", "exact", exact),
    Population("near_copy_95", 25, "duplicate", "dedup", "minhash", near(0.95)),
    Population("near_copy_90", 25, "duplicate", "dedup", "minhash", near(0.91)),
    Population("foreign", 290, "removed", "language", "language", foreign),
    Population("gibberish", 8, "removed", "language", "language", faulty(faults.gibberish)),
    Population("adult_url", 10, "removed", "url", "hard_blacklisted", banned(("nsfw", "xxx"))),
    Population("spam_url", 10, "removed", "url", "hard_blacklisted", banned(("viagra",))),
    Population("repeated_lines", 8, "removed", REPETITION, "dup_line_frac", faulty(faults.repeated_lines)),
    Population("repeated_phrase", 8, "removed", REPETITION, "top_2_gram", faulty(faults.repeated_phrase)),
    Population("repeated_passage", 8, "removed", REPETITION, "duplicated_5_n_grams", faulty(faults.repeated_passage)),
    Population("stub", 22, "removed", QUALITY, "gopher_short_doc", faulty(faults.short)),
    Population("hashtags", 6, "removed", QUALITY, "gopher_too_many_hashes", faulty(faults.hashtags)),
    Population("teasers", 6, "removed", QUALITY, "gopher_too_many_end_ellipsis", faulty(faults.teasers)),
    Population("number_table", 12, "removed", QUALITY, "gopher_below_alpha_threshold", faulty(faults.number_table)),
    Population("keyword_list", 12, "removed", QUALITY, "gopher_enough_stop_words", faulty(faults.keyword_list)),
    Population("few_sentences", 8, "removed", C4, "too_few_sentences", faulty(faults.few_sentences)),
    Population("script_notice", 6, "removed", C4, "too_few_sentences", faulty(faults.script_notice)),
    Population("placeholder", 6, "removed", C4, "lorem_ipsum", faulty(faults.placeholder)),
    Population("code", 12, "removed", C4, "curly_bracket", faulty(faults.code)),
    Population("headlines", 8, "removed", FINEWEB, "line_punct_ratio", faulty(faults.headlines)),
    Population("verses", 6, "removed", FINEWEB, "short_line_ratio", faulty(faults.verses)),
    Population("echoes", 6, "removed", FINEWEB, "char_dup_ratio", faulty(faults.echoes)),
    Population("glossary", 6, "removed", FINEWEB, "list_ratio", faulty(faults.entries)),
    Population("redirect", 20, "removed", "read", "redirect", answered(replies.redirect)),
    Population("not_found", 14, "removed", "read", "error_status", answered(replies.not_found)),
    Population("server_error", 4, "removed", "read", "error_status", answered(replies.server_error)),
    Population("robots", 12, "removed", "read", "robots_txt", answered(replies.robots)),
    Population("image", 8, "removed", "read", "not_html", answered(replies.image)),
    Population("json", 8, "removed", "read", "not_html", answered(replies.json_data)),
    Population("empty_body", 5, "removed", "read", "empty_body", answered(replies.empty)),
    Population("revisit", 5, "removed", "read", "revisit", answered(replies.revisit)),
    Population("truncated_payload", 4, "quarantined", "read", "truncated_payload", damaged(replies.truncated)),
    Population("bad_encoding", 4, "quarantined", "read", "bad_content_encoding", answered(replies.bad_encoding)),
)  # fmt: skip
ENDS = tuple(accumulate(population.share for population in POPULATIONS))
assert ENDS[-1] == BLOCK, ENDS[-1]
STRIDES = tuple(n for n in range(201, 800) if gcd(n, BLOCK) == 1)


@lru_cache(maxsize=4096)
def order_of(seed: int, block: int) -> tuple[int, int]:
    """Stride and start of a block's walk over the shares: an affine permutation, so that no table is kept."""
    draws = Draws(seed, block, "order")
    return draws.choice(STRIDES), draws.below(BLOCK)


def population_of(seed: int, number: int) -> Population:
    """The population that a page belongs to."""
    block, place = divmod(number, BLOCK)
    stride, start = order_of(seed, block)
    return POPULATIONS[bisect_right(ENDS, (place * stride + start) % BLOCK)]


def compose(seed: int, number: int) -> tuple[Population, Page]:
    """Page `number` of the crawl: a function of seed and number alone."""
    population = population_of(seed, number)
    return population, population.compose(Place.of(seed, number))
