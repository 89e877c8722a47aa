"""Language by langdetect, a port of Shuyo's language-detection (naive Bayes over character n-grams, 55 languages).

It samples n-grams at random. Here each document gets a generator seeded with the same constant, so its scores depend
on its text alone, whatever came before. Only the first 10,000 characters are read, the bound of the original
detector; scores of 0.1 and less are not reported.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from connectors.errors import missing_extra

MAX_CHARACTERS = 10_000
SEED = 0
CODES = """
af ar bg bn ca cs cy da de el en es et fa fi fr gu he hi hr hu id it ja kn ko lt lv mk ml mr ne nl no pa pl pt ro ru
sk sl so sq sv sw ta te th tl tr uk ur vi zh-cn zh-tw
"""
LANGUAGES = frozenset(CODES.split())


@functools.cache
def _factory() -> Any:
    try:
        from langdetect import detector_factory
    except ImportError:
        raise missing_extra("langdetect", "language") from None
    # Its own loader takes the profiles in the folder's order, which differs between file systems and decides ties.
    profiles = sorted(path for path in Path(detector_factory.PROFILES_DIRECTORY).iterdir() if path.name[0] != ".")
    factory = detector_factory.DetectorFactory()
    factory.load_json_profile([path.read_text(encoding="utf-8") for path in profiles])
    factory.set_seed(SEED)
    return factory


def scores(text: str) -> dict[str, float]:
    """Score by language, best first; empty for a text without letters that the profiles know."""
    from langdetect.lang_detect_exception import LangDetectException

    detector = _factory().create()
    detector.append(text[:MAX_CHARACTERS])
    try:
        found = detector.get_probabilities()
    except LangDetectException:
        return {}
    return {language.lang: min(1.0, float(language.prob)) for language in found}
