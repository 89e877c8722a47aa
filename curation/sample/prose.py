"""English prose for one page: a cast that stays the same through the page, and sentences drawn from the grammar."""

from __future__ import annotations

import math
from functools import cache

from curation.sample.grammar import Rule, compile_grammar, expand
from curation.sample.randomness import Draws
from curation.sample.vocabulary import Topic, english, tidy, topics

NAMES = frozenset(
    {
        *("entity", "entity_s", "the_entity", "it", "person", "surname", "colleague", "colleague_surname"),
        *("he", "his", "him", "town", "year", "year2", "measure"),
    }
)
# How many words of a topic's lists one page uses: few enough that it keeps coming back to the same things
VOCABULARY = {
    "role": 3,
    "agents": 5,
    "thing": 9,
    "stuff": 8,
    "adjective": 10,
    "place": 7,
    "time": 7,
    "act": 9,
    "effect": 9,
}
# Lists whose entries stand for one another: forms of one word
FORMS = {"thing": ("things",), "act": ("act3", "acted", "done", "acting"), "effect": ("effect3", "effected")}
MEDIAN_WORDS, SPREAD = 360, 0.6  # of the log-normal length of a page
WORDS_A_SENTENCE = 17


@cache
def grammar() -> dict[str, Rule]:
    """The English grammar; names and the words of a topic come from the page's cast."""
    return compile_grammar(english(), NAMES | topics()[0].lists.keys())


class Writer:
    """Writes the sentences of one page. The cast (place, people, years, figures) is drawn once and stays."""

    def __init__(self, draws: Draws, focused: bool = True) -> None:
        self.draws = draws
        self.topic: Topic = draws.choice(topics())
        self.focused = focused
        self.rules = grammar()
        self.cast = {name: [value] for name, value in self.drawn_names().items()} | self.drawn_words()

    def drawn_words(self) -> dict[str, list[str]]:
        """The page's share of its topic's word lists; a page without focus has them whole."""
        if not self.focused:
            return dict(self.topic.lists)
        lists, words = self.topic.lists, {}
        for name, count in VOCABULARY.items():
            chosen = self.draws.several(range(len(lists[name])), count)
            for form in (name, *FORMS.get(name, ())):
                words[form] = [lists[form][i] for i in chosen]
        return words

    def drawn_names(self) -> dict[str, str]:
        """Who and where this page is about."""
        draws, names = self.draws, english()
        woman = draws.chance(0.5)
        person = f"{draws.choice(names['first_f' if woman else 'first_m'])} {draws.choice(names['surnames'])}"
        colleague = f"{draws.choice(names['first_m'])} {draws.choice(names['surnames'])}"
        town = draws.choice(names["town_head"]) + draws.choice(names["town_tail"])
        head = draws.choice(self.topic.heads)
        entity = f"{town} {head}"
        year = draws.between(1780, 1990)
        measure = draws.choice(self.topic.measures)
        return {
            "entity": entity,
            "entity_s": f"{entity}'s",
            "the_entity": f"the {entity}",
            "it": f"the {head.lower()}",
            "person": person,
            "surname": person.split()[1],
            "colleague": colleague,
            "colleague_surname": colleague.split()[1],
            "he": "she" if woman else "he",
            "his": "her" if woman else "his",
            "him": "her" if woman else "him",
            "town": town,
            "year": str(year),
            "year2": str(year + draws.between(6, 34)),
            "measure": f"a {measure.quantity} of {draws.between(measure.low, measure.high)} {measure.unit}",
        }

    def phrase(self, rule: str) -> str:
        """One expansion of a rule, or one word of the cast, as it stands."""
        if rule in self.cast:
            return self.draws.choice(self.cast[rule])
        out: list[str] = []
        expand(self.rules[rule], self.draws.unit, self.cast, out)
        return "".join(out)

    def sentence(self, rule: str) -> str:
        """One sentence, or a heading or headline, of a rule."""
        return tidy(self.phrase(rule))

    def sentences(self, *rules: str) -> str:
        """One sentence of each rule, joined to a paragraph."""
        return " ".join(tidy(self.phrase(rule)) for rule in rules)

    def paragraph(self, opening: tuple[str, ...] = (), count: int | None = None, rule: str = "body") -> str:
        """A paragraph of 2 to 6 sentences: the opening's, then `rule`'s with a fact or a quotation among them."""
        draws = self.draws
        count = draws.between(2, 6) if count is None else count
        chosen = list(opening)
        while len(chosen) < count:
            spot = draws.unit()
            chosen.append(rule if spot < 0.82 else "fact" if spot < 0.93 else "quote")
        return self.sentences(*chosen)

    def length(self, median: int = MEDIAN_WORDS) -> int:
        """The number of sentences for a page: log-normal in words, between 130 and 6,000 of them."""
        # Box-Muller, from two uniform draws
        normal = math.sqrt(-2.0 * math.log(1.0 - self.draws.unit())) * math.cos(2.0 * math.pi * self.draws.unit())
        words = median * math.exp(SPREAD * normal)
        return int(min(max(words, 130.0), 6000.0) / WORDS_A_SENTENCE)
