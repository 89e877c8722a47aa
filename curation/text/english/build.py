"""Writes the tables of the English tokenizer from the installed spaCy, or checks that they are still its rules.

    python -m curation.text.english.build           writes `tables.npz` and prints what is in it
    python -m curation.text.english.build --check   writes nothing; exit code 1 and one line if the tables are not spaCy's

Takes a few seconds. The same input gives the same file.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from importlib.metadata import version

import numpy as np

from connectors.errors import UserError
from curation.text.english import assumptions, candidates, characters, rules, special_cases
from curation.text.english.alternatives import Classes, alternatives
from curation.text.english.layout import BY_PYTHON, DOMAIN_LETTER, FIXED_CLASSES, OFFSETS, SAME, Tables
from curation.text.english.rules import Rules
from curation.text.english.tables import FILE, UNICODE, Origin, read, write


def build(of: Rules) -> Tables:
    """The tables of these rules.

    Raises `UserError` if a rule cannot be compiled, if the kernels' assumptions do not hold, or under a Python of
    another Unicode than the one that the tables are pinned to.
    """
    if unicodedata.unidata_version != UNICODE:
        raise UserError(
            f"The tables are pinned to Unicode {UNICODE}, this Python has {unicodedata.unidata_version}: use Python 3.11."
        )
    found = Classes(first_bit=FIXED_CLASSES)
    affixes = [
        alternatives(of.prefix, "start", found),
        alternatives(of.suffix, "end", found),
        alternatives(of.infix, "none", found),
    ]
    domain_letters = found.members[found.bit_of_class(f"[{of.domain_letters}]")]
    classes = characters.class_bits(characters.fixed_classes() | {DOMAIN_LETTER: domain_letters} | found.members)
    assumptions.check(of, classes)
    candidate, groups = candidates.groups(affixes, classes)
    normal, pool = characters.normal_forms()
    page, classes, candidate, normal = characters.paged(classes, candidate, normal)
    return Tables(
        page=page,
        classes=classes,
        candidates=candidate,
        normal=normal,
        pool=pool,
        alternatives=candidates.rows([alternative for set_ in affixes for alternative in set_]),
        groups=groups,
        specials=special_cases.specials(of),
        phrases=special_cases.phrases(of),
    )


def origin(of: Rules) -> Origin:
    """What tables that are built here and now are built from."""
    return Origin(of.digest(), version("spacy"), unicodedata.unidata_version, version("regex"))


def difference(of: Rules) -> str | None:
    """One line if the packaged tables are not those of these rules, None if they are.

    Raises `UserError` as `build` and `read` do.
    """
    packaged, built_from = read(FILE)
    here = origin(of)
    if built_from.rules != here.rules:
        return (
            f"spaCy {here.spacy} has other rules than spaCy {built_from.spacy}, which the tables were built from: "
            f"digest {here.rules[:12]}, not {built_from.rules[:12]}."
        )
    rebuilt = build(of)
    differing = [name for name in Tables._fields if not np.array_equal(getattr(packaged, name), getattr(rebuilt, name))]
    if not differing:
        return None
    return (
        f"The packaged tables differ from those that are built here, in {', '.join(differing)}; they were built with "
        f"regex {built_from.regex}, here it is {here.regex}."
    )


def _summary(tables: Tables, built_from: Origin) -> str:
    normal = tables.normal[tables.page[:, None] * 256 + np.arange(256)]
    rows = {
        "rules (SHA-256)": built_from.rules,
        "spaCy, Unicode, regex": ", ".join(built_from[1:]),
        "alternatives of affixes": len(tables.alternatives),
        "groups of alternatives": int(tables.groups[0]) - 1,
        "classes of characters": int(tables.classes.max()).bit_length(),
        "distinct pages of 256 code points": len(tables.classes) // 256,
        "code points with another normal form": int((normal != SAME).sum()),
        "of these normalised in Python": int((normal == BY_PYTHON).sum()),
        "special cases": int(tables.specials[OFFSETS + 1] - tables.specials[OFFSETS]) - 1,
        "tokens that spell special cases": int(tables.phrases[OFFSETS + 1] - tables.phrases[OFFSETS]) - 1,
        "bytes of the file": FILE.stat().st_size,
    }
    return "\n".join(f"{name:<37}{value}" for name, value in rows.items())


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m curation.text.english.build", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the packaged tables are spaCy's rules")
    try:
        check = parser.parse_args(arguments).check
        installed = rules.installed()
        if check:
            wrong = difference(installed)
        else:
            write(FILE, build(installed), origin(installed))
            print(_summary(*read(FILE)))
            wrong = None
    except UserError as error:
        wrong = str(error)
    if wrong:
        print(wrong, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
