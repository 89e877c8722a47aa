"""The step that keeps out what was erased: by capture, address, domain, text and likeness; and tombstones that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.dedup.keys import text_hashes
from curation.dedup.shingles import Shingling, text_shingles
from curation.dedup.sketches import sketches
from curation.erased import Erased
from curation.erased.tombstones import (
    DOMAIN_HASH,
    PATH,
    SIMILARITY,
    SKETCHES,
    TEXT_HASH,
    URL_HASH,
    Tombstones,
    no_tombstones,
    packed,
    read_tombstones,
    seal_of,
)
from curation.recipes.load import parse_recipe
from curation.run.documents import DOC_ID

WORDS = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
TEXT = " ".join(WORDS)
SEAL = seal_of("ab" * 32, Shingling())


def stones(similarity: float = 0.8) -> Tombstones:
    rows: list[dict[str, Any]] = [
        {DOC_ID: b"\x01" * 16},
        {URL_HASH: SEAL.address("https://gone.example/page?b=1&a=2")},
        {DOMAIN_HASH: SEAL.domain("person.example")},
        {TEXT_HASH: SEAL.text(text_hashes(pa.array(["Short text."]))[0].as_py())},
        {SKETCHES: packed(sketches(text_shingles([TEXT], Shingling())))[0], SIMILARITY: similarity},
    ]
    return no_tombstones(SEAL).with_rows(rows)


def written(folder: Path, tombstones: Tombstones) -> str:
    path = folder / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(tombstones.table.cast(tombstones.schema), path)
    return str(folder)


def batch_of(texts: list[str], urls: list[str]) -> pa.RecordBatch:
    ids = pa.array([bytes([row]) * 16 for row in range(len(texts))], pa.binary(16))
    return pa.RecordBatch.from_pydict({"doc_id": ids, "url": urls, "text": texts})


def test_what_is_kept_out(tmp_path: Path) -> None:
    near, far = [*WORDS], [*WORDS]
    near[50] = far[20] = far[40] = far[60] = far[80] = "changed"
    texts = ["a", "b", "c", "d", "e", " Short\n text. ", "Short text", TEXT, " ".join(near), " ".join(far)]
    urls = [""] * 10
    urls[2:5] = ["http://www.gone.example/page/?a=2&b=1#x", "http://www.a.person.example/", "http://notperson.example/"]
    step = Erased(runs=(written(tmp_path, stones()),))
    done = step(batch_of(texts, urls))
    assert [row for row, fate in enumerate(done["fate"].to_pylist()) if fate == "removed"] == [1, 2, 3, 5, 7, 8]
    assert set(done["step"].to_pylist()) == {"erased", None} == set(done["reason"].to_pylist())
    assert done["value"].to_pylist()[7:9] == [1.0, pytest.approx(91 / 101)] and done["value"].null_count == 8
    assert done["threshold"].to_pylist()[7:9] == [0.8, 0.8]


def test_a_text_is_near_enough_by_the_tombstones_own_threshold(tmp_path: Path) -> None:
    near = " ".join(["changed" if n == 50 else word for n, word in enumerate(WORDS)])
    for similarity, removed in ((0.9, 1), (0.95, 0)):
        step = Erased(runs=(written(tmp_path / str(similarity), stones(similarity)),))
        assert step(batch_of([near], [""]))["fate"].to_pylist().count("removed") == removed


def test_tombstones_of_several_runs(tmp_path: Path) -> None:
    other = seal_of("cd" * 32, Shingling())
    more = no_tombstones(other).with_rows([{URL_HASH: other.address("http://other.example/")}])
    step = Erased(runs=(written(tmp_path / "a", stones()), f"{written(tmp_path / 'b', more)}/{PATH}"))
    done = step(
        batch_of(["x", "y", "z"], ["http://other.example", "http://x.person.example/y", "http://stays.example/"])
    )
    assert done["fate"].to_pylist() == ["removed", "removed", None]


def test_the_same_rows_in_any_order_are_the_same_tombstones() -> None:
    rows = stones().table.to_pylist()
    again = no_tombstones(SEAL).with_rows(rows[::-1]).with_rows(rows[:2])
    assert again.table.equals(stones().table) and len(again.table) == 5


def test_nothing_of_text_or_address_can_be_read_in_the_file(tmp_path: Path) -> None:
    content = (Path(written(tmp_path, stones())) / PATH).read_bytes()
    for secret in (b"person.example", b"gone.example", b"wordaa", b"Short"):
        assert secret not in content
    assert SEAL.domain("person.example") != seal_of("cd" * 32, Shingling()).domain("person.example")


def test_what_holds_no_tombstones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no tombstones: name a run from which `corpusmill erase` erased something"):
        Erased(runs=(str(tmp_path),))
    path = Path(written(tmp_path, stones())) / PATH
    pq.write_table(pa.table({"doc_id": [b"x"]}), path)
    with pytest.raises(UserError, match="holds no tombstones that this version reads, or is damaged"):
        read_tombstones(str(path))
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match="holds no tombstones that this version reads, or is damaged"):
        Erased(runs=(str(tmp_path),))


def test_shingles_travel_with_the_file(tmp_path: Path) -> None:
    shingling = Shingling(characters=9, languages={"zh": {"characters": 5}})  # type: ignore[dict-item]
    seal = seal_of("ab" * 32, shingling)
    read = read_tombstones(f"{written(tmp_path, no_tombstones(seal))}/{PATH}")
    assert read.seal == seal


def test_a_recipe_names_runs(tmp_path: Path) -> None:
    run = written(tmp_path, stones())
    recipe = parse_recipe({"recipe": "r", "erased": [run], "redact": ["ip"]}, "here")
    assert [step.name for step in recipe.refine_steps][-2:] == ["redact", "erased"]
    assert recipe.files == [f"{run}/{PATH}"] and recipe.resolved()["erased"] == [run]
