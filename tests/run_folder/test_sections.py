"""Files of sections: each section is read alone, whatever the others are, and a file that was cut is an error."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import storage
from curation.run.sections import read_from_all, read_section, write_sections


@given(st.dictionaries(st.integers(0, 11), st.binary(max_size=40)), st.integers(12, 30))
def test_sections_come_back_and_those_left_out_are_empty(sections: dict[int, bytes], count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        uri = f"{folder}/in/a/folder"
        written = write_sections(uri, sorted(sections.items()), count)
        content = Path(uri).read_bytes()
        assert (written.bytes, written.sha256) == (len(content), "")  # nobody keeps it: the size is enough
        assert [read_section(uri, number) for number in range(count)] == [sections.get(n, b"") for n in range(count)]


def test_no_sections_at_all(tmp_path: Path) -> None:
    write_sections(f"{tmp_path}/none", [], 3)
    assert [read_section(f"{tmp_path}/none", number) for number in range(3)] == [b"", b"", b""]
    write_sections(f"{tmp_path}/nobody", [], 0)


def test_the_same_section_of_many_files_in_their_order(tmp_path: Path) -> None:
    uris = [f"{tmp_path}/{name}" for name in "cab"]
    for uri in uris:
        write_sections(uri, [(1, uri[-1:].encode())], 2)
    assert list(read_from_all(uris, 1)) == [b"c", b"a", b"b"] and list(read_from_all(uris, 0)) == [b"", b"", b""]


@pytest.mark.parametrize("numbers", [[1, 0], [0, 0], [3], [-1]])
def test_numbers_must_ascend_and_fit(tmp_path: Path, numbers: list[int]) -> None:
    with pytest.raises(AssertionError):
        write_sections(f"{tmp_path}/file", [(number, b"x") for number in numbers], 3)
    assert list(tmp_path.iterdir()) == []  # nothing half written


def test_a_file_that_could_not_be_written_whole_is_not_there(tmp_path: Path) -> None:
    def sections() -> Iterator[tuple[int, bytes]]:
        yield 0, b"x" * 100
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_sections(f"{tmp_path}/file", sections(), 3)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_cut_is_an_error_for_what_is_missing(tmp_path: Path) -> None:
    uri = f"{tmp_path}/file"
    write_sections(uri, [(0, b"first"), (2, b"second")], 3)
    whole = Path(uri).read_bytes()
    Path(uri).write_bytes(whole[:-1])
    assert read_section(uri, 0) == b"first" and read_section(uri, 1) == b""
    with pytest.raises(ValueError, match="was cut: section 2 has 5 bytes of 6"):
        read_section(uri, 2)
    for kept in (0, 8, 20):
        Path(uri).write_bytes(whole[:kept])
        with pytest.raises(ValueError):
            read_section(uri, 2)


def test_one_section_costs_one_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only two offsets and the section's own bytes are read."""
    uri = f"{tmp_path}/file"
    write_sections(uri, [(number, bytes([number]) * 1000) for number in range(100)], 100)
    read: list[int] = []

    class Counted:
        def __init__(self, file: object) -> None:
            self.file = file

        def __enter__(self) -> Counted:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()  # type: ignore[attr-defined]

        def seek(self, *place: int) -> int:
            return self.file.seek(*place)  # type: ignore[attr-defined,no-any-return]

        def read(self, count: int) -> bytes:
            read.append(count)
            return self.file.read(count)  # type: ignore[attr-defined,no-any-return]

    opened = storage.open_input
    monkeypatch.setattr(storage, "open_input", lambda uri: Counted(opened(uri)))
    assert read_section(uri, 57) == b"\x39" * 1000
    assert sum(read) == 1016
