"""Word lists: the topics' nouns, verbs and adjectives from `topics/*.yaml`, inflected as the grammar needs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

HERE = Path(__file__).parent
PLURALS = {"shelf": "shelves", "loaf": "loaves", "knife": "knives", "half": "halves", "roof": "roofs"}
VOWELS = "aeiou"


def words(text: str | list[str]) -> list[str]:
    """The comma-separated entries of a list in a word file."""
    return [word.strip() for word in text.split(",")] if isinstance(text, str) else [str(word) for word in text]


def plural(noun: str) -> str:
    """The regular plural of an English noun or compound (its last word is inflected)."""
    head, _, last = noun.rpartition(" ")
    if last in PLURALS:
        last = PLURALS[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2] not in VOWELS:
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{head} {last}".strip()


def third_person(verb: str) -> str:
    """`carry` -> `carries`, `push` -> `pushes`, `map` -> `maps`."""
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ies"
    return verb + "s"


def past(verb: str, doubled: bool) -> str:
    """The regular past: `carry` -> `carried`, `date` -> `dated`, `map` (doubled) -> `mapped`."""
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ied"
    return verb + (verb[-1] if doubled else "") + "ed"


def gerund(verb: str, doubled: bool) -> str:
    """`date` -> `dating`, `map` (doubled) -> `mapping`, `dye` -> `dyeing`."""
    if verb.endswith("e") and not verb.endswith(("ee", "ye")):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if doubled else "") + "ing"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb's forms."""

    base: str
    third: str
    past: str
    participle: str
    gerund: str


PARTICIPLES = {
    "rewrote": "rewritten",
    "drew": "drawn",
    "hid": "hidden",
    "wove": "woven",
    "drove": "driven",
    "shrank": "shrunk",
}
DOUBLED_GERUNDS = {"spin", "split", "upset"}


def verb(entry: str) -> Verb:
    """A verb from its entry: `date`, `map+` (last letter doubled), `rebuild_rebuilt` (irregular past)."""
    base, _, irregular = entry.rstrip("+").partition("_")
    doubled = entry.endswith("+")
    simple_past = irregular or past(base, doubled)
    participle = PARTICIPLES.get(simple_past, simple_past)
    return Verb(base, third_person(base), simple_past, participle, gerund(base, doubled or base in DOUBLED_GERUNDS))


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity that pages of a topic state: `a depth of 43 metres`."""

    quantity: str
    unit: str
    low: int
    high: int


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """What pages of one topic speak about. `lists` gives the grammar its words by the name of the slot."""

    name: str
    lists: dict[str, list[str]]
    heads: list[str]
    measures: list[Measure]


def read_topic(path: Path) -> Topic:
    """One file of `topics/`."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    things = words(data["things"])
    acts = [verb(entry) for entry in words(data["acts"])]
    effects = [verb(entry) for entry in words(data["effects"])]
    lists = {
        "role": words(data["roles"]),
        "agents": words(data["agents"]),
        "thing": things,
        "things": [plural(thing) for thing in things],
        "stuff": words(data["stuff"]),
        "adjective": words(data["adjectives"]),
        "place": words(data["places"]),
        "time": words(data["times"]),
        "act": [v.base for v in acts],
        "act3": [v.third for v in acts],
        "acted": [v.past for v in acts],
        "done": [v.participle for v in acts],
        "acting": [v.gerund for v in acts],
        "effect": [v.base for v in effects],
        "effect3": [v.third for v in effects],
        "effected": [v.past for v in effects],
    }
    measures = [Measure(q, u, int(low), int(high)) for q, u, low, high in (m.split("|") for m in data["measures"])]
    return Topic(path.stem, lists, words(data["heads"]), measures)


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, by name."""
    return tuple(read_topic(path) for path in sorted((HERE / "topics").glob("*.yaml")))


@cache
def english() -> dict[str, list[str]]:
    """The rules and names of `english.yaml`."""
    rules = yaml.safe_load((HERE / "english.yaml").read_text(encoding="utf-8"))
    return {name: [str(alternative) for alternative in alternatives] for name, alternatives in rules.items()}


ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])(?!(?:u[ns]e|uni|use|one|eu)\w)")


ECHO = re.compile(r"\b([a-z-]{3,}(?: [a-z]+)?)(?:,| and) \1\b")
START = re.compile(r'(?:^"?|[.?!] "?|– )[a-z]')


def tidy(sentence: str) -> str:
    """Puts `an` before vowels, `rain` for `rain and rain`, and capitals at starts, behind a quotation mark or dash too."""
    return START.sub(lambda start: start[0].upper(), ARTICLE.sub(r"\1n ", ECHO.sub(r"\1", sentence)))
