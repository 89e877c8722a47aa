"""Block lists by category, in the Toulouse (UT1) layout."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.quality.blacklists import Blacklist, candidates, host_of, known_categories, list_files, open_blacklist

LISTS = {
    "adult/domains": "bad.com\nWWW.alone.org\n10.0.0.1\n",
    "adult/urls": "www.good.com/bad\nhost.net/~a/b/\nsite.com/p?id=1\nframes.com/#p2\n",
    "adult/usage": "black\n",
    "games/domains": "bad.com\ngames.bad.org\n",
    "empty/domains": "",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("blacklists")
    for name, content in LISTS.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(content)
    return str(path)


@pytest.mark.parametrize(
    ("url", "category"),
    [
        ("http://bad.com", "adult"),
        ("https://a.b.BAD.com:8080/x", "adult"),
        ("http://user:pass@bad.com./", "adult"),
        ("http://notbad.com/", None),
        ("http://bad.com.org/", None),
        ("http://x.org/?u=http://bad.com/", None),
        ("http://www.alone.org/", "adult"),
        ("http://alone.org/", None),
        ("http://10.0.0.1/x", "adult"),
        ("http://good.com/bad", "adult"),
        ("http://www.good.com/Bad/more?x=1", "adult"),
        ("http://good.com/badly", None),
        ("http://good.com/", None),
        ("http://host.net/~a/b", "adult"),
        ("http://host.net/~a/c", None),
        ("http://site.com/p?id=1", "adult"),
        ("http://site.com/p?id=1#top", "adult"),
        ("http://site.com/p?id=2", None),
        ("http://frames.com/#p2", "adult"),
        ("http://frames.com/", None),
        ("http://bad.com#top", "adult"),
        ("http://x.games.bad.org/", "games"),
        ("", None),
        ("not an address", None),
        ("http://[::1]/", None),
    ],
)
def test_categories(folder: str, url: str, category: str | None) -> None:
    assert open_blacklist(folder, ("empty", "adult", "games")).category(url) == category


def test_the_first_category_given_decides(folder: str) -> None:
    assert open_blacklist(folder, ("games", "adult")).category("http://bad.com/") == "games"
    assert open_blacklist(folder, ("empty",)).category("http://bad.com/") is None


def test_files_and_categories(folder: str) -> None:
    assert known_categories(folder) == ("adult", "empty", "games")
    assert list_files(folder, ("games", "adult")) == tuple(
        f"{folder}/{name}" for name in ("games/domains", "adult/domains", "adult/urls")
    )
    with pytest.raises(UserError, match=r"no category 'adutl'.* Did you mean 'adult'"):
        open_blacklist(folder, ("adutl",))


def test_a_hash_that_two_entries_share_is_no_hit() -> None:
    import pyarrow as pa
    import xxhash

    key = memoryview((xxhash.xxh3_64_intdigest("good.com")).to_bytes(8, "little")).cast("Q")
    order = memoryview(bytes(4)).cast("I")
    for entry, expected in (("bad.com", None), ("good.com", "adult")):
        entries = pa.array([entry], pa.large_string())
        assert Blacklist(("adult",), key, order, entries, (1,), 0).category("http://good.com/") == expected


@settings(deadline=None)
@given(st.text(max_size=80), st.integers(0, 3))
def test_any_address_has_few_candidates(url: str, depth: int) -> None:
    found = list(candidates(url, depth))
    assert bool(found) == bool(host_of(url))
    assert len(found) <= host_of(url).count(".") + 4 + depth


def test_the_sample_of_toulouse(shared: Path, tmp_path: Path) -> None:
    with tarfile.open(shared / "data/lists/ut1-sample.tar.gz") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.3 and before have none
        archive.extractall(tmp_path)
    categories = ("adult", "gambling", "dating")
    blacklist = open_blacklist(str(tmp_path / "ut1-sample"), categories)
    for category in categories:
        for file in list_files(str(tmp_path / "ut1-sample"), (category,)):
            for entry in Path(file).read_text().splitlines()[:200]:
                assert blacklist.category(f"https://{entry}") in categories, entry
    for url in ("https://en.wikipedia.org/wiki/Gambling", "https://www.example.com/dating", "http://localhost/"):
        assert blacklist.category(url) is None
