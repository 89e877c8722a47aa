"""A run that makes an index, and a later one that is deduplicated against it, by the whole engine and the commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.audit.verify import verify
from curation.dedup.index import read_index
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from curation.recipes.load import parse_recipe
from tests.dedup.runs import text
from tests.pipeline import ledger_of
from tests.pipeline.prepared import command, content

Document = tuple[str, str]  # URL and text


def recipe(minhash: str = "{}", **dedup: Any) -> str:
    told = {"url": True, "exact": True, **dedup}
    lines = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in told.items())
    return f"recipe: r\nextract: {{}}\ntokenize: null\nredact: []\ndedup:\n  minhash: {minhash}\n{lines}"


EARLIER: dict[str, list[Document]] = {
    "a": [("http://a.b/1", text(1)), ("http://a.b/2", text(2)), ("http://a.b/3", text(1))],  # the third is out itself
    "b": [("http://a.b/4", text(3)), ("http://a.b/5", text(4))],
}
LATER: list[Document] = [
    ("https://www.a.b/1/", text(10)),  # the page
    ("http://c.d/2", text(2)),  # the text
    ("http://c.d/3", text(3, 4)),  # a similar one
    ("http://c.d/4", text(11)),  # of its own
    ("http://c.d/5", text(11, 3)),  # similar to that
    ("http://a.b/3", text(12)),  # the address of one that the earlier run itself left out
]


def write_jsonl(folder: Path, files: dict[str, list[Document]]) -> None:
    folder.mkdir(parents=True)
    for name, documents in files.items():
        rows = [json.dumps({"url": url, "text": text}) for url, text in documents]
        (folder / f"{name}.jsonl").write_text("\n".join(rows))


def write_parquet(path: Path, documents: list[Document]) -> None:
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"url": [url for url, _ in documents], "text": [text for _, text in documents]}), path)


def write_recipe(folder: Path, name: str, told: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(told)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("indexed")


@pytest.fixture(scope="module")
def first(folder: Path, engine: LocalEngine) -> Path:
    """A finished run with an index; not to be changed."""
    write_jsonl(folder / "old", EARLIER)
    made = write_recipe(folder, "first", recipe(index=True))
    curate(made, f"{folder}/old/*.jsonl", str(folder / "first"), engine=engine)
    return folder / "first"


@pytest.fixture(scope="module")
def second(folder: Path, first: Path, engine: LocalEngine) -> Path:
    """A finished run against the index of the first, with one of its own; not to be changed."""
    write_parquet(folder / "new" / "c.parquet", LATER)
    made = write_recipe(folder, "second", recipe(against=[str(first)], index=True))
    curate(made, str(folder / "new"), str(folder / "second"), engine=engine)
    return folder / "second"


def told(run: Path) -> dict[str, tuple[str, str | None, bytes | None]]:
    """By URL: fate, reason and the document that stays."""
    names = ledger_of.urls(run)
    return {names[i]: (row["fate"], row["reason"], row["duplicate_of"]) for i, row in ledger_of.fates(run).items()}


def ids(run: Path) -> dict[str, bytes]:
    return {url: doc_id for doc_id, url in ledger_of.urls(run).items()}


def test_the_index_holds_what_the_run_kept(first: Path) -> None:
    index = read_index(str(first))
    kept = {ids(first)[url] for url, (fate, *_) in told(first).items() if fate == "kept"}
    assert index.documents == len(kept) == 4
    rows = [row for file in index.files for row in pq.read_table(f"{index.folder}/{file.path}").to_pylist()]
    assert {row["doc_id"] for row in rows} == kept and len(rows) == 4
    assert {row["url"] for row in rows} == {url for url, doc_id in ids(first).items() if doc_id in kept}
    assert {row["policy_class"] for row in rows} == {0}
    assert all(len(row["sketch"]) == 400 and len(row["keys"]) == 128 for row in rows)
    stored = b"".join((first / "index" / file.path).read_bytes() for file in index.files)
    assert not any(word.encode() in stored for word in text(1).split()[:20])  # no text


def test_what_the_first_kept_is_dropped_from_the_second(first: Path, second: Path) -> None:
    held, own = ids(first), ids(second)
    assert told(second) == {
        "https://www.a.b/1/": ("duplicate", "url", held["http://a.b/1"]),
        "http://c.d/2": ("duplicate", "exact", held["http://a.b/2"]),
        "http://c.d/3": ("duplicate", "minhash", held["http://a.b/4"]),
        "http://c.d/4": ("kept", None, None),
        "http://c.d/5": ("duplicate", "minhash", own["http://c.d/4"]),
        "http://a.b/3": ("kept", None, None),
    }


def test_who_stays_elsewhere_is_named_with_its_address(first: Path, second: Path) -> None:
    held, own = ids(first), ids(second)
    rows = ledger_of.table(second, "elsewhere").to_pylist()
    assert {row["doc_id"]: (row["duplicate_of"], row["address"]) for row in rows} == {
        own["https://www.a.b/1/"]: (held["http://a.b/1"], "http://a.b/1"),
        own["http://c.d/2"]: (held["http://a.b/2"], "http://a.b/2"),
        own["http://c.d/3"]: (held["http://a.b/4"], "http://a.b/4"),
    }
    rates = {
        row["kind"]: row for row in ledger_of.table(second, "removal_rates").to_pylist() if row["kind"] == "source"
    }
    assert (rates["source"]["documents"], rates["source"]["elsewhere"]) == (6, 3)


def test_the_next_index_holds_what_is_new(second: Path) -> None:
    assert read_index(str(second)).documents == 2


def test_both_runs_are_whole_and_a_flipped_byte_is_found(first: Path, second: Path, tmp_path: Path) -> None:
    assert verify(str(first)) == [] and verify(str(second)) == []
    copy = tmp_path / "run"
    shutil.copytree(first, copy)
    for file in ("index/index.json", *(f"index/{file.path}" for file in read_index(str(first)).files)):
        whole = (copy / file).read_bytes()
        (copy / file).write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
        (problem,) = verify(str(copy))
        assert str(problem).startswith(f"{file} was changed")
        (copy / file).write_bytes(whole)
    receipt = copy / "receipts/index/index.json"
    receipt.unlink()
    assert list(map(str, verify(str(copy)))) == ["receipts/index/index.json is missing"]


def test_a_run_again_has_the_same_bytes(second: Path, folder: Path, engine: LocalEngine, tmp_path: Path) -> None:
    curate(str(folder / "second.yaml"), str(folder / "new"), str(tmp_path / "again"), engine=engine, batch_documents=2)
    assert content(tmp_path / "again") == content(second)


def test_two_indexes_merged_are_as_good_as_both(first: Path, second: Path, engine: LocalEngine, tmp_path: Path) -> None:
    done = command("index", first, second, "--to", tmp_path / "both")
    assert done.returncode == 0, done.stderr
    documents = [
        ("http://e.f/1", text(4, 2)),
        ("http://e.f/2", text(11)),
        ("http://e.f/3", text(20)),
        ("http://a.b/3", "x"),
    ]
    write_jsonl(tmp_path / "in", {"d": documents})
    found = []
    for name, against in (("apart", [str(first), str(second)]), ("merged", [str(tmp_path / "both")])):
        made = write_recipe(tmp_path, name, recipe(against=against))
        curate(made, str(tmp_path / "in"), str(tmp_path / name), engine=engine)
        found.append((told(tmp_path / name), ledger_of.table(tmp_path / name, "elsewhere").to_pylist()))
    assert found[0] == found[1]
    assert {url for url, (fate, *_) in found[0][0].items() if fate == "kept"} == {"http://e.f/3"}


def test_the_command_shows_what_indexes_hold(first: Path, second: Path, tmp_path: Path) -> None:
    done = command("index", first, second)
    assert done.returncode == 0 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Indexes of kept documents")
    rows = [line.split("│") for line in lines if "16 bands of 6" in line]
    assert [[cell.strip(" ┃│") for cell in row if cell.strip()][1:3] for row in rows] == [["4", "2"], ["2", "1"]]
    done = command("index", tmp_path)
    assert done.returncode == 2 and "holds no index" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def refused(tmp_path: Path, folder: Path, told: str) -> str:
    """The line that ends a run before any work."""
    made = write_recipe(tmp_path, "refused", told)
    with pytest.raises(UserError) as raised:
        curate(made, str(folder / "new"), str(tmp_path / "run"))
    assert "\n" not in str(raised.value) and not (tmp_path / "run").exists()
    return str(raised.value)


def test_an_index_of_other_bands_is_refused_before_any_work(
    first: Path, second: Path, folder: Path, tmp_path: Path
) -> None:
    for minhash in ("{bands: 14, rows: 8}", "{verify: false}", "{shingles: {words: 13}}", "{target: 0.9}"):
        line = refused(tmp_path, folder, recipe(minhash, against=[str(first)]))
        assert f"{first}/index was made with" in line and "Use the recipe of the index" in line


@pytest.mark.parametrize("damage", ["missing", "cut", "no description", "no index", "no folder"])
def test_an_index_that_is_not_whole_is_refused_before_any_work(
    first: Path, second: Path, folder: Path, tmp_path: Path, damage: str
) -> None:
    copy = tmp_path / "first"
    if damage != "no folder":
        shutil.copytree(first, copy)
        file = copy / "index" / read_index(str(first)).files[1].path
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:-1])
        elif damage == "missing":
            file.unlink()
        elif damage == "no description":
            (copy / "index" / "index.json").write_text("{}")
        else:
            shutil.rmtree(copy / "index")
    line = refused(tmp_path, folder, recipe(against=[str(copy)]))
    expected = {
        "missing": "is missing or not whole",
        "cut": "is missing or not whole",
        "no description": "is not what this version writes",
    }
    assert str(copy) in line and expected.get(damage, "holds no index") in line


def test_another_index_is_another_plan(
    first: Path, second: Path, folder: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    """What an earlier run holds decides bytes: a run goes on only while it is the same."""
    index = tmp_path / "index"
    shutil.copytree(first / "index", index)
    made = write_recipe(tmp_path, "r", recipe(against=[str(index)]))
    curate(made, str(folder / "new"), str(tmp_path / "run"), engine=engine)
    curate(made, str(folder / "new"), str(tmp_path / "run"), engine=engine)  # nothing to do
    shutil.rmtree(index)
    shutil.copytree(second / "index", index)
    with pytest.raises(UserError, match="holds a run of another plan: files"):
        curate(made, str(folder / "new"), str(tmp_path / "run"), engine=engine)


def test_the_commands_that_look_into_a_run_know_of_it(first: Path, second: Path) -> None:
    done = command("why", second, "--url", "http://c.d/3")
    assert done.returncode == 0 and "http://a.b/4" in done.stdout, done.stderr
    done = command("verify", second)
    assert done.returncode == 0


def test_a_recipe_without_minhash_takes_any_index(
    first: Path, second: Path, folder: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    made = write_recipe(tmp_path, "r", recipe("null", against=[str(first)]))
    curate(made, str(folder / "new"), str(tmp_path / "run"), engine=engine)
    reasons = {url: reason for url, (fate, reason, _) in told(tmp_path / "run").items() if fate == "duplicate"}
    assert reasons == {"https://www.a.b/1/": "url", "http://c.d/2": "exact"}


def test_an_index_of_nothing(engine: LocalEngine, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in", {"a": [("http://a.b/1", "")], "b": []})
    made = write_recipe(tmp_path, "r", recipe(index=True))
    curate(made, str(tmp_path / "in"), str(tmp_path / "run"), engine=engine)
    kept = [url for url, (fate, *_) in told(tmp_path / "run").items() if fate == "kept"]
    assert read_index(str(tmp_path / "run")).documents == len(kept)
    assert verify(str(tmp_path / "run")) == []


def test_an_index_is_one_of_the_files_that_decide_a_run(first: Path) -> None:
    loaded = parse_recipe({"recipe": "r", "dedup": {"against": [str(first)]}}, "r.yaml")
    assert f"{first}/index/index.json" in loaded.files
