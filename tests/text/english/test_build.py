"""The packaged tables are what the builder makes of the installed spaCy, and are refused when they are not whole."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.errors import UserError
from curation.text.english import assumptions, build, rules, tables
from curation.text.english.layout import Tables
from curation.text.english.rules import Rules
from curation.text.english.tables import FILE, load, read, write
from curation.text.punctuation import SENTENCE_END
from tests.text.english.reading import Reader


def test_the_packaged_tables_are_those_of_the_installed_spacy(installed: Rules) -> None:
    """The guard: on a failure, rebuild by `python -m curation.text.english.build` and run the parity tests."""
    assert read(FILE)[1].rules == installed.digest()


def test_the_packaged_tables_are_what_is_built_here(installed: Rules, pinned_unicode: None) -> None:
    assert build.difference(installed) is None
    assert FILE.stat().st_size < 100_000


def test_the_same_tables_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "one.npz", *read(FILE))
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
    write(tmp_path / "two.npz", *read(FILE))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"one.npz", "two.npz"}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Rules)])
def test_the_digest_covers_every_rule(field: str) -> None:
    made = Rules("^a", "a$", "a", "url", "a-z", {"x.": ("x", ".")}, {"x.": ("x", ".")})
    value = getattr(made, field)
    changed = {"x.": ("x.",)} if isinstance(value, dict) else value + "b"
    assert dataclasses.replace(made, **{field: changed}).digest() != made.digest()  # type: ignore[arg-type]
    assert dataclasses.replace(made).digest() == made.digest()


def test_check_tells_that_spacy_has_other_rules(
    installed: Rules, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = dataclasses.replace(installed, special_cases={**installed.special_cases, "gonna.": ("gon", "na.")})
    monkeypatch.setattr(rules, "installed", lambda: more)
    assert build.main(["--check"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1 and "other rules than spaCy" in shown.err


def test_check_tells_which_arrays_differ(
    installed: Rules, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    packaged, origin = read(FILE)
    altered = packaged.classes.copy()
    altered[65] ^= 1
    write(tmp_path / "altered.npz", packaged._replace(classes=altered), origin)
    monkeypatch.setattr(rules, "installed", lambda: installed)
    monkeypatch.setattr(build, "FILE", tmp_path / "altered.npz")
    monkeypatch.setattr(build, "build", lambda _: packaged)
    assert build.main(["--check"]) == 1
    shown = capsys.readouterr()
    assert (
        shown.out == ""
        and shown.err.count("\n") == 1
        and "differ from those that are built here, in classes;" in shown.err
    )


def test_build_refuses_a_python_of_another_unicode(installed: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unicodedata, "unidata_version", "15.0.0")
    with pytest.raises(UserError, match="pinned to Unicode 14.0.0, this Python has 15.0.0"):
        build.build(installed)


def test_rules_that_the_kernels_follow_by_hand_must_be_spacys(monkeypatch: pytest.MonkeyPatch, tokenizer: Any) -> None:
    monkeypatch.setattr(rules, "SENTENCE_END", SENTENCE_END | {";"})
    with pytest.raises(UserError, match="the characters that end a sentence"):
        rules.installed()
    monkeypatch.undo()
    monkeypatch.setattr(rules, "_URL", "0" * 64)
    with pytest.raises(UserError, match="the pattern of URLs"):
        rules.installed()


def test_the_assumptions_of_the_kernels_are_checked(installed: Rules, reader: Reader, pinned_unicode: None) -> None:
    entries = (load().page[:, None] * 256 + np.arange(256)).reshape(-1)
    classes = load().classes[entries]
    assumptions.check(installed, classes)
    chained = dataclasses.replace(installed, phrases={**installed.phrases, "ab": ("a", "b"), "bc": ("b", "c")})
    with pytest.raises(UserError, match="share a token"):
        assumptions.check(chained, classes)
    unspelled = dataclasses.replace(installed, phrases={**installed.phrases, "ab": ("a", "c")})
    with pytest.raises(UserError, match="do not spell it"):
        assumptions.check(unspelled, classes)


def test_loading_needs_neither_spacy_nor_datatrove() -> None:
    program = (
        "import sys\n"
        "for name in ('spacy', 'datatrove', 'regex'): sys.modules[name] = None\n"
        "from curation.text.english.tables import load\n"
        "print(len(load().alternatives))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout == "359\n", done.stderr


def test_tables_are_read_once_and_cannot_be_written_to() -> None:
    assert load() is load()
    with pytest.raises(ValueError, match="read-only"):
        load().classes[0] = 1


def _without(name: str) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(FILE) as file:
        return {key: file[key] for key in file.files if key != name}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"layout": np.array("0")}, "it is of another version"),
        ({"origin_unicode": np.array("13.0.0")}, "it has Unicode 13.0.0, not 14.0.0"),
        ({"groups": np.zeros(3)}, "its array 'groups' is not of its type"),
        ({"groups": np.array([None])}, "it is damaged"),
        ({"groups": None}, "it is damaged"),
    ],
)
def test_a_file_that_is_not_of_this_version_is_refused(changed: dict[str, Any], reason: str, tmp_path: Path) -> None:
    arrays = _without(next(iter(changed))) | {name: value for name, value in changed.items() if value is not None}
    np.savez_compressed(tmp_path / "old.npz", allow_pickle=True, **arrays)
    assert _refusal(tmp_path / "old.npz").endswith(f"cannot be used: {reason}. Install corpusmill again.")


@pytest.mark.parametrize("part", [0, 1, 1000, 50_000, -30])
def test_a_damaged_file_is_refused(part: int, tmp_path: Path) -> None:
    whole = FILE.read_bytes()
    path = tmp_path / "damaged.npz"
    path.write_bytes(whole[:part])
    assert "it is damaged" in _refusal(path)
    path.write_bytes(whole[:part] + bytes([whole[part] ^ 255]) + whole[part:][1:])
    assert "it is damaged" in _refusal(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "it is not there" in _refusal(tmp_path / "none.npz")


def _refusal(path: Path) -> str:
    with pytest.raises(UserError) as refused:
        tables.read(path)
    message = str(refused.value)
    assert "\n" not in message and str(path) in message
    return message


def test_every_array_of_the_layout_has_its_type() -> None:
    expected = dict.fromkeys(Tables._fields, "int32") | {"classes": "int64", "pool": "uint8"}
    assert {name: str(array.dtype) for name, array in load()._asdict().items()} == expected
