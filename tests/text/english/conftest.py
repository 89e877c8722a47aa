"""The packaged tables, and the installed spaCy that they are compared with."""

from __future__ import annotations

import unicodedata
from importlib.metadata import version
from typing import Any

import pytest

from curation.text.english import rules
from curation.text.english.rules import Rules
from curation.text.english.tables import UNICODE
from curation.text.spacy_loading import without_torch
from tests.text.english.reading import Reader


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """spaCy's blank English tokenizer, if it is of the versions that the project is pinned to."""
    if not version("spacy").startswith("3.8."):
        pytest.skip(f"spaCy {version('spacy')} is outside the project's range, >=3.8,<3.9: its rules may differ")
    with without_torch():
        import spacy
    return spacy.blank("en").tokenizer


@pytest.fixture(scope="session")
def installed(tokenizer: Any) -> Rules:
    return rules.installed()


@pytest.fixture(scope="session")
def pinned_unicode() -> None:
    """For tests that compare the tables with this Python's own characters."""
    if unicodedata.unidata_version != UNICODE:
        pytest.skip(f"the tables are pinned to Unicode {UNICODE}, this Python has {unicodedata.unidata_version}")
