"""Pages in other languages: a grammar and word lists each, in `languages/*.yaml`. A new one is a new file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from curation.sample.grammar import Rule, compile_grammar, expand
from curation.sample.randomness import Draws
from curation.sample.skins import Block
from curation.sample.texts import Text

LANGUAGES = Path(__file__).parent / "languages"


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language: the labels of its sites' furniture, and a grammar for each topic (none for English)."""

    code: str
    charsets: list[str]
    direction: str
    joint: str  # between two sentences
    nav: list[str]
    legal: list[str]
    more: str
    skip: str
    cookie: str
    grammars: dict[str, dict[str, Rule]]


def read_language(path: Path) -> Language:
    """One file of `languages/`."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    grammars = {
        topic: compile_grammar(
            {**data["rules"], **{name: [str(w) for w in ws] for name, ws in lists.items()}}, frozenset()
        )
        for topic, lists in data.get("topics", {}).items()
    }
    labels = {name: data[name] for name in ("charsets", "nav", "legal", "more", "skip", "cookie")}
    return Language(
        code=path.stem, direction=data.get("dir", "ltr"), joint=data.get("joint", " "), grammars=grammars, **labels
    )


@cache
def languages() -> dict[str, Language]:
    """All languages by code."""
    return {path.stem: read_language(path) for path in sorted(LANGUAGES.glob("*.yaml"))}


@cache
def foreign() -> tuple[Language, ...]:
    """The languages other than English, by code."""
    return tuple(language for language in languages().values() if language.grammars)


def foreign_text(draws: Draws, number: int) -> Text:
    """A page in the language whose turn it is."""
    language = foreign()[number % len(foreign())]
    topic = draws.choice(list(language.grammars))
    grammar = language.grammars[topic]

    def write(rule: str) -> str:
        out: list[str] = []
        expand(grammar[rule], draws.unit, {}, out)
        sentence = "".join(out)
        return sentence[0].upper() + sentence[1:]

    blocks: list[Block] = []
    for i in range(draws.between(3, 11)):
        if i and draws.chance(0.3):
            blocks.append(Block("h2", write("heading")))
        blocks.append(Block("p", language.joint.join(write("sentence") for _ in range(draws.between(2, 6)))))
    return Text("foreign", topic, language.code, write("title"), tuple(blocks))
