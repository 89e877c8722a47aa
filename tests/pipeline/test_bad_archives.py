"""Bad input is data: what cannot be read ends in quarantine with its reason, and the run ends well."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.audit.verify import verify
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from tests.pipeline import ledger_of
from tests.pipeline.prepared import ENVIRONMENT, ROOT

GIGABYTE = 1 << 30
RECORD = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:0>\r\nWARC-Target-URI: https://large.example/\r\n"
    b"WARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
)
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"


def reasons(run: Path, archive: str) -> list[tuple[str, str]]:
    """Fate and reason of the records of one archive."""
    records = ledger_of.table(run, "records").select(["doc_id", "archive"]).to_pylist()
    fates = ledger_of.fates(run)
    rows = [fates[record["doc_id"]] for record in records if record["archive"] == archive]
    return [(row["fate"], row["reason"]) for row in rows]


def test_damaged_archives_end_in_quarantine_rows_and_the_good_one_is_as_ever(
    light_run: Path, light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "crawl"
    folder.mkdir()
    good = (crawl / "00001.warc.gz").read_bytes()
    (folder / "00001.warc.gz").write_bytes(good)
    (folder / "cut.warc.gz").write_bytes((crawl / "00002.warc.gz").read_bytes()[:-7000])
    (folder / "empty.warc.gz").write_bytes(b"")
    (folder / "no_archive.warc.gz").write_bytes(b"%PDF-1.4 " + os.urandom(5000))
    (folder / "no_records.warc.gz").write_bytes(gzip.compress(b"nothing of this is a record\n" * 50))
    (folder / "middle.warc.gz").write_bytes(good[:20000] + b"\xff" * 3000 + good[23000:])
    (folder / "lines.jsonl").write_bytes(b'{"text": "a short line"}\n{"text": \nnull\n')

    summary = curate(str(light_recipe), str(folder), str(tmp_path / "run"), engine=engine)

    assert verify(summary.run) == []
    ended = {name: reasons(tmp_path / "run", name) for name in os.listdir(folder)}
    assert ended["empty.warc.gz"] == [("quarantined", "empty_file")]
    assert ended["no_archive.warc.gz"] == [("quarantined", "not_a_warc")]
    assert ended["no_records.warc.gz"] == [("quarantined", "not_a_warc")]
    assert ended["cut.warc.gz"][-1] == ("quarantined", "truncated_archive") and len(ended["cut.warc.gz"]) > 10
    assert ("quarantined", "broken_archive") in ended["middle.warc.gz"] and len(ended["middle.warc.gz"]) > 10
    assert [fate for fate, _ in ended["lines.jsonl"]].count("quarantined") == 2
    whole = reasons(light_run, "00001.warc.gz")
    assert len(ended["00001.warc.gz"]) == len(whole)


def test_a_file_of_a_kind_that_nobody_knows_is_told_of_before_any_work(
    light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "crawl"
    folder.mkdir()
    (folder / "00001.warc.gz").write_bytes((crawl / "00001.warc.gz").read_bytes())
    (folder / "notes").write_text("what lies about in a folder")
    with pytest.raises(UserError, match="Cannot tell what kind of file .*notes is"):
        curate(str(light_recipe), str(folder), str(tmp_path / "run"), engine=engine)
    assert not (tmp_path / "run").exists()


MEASURED = """
import pathlib, re, sys
from curation.pipeline.refine import RefinePass
from curation.recipes.load import load_recipe
from curation.run.folder import RunFolder
from curation.run.split import plan_splits
(split,) = plan_splits([sys.argv[2]])
receipt = RefinePass(RunFolder(sys.argv[3]), "plan", load_recipe(sys.argv[1]), "session")(split)
# not ru_maxrss: that begins with the peak of the process that started this one
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text()).group(1)
print(receipt.records, int(peak) // 1024)
"""


@pytest.mark.parametrize("form", ["record of a gigabyte", "body that unpacks to a gigabyte", "endless header"])
def test_a_gigabyte_in_one_record_takes_little_memory(form: str, light_recipe: Path, tmp_path: Path) -> None:
    """A few hundred kilobytes of gzip; the peak is that of the whole worker, its libraries included."""
    archive = tmp_path / "in" / "large.warc.gz"
    archive.parent.mkdir()
    if form == "record of a gigabyte":
        pieces = [RECORD % (len(HTTP) + GIGABYTE), HTTP]
        write_gzip(archive, pieces, GIGABYTE)
        expected = "record_too_large"
    elif form == "body that unpacks to a gigabyte":
        body = tmp_path / "body.gz"
        write_gzip(body, [b"<html>"], GIGABYTE)
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n" + body.read_bytes()
        archive.write_bytes(gzip.compress(RECORD % len(http) + http + b"\r\n\r\n"))
        expected = "record_too_large"
    else:
        write_gzip(archive, [b"WARC/1.0\r\nWARC-Type: "], 200 << 20)
        expected = ""
    words = [sys.executable, "-c", MEASURED, str(light_recipe), str(archive), str(tmp_path / "run")]
    done = subprocess.run(words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    records, peak = map(int, done.stdout.split())
    assert peak < 1000, f"{peak} MB"
    rows = ledger_of.table(tmp_path / "run", "refine").to_pylist()
    assert records == len(rows) >= 1 and all(row["fate"] == "quarantined" for row in rows)
    if expected:
        assert [row["reason"] for row in rows] == [expected]
    print(f"{form}: {archive.stat().st_size} bytes of input, peak {peak} MB")


def write_gzip(path: Path, beginning: list[bytes], zeros: int) -> None:
    """A gzip file of some bytes and then zeros, written as a stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(16 << 20)
    with path.open("wb") as file:
        for piece in beginning:
            file.write(packer.compress(piece))
        for _ in range(zeros // len(block)):
            file.write(packer.compress(block))
        file.write(packer.flush())
