"""WARC records: which are pages, which are refused and why, and what damage becomes."""

from __future__ import annotations

import gzip
import io
import random
import resource
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from connectors.records import Limits, Record
from connectors.warc import read

gzipped = partial(gzip.compress, mtime=0)  # a clock in a test's name makes two workers see two tests

LIMITS = Limits(record_bytes=100_000)
PAGE = b"<html><body>hello</body></html>"
HTML = "Content-Type: text/html"


def block(kind: str, content: bytes, *headers: str, url: str = "http://example.com/") -> bytes:
    head = [f"WARC-Type: {kind}", f"WARC-Target-URI: {url}", "WARC-Date: 2024-01-02T03:04:05Z", *headers]
    if not any(line.lower().startswith("content-length") for line in headers):
        head.append(f"Content-Length: {len(content)}")
    return ("WARC/1.0\r\n" + "\r\n".join(head) + "\r\n\r\n").encode() + content + b"\r\n\r\n"


def response(*fields: str, body: bytes = PAGE, status: str = "200 OK", **more: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{field}\r\n" for field in fields) + "\r\n"
    return block("response", head.encode() + body, "Content-Type: application/http; msgtype=response", **more)


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., list[Record]]:
    def of(data: bytes, limits: Limits = LIMITS) -> list[Record]:
        path = tmp_path / "test.warc"
        path.write_bytes(data)
        return list(read(str(path), limits))

    return of


def reason(record: Record) -> str:
    return f"{record.refusal.fate} {record.refusal.reason}" if record.refusal else record.media


def test_a_page(rows: Callable[..., list[Record]]) -> None:
    (record,) = rows(response("Content-Type: Text/HTML; charset=ISO-8859-1", url="<http://example.com/a b\x07>"))
    assert record == Record(0, "http://example.com/ab", "2024-01-02T03:04:05Z", "html", "iso-8859-1", PAGE)


def test_bodies_are_decoded(rows: Callable[..., list[Record]]) -> None:
    packed = gzipped(PAGE)
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    for fields in (
        ("Content-Encoding: gzip", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: gzip, chunked",),
    ):
        (record,) = rows(response(HTML, *fields, body=body))
        assert record.content == PAGE


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (response(), "html"),
        (response(body=b"%PDF"), "removed not_html"),
        (response("Content-Type: image/png"), "removed not_html"),
        (response("Content-Type: application/xhtml+xml"), "html"),
        (response(HTML, status="301 Moved"), "removed redirect"),
        (response(HTML, status="404 Not Found"), "removed error_status"),
        (response("Content-Type: text/plain", url="https://a.example:80/robots.txt?x"), "removed robots_txt"),
        (response(HTML, url="https://a.example/b/robots.txt"), "html"),
        (response(HTML, body=b" \r\n"), "removed empty_body"),
        (response(HTML, "Content-Encoding: gzip", body=b"no gzip"), "quarantined bad_content_encoding"),
        (response(HTML, "Content-Encoding: gzip", body=gzipped(bytes(1 << 20))), "quarantined record_too_large"),
        (response(HTML, "Transfer-Encoding: chunked", body=b"2\r\nab\r\nx\r\n"), "quarantined bad_chunking"),
        (block("response", b"garbage", "Content-Type: application/http"), "quarantined bad_http"),
        (block("response", b"", "Content-Type: application/http"), "removed empty_body"),
        (block("response", b"1.2.3.4", "Content-Type: text/dns"), "removed not_html"),
        (block("resource", PAGE, "Content-Type: text/html"), "html"),
        (block("resource", PAGE, "Content-Type: image/gif"), "removed not_html"),
        (block("conversion", "Grüße".encode(), "Content-Type: text/plain"), "text"),
        (block("conversion", b"\xff\xfe", "Content-Type: text/plain"), "quarantined bad_utf8"),
        (block("conversion", b"\x89PNG", "Content-Type: image/png"), "removed not_html"),
        (block("request", b"GET /"), "removed not_a_response"),
        (block("revisit", b""), "removed revisit"),
        (block("continuation", b"abc"), "removed not_a_response"),
        (block("response", PAGE, HTML, "WARC-Truncated: length"), "quarantined truncated_payload"),
        (block("response", b"", "Content-Length: -1"), "quarantined bad_record_length"),
        (b"", "quarantined empty_file"),
        (b"no archive at all", "quarantined not_a_warc"),
        (gzipped(b"no archive at all"), "quarantined not_a_warc"),
        (gzipped(b""), "quarantined not_a_warc"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_kind_of_record_has_its_reason(
    rows: Callable[..., list[Record]], data: bytes, expected: str, packed: bool
) -> None:
    (record,) = rows(gzipped(data) if packed and data.startswith(b"WARC/") else data)
    assert reason(record) == expected
    assert bool(record.content) == (record.refusal is None)


def test_figures_stand_beside_the_reason(rows: Callable[..., list[Record]]) -> None:
    redirect, large = rows(response(status="302 Found") + response(HTML, body=bytes(200_000)))
    assert redirect.refusal is not None and redirect.refusal.value == 302
    assert large.refusal is not None and large.refusal.reason == "record_too_large"
    assert large.refusal.value is not None and large.refusal.value > 200_000 and large.refusal.threshold == 100_000


def test_a_huge_record_costs_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.warc.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(f"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {200 << 20}\r\n\r\n".encode())
        for _ in range(200):
            file.write(bytes(1 << 20))
        file.write(b"\r\n\r\n")
    with path.open("ab") as end:
        end.write(gzipped(response(HTML)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB; counts what FastWARC holds, too
    tracemalloc.start()
    assert [reason(record) for record in read(str(path), LIMITS)] == ["quarantined record_too_large", "html"]
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_offsets_are_members_rise_and_do_not_repeat(rows: Callable[..., list[Record]]) -> None:
    one = response(HTML)
    member = gzipped(one)
    assert [record.offset for record in rows(one * 3)] == [0, len(one), 2 * len(one)]
    assert [record.offset for record in rows(member * 3)] == [0, len(member), 2 * len(member)]
    together = [record.offset for record in rows(gzipped(one * 3) + member)]
    assert together[0] == 0 and together == sorted(set(together)) and len(together) == 4


@pytest.mark.parametrize("packed", [False, True])
def test_ranges_are_slices_of_the_whole(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "test.warc.gz"
    data = [gzipped(response(HTML, url=f"http://a/{i}")) for i in range(6)]
    data[3] = data[3][:50] + b"damage" + data[3][56:] if packed else data[3]
    path.write_bytes(b"".join(data)[:-5])
    whole = list(read(str(path), LIMITS))
    assert len(whole) == 7
    for first in range(8):
        for stop in (None, *range(first, 9)):
            assert list(read(str(path), LIMITS, first, stop)) == whole[first:stop]


def test_reading_goes_on_behind_a_broken_member(rows: Callable[..., list[Record]]) -> None:
    members = [gzipped(response(HTML, url=f"http://a/{i}")) for i in range(4)]
    broken = bytearray(members[1])
    broken[60] ^= 255
    for middle in (bytes(broken), b"garbage", bytes(100), gzipped(b"not WARC"), members[1][:80]):
        found = rows(members[0] + middle + members[2] + members[3])
        assert [reason(record) for record in found] == ["html", "quarantined broken_archive", "html", "html"]
        assert [record.url for record in found if record.content] == ["http://a/0", "http://a/2", "http://a/3"]


def test_a_cut_archive_says_so_wherever_it_is_cut(rows: Callable[..., list[Record]]) -> None:
    one, two = gzipped(response(HTML)), gzipped(response(HTML, body=random.Random(0).randbytes(500)))
    for cut in range(len(one) + 3, len(one + two)):
        found = rows((one + two)[:cut])
        assert reason(found[0]) == "html"
        assert reason(found[-1]) == "quarantined truncated_archive"
        assert found[-1].offset == cut
    assert [reason(record) for record in rows(one + two)] == ["html", "html"]


def test_many_records_in_one_cut_member_are_noticed(rows: Callable[..., list[Record]]) -> None:
    data = gzipped(b"".join(response(HTML, body=PAGE + random.Random(i).randbytes(300)) for i in range(4)))
    assert [reason(record) for record in rows(data)] == ["html"] * 4
    for cut in range(20, len(data)):
        assert reason(rows(data[:cut])[-1]) == "quarantined truncated_archive"


def test_a_cut_plain_archive_yields_no_cut_page(rows: Callable[..., list[Record]]) -> None:
    data = response(HTML)
    for cut in range(8, len(data) - 4):
        found = rows(data[:cut])
        assert found and all(record.refusal is not None for record in found)


@pytest.mark.parametrize(
    "name", ["derived/warcfile.dict.warc.zst", "files/chatnoir-resiliparse--block-sized-records.warc.lz4"]
)
def test_cut_frames_of_zstd_and_lz4_are_noticed(rows: Callable[..., list[Record]], shared: Path, name: str) -> None:
    whole = (shared / "data/archives" / name).read_bytes()
    assert not any("archive" in reason(record) for record in rows(whole))
    for cut in range(len(whole) - 200, len(whole), 37):
        assert reason(rows(whole[:cut])[-1]) == "quarantined truncated_archive"


def test_a_failing_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 1 << 20:
                raise OSError(5, "Input/output error")
            return super().read(size)

    monkeypatch.setattr("connectors.warc.open_input", lambda uri: Failing(response(HTML) * 10_000))
    with pytest.raises(OSError, match="Input/output error"):
        list(read("failing.warc", LIMITS))
    with pytest.raises(FileNotFoundError):
        monkeypatch.undo()
        list(read(str(tmp_path / "absent.warc"), LIMITS))


def test_random_damage_never_raises_and_always_ends(shared: Path, tmp_path: Path) -> None:
    """Seeded mutations of real archives, packed and plain: rising offsets, at least one row, the same rows by range."""
    folder = shared / "data/archives"
    seeds = [path.read_bytes() for path in sorted(folder.glob("*/*arc*")) if path.stat().st_size < 60_000]
    chance = random.Random(20240101)
    path = tmp_path / "mutated"
    for _ in range(300):
        data = bytearray(chance.choice(seeds))
        packed = data.startswith(b"\x1f\x8b") and chance.random() < 0.5
        if packed:
            try:
                data = bytearray(gzip.decompress(data))
            except (OSError, EOFError):
                packed = False
        for _ in range(chance.choice((1, 3, 10))):
            at = chance.randrange(len(data) + 1)
            change = chance.choice(("replace", "remove", "insert", "cut"))
            end = {"replace": at + 1, "remove": at + chance.randrange(200), "insert": at, "cut": len(data)}[change]
            data[at:end] = b"" if change in ("remove", "cut") else chance.randbytes(chance.randrange(1, 20))
        path.write_bytes(gzipped(data) if packed else data)
        records = list(read(str(path), LIMITS))
        offsets = [record.offset for record in records]
        assert records and offsets == sorted(set(offsets))
        assert all((record.refusal is None) == bool(record.content) for record in records)
        middle = len(records) // 2
        assert list(read(str(path), LIMITS, middle)) == records[middle:]


def test_a_real_archive_cut_at_every_kth_byte(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.warc.gz"
    data = (shared / "data/archives/files/chatnoir-resiliparse--warcfile.warc.gz").read_bytes()
    path.write_bytes(data)
    whole = list(read(str(path), LIMITS))
    ends = [record.offset for record in whole[1:]] + [len(data)]
    for cut in range(1, len(data), 2003):
        path.write_bytes(data[:cut])
        records = list(read(str(path), LIMITS))
        read_whole = sum(end <= cut for end in ends)
        assert records[:read_whole] == whole[:read_whole]
        assert all(record == whole[read_whole] or not record.content for record in records[read_whole:])
        assert cut in ends or reason(records[-1]).startswith("quarantined")
