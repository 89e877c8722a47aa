"""Presidio's recognisers come without the analyzer, and nothing of them is left in the analyzer's way."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import ModuleType

import pytest

from curation.redact import presidio
from tests.pipeline.prepared import ENVIRONMENT

if importlib.util.find_spec("presidio_analyzer") is None:
    pytest.skip("no presidio-analyzer", allow_module_level=True)

PROGRAM = """
import sys
from curation.redact.recognisers import spans
print([spans(kind, "jane@example.org, +1 415-555-2671") for kind in ("email", "phone", "iban")])
print(sorted({"presidio_analyzer", "spacy", "torch", "transformers"} & {name.split(".")[0] for name in sys.modules}))
"""


def test_a_worker_that_redacts_imports_no_spacy_and_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[[(0, 16)], [(18, 33)], []]", "[]"]


def test_what_was_imported_before_is_there_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "presidio_analyzer"]:
        monkeypatch.delitem(sys.modules, name)
    whole, part = ModuleType("presidio_analyzer"), ModuleType("presidio_analyzer.pattern")
    whole.__spec__ = importlib.util.find_spec("presidio_analyzer")
    monkeypatch.setitem(sys.modules, "presidio_analyzer", whole)
    monkeypatch.setitem(sys.modules, "presidio_analyzer.pattern", part)
    found = presidio.import_presidio()
    assert found.Pattern.__module__ == "presidio_analyzer.pattern" and not hasattr(part, "Pattern")
    names = [name for name in sys.modules if name.split(".")[0] == "presidio_analyzer"]
    assert sorted(names) == ["presidio_analyzer", "presidio_analyzer.pattern"]
    assert sys.modules["presidio_analyzer"] is whole


def test_where_a_release_keeps_them_elsewhere_the_whole_package_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presidio, "RECOGNISERS", {"elsewhere.email_recognizer": "EmailRecognizer"})
    whole, all_of_them = ModuleType("presidio_analyzer"), ModuleType("presidio_analyzer.predefined_recognizers")
    whole.__spec__ = importlib.util.find_spec("presidio_analyzer")
    whole.Pattern, all_of_them.EmailRecognizer = object(), object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "presidio_analyzer", whole)
    monkeypatch.setitem(sys.modules, "presidio_analyzer.predefined_recognizers", all_of_them)
    found = presidio.import_presidio()
    assert found.Pattern is whole.Pattern and found.EmailRecognizer is all_of_them.EmailRecognizer  # type: ignore[attr-defined]
