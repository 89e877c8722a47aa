"""Presidio's recognisers, imported without the analyzer that its package brings along.

`import presidio_analyzer` takes 6 CPU seconds and 430 MB in every worker where torch and transformers are installed, and a
second without them: it imports spaCy and the others for engines that nothing here uses. The recognisers need none of that.
So the `__init__` files of the packages above them are not run: empty packages stand in their places while the modules are
imported, and are gone afterwards. Whoever imports presidio_analyzer himself gets all of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, util
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

NAME = "presidio_analyzer"
EMPTY = (
    "",
    ".nlp_engine",
    ".predefined_recognizers",
    ".predefined_recognizers.generic",
    ".predefined_recognizers.country_specific",
    ".predefined_recognizers.country_specific.us",
)
BASES = {
    "analysis_explanation": "AnalysisExplanation",
    "recognizer_result": "RecognizerResult",
    "entity_recognizer": "EntityRecognizer",
    "local_recognizer": "LocalRecognizer",
    "pattern": "Pattern",
    "pattern_recognizer": "PatternRecognizer",
}  # in the order in which they import each other, from the package
RECOGNISERS = {
    "generic.email_recognizer": "EmailRecognizer",
    "generic.ip_recognizer": "IpRecognizer",
    "generic.phone_recognizer": "PhoneRecognizer",
    "generic.credit_card_recognizer": "CreditCardRecognizer",
    "generic.iban_recognizer": "IbanRecognizer",
    "country_specific.us.us_ssn_recognizer": "UsSsnRecognizer",
}


def import_presidio() -> Any:
    """The recognisers of `RECOGNISERS` and the class `Pattern`, as attributes. Raises `ImportError` without Presidio."""
    package = util.find_spec(NAME)
    if package is None or not package.submodule_search_locations:
        raise ImportError(NAME)
    try:
        with empty_packages(Path(package.submodule_search_locations[0])) as root:
            for module, name in BASES.items():
                setattr(root, name, getattr(import_module(f"{NAME}.{module}"), name))
            for module, name in RECOGNISERS.items():
                setattr(root, name, getattr(import_module(f"{NAME}.predefined_recognizers.{module}"), name))
            return root
    except ImportError:  # a release in which they lie elsewhere
        classes = vars(import_module(NAME)) | vars(import_module(f"{NAME}.predefined_recognizers"))
        return SimpleNamespace(**classes)


@contextmanager
def empty_packages(folder: Path) -> Iterator[ModuleType]:
    """Meanwhile the packages of `EMPTY` hold nothing but the way to their modules. Gives the uppermost."""
    aside = {name: sys.modules.pop(name) for name in list(sys.modules) if f"{name}.".startswith(f"{NAME}.")}
    try:
        for name in EMPTY:
            package = ModuleType(NAME + name)
            package.__path__ = [str(folder.joinpath(*name.split(".")))]
            sys.modules[NAME + name] = package
        sys.modules[f"{NAME}.nlp_engine"].NlpArtifacts = object  # type: ignore[attr-defined]  # a type in signatures alone
        yield sys.modules[NAME]
    finally:
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{NAME}.")]:
            del sys.modules[name]
        sys.modules.update(aside)
