"""The URL filter. Oracle where named: datatrove 0.10.1, `URLFilter`, without its downloads."""

from __future__ import annotations

import importlib.util
import logging
import pickle
import socket
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.quality.url import SHIPPED, UrlFilter, _normalized
from curation.run.documents import URL, Verdict

LISTS = {
    "domains": "# blocked\nbad.com\nsub.good.co.uk\n\n",
    "urls": "http://a.example/x?y=1\n",
    "words": "Casino\nwarez\n",
    "soft_words": "hot\nfree\nteen-\n",
    "subwords": "freepics\n",
}


@pytest.fixture
def step(tmp_path: Path) -> UrlFilter:
    for name, lines in LISTS.items():
        (tmp_path / f"{name}.txt").write_text(lines)
    return UrlFilter(**{name: str(tmp_path / f"{name}.txt") for name in LISTS}, shipped_lists=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("http://www.bad.com/", ("domain", 1, 0)),
        ("http://sub.good.co.uk/a", ("subdomain", 1, 0)),
        ("http://good.co.uk/a", None),
        ("http://a.example/x?y=1", ("url", 1, 0)),
        ("http://a.example/x?y=2", None),
        ("http://a.example/casino/warez", ("hard_blacklisted", 2, 0)),
        ("http://a.example/Casino", None),  # as it stands in the address, an upper-case letter saves it
        ("http://a.example/casinos", None),
        ("http://hot.example/free", ("soft_blacklisted", 2, 1)),
        ("http://hot.example/hot", None),
        ("http://a.example/FREE-pics", ("blacklisted_subword", 1, 0)),
        ("not a url", None),
        ("http://[::1/", None),
        ("http://10.0.0.1/", None),
    ],
)
def test_verdicts(step: UrlFilter, url: str, verdict: tuple[str, float, float] | None) -> None:
    assert step.verdict(url) == (Verdict("removed", *verdict) if verdict else None)


def test_documents_without_an_address_go_on(step: UrlFilter) -> None:
    batch = pa.record_batch({URL: pa.array(["", "http://a.example/warez"], pa.string())})
    out = pickle.loads(pickle.dumps(step))(batch).to_pylist()
    assert [row["reason"] for row in out] == [None, "hard_blacklisted"]
    assert [row["step"] for row in out] == [None, "url"]


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "domains").write_text("one.com\n")
    (tmp_path / "a.txt").write_text("two.com\n")
    step = UrlFilter(domains=[str(tmp_path)])  # type: ignore[arg-type]
    assert step.verdict("http://one.com/") == Verdict("removed", "domain", 1, 0)
    assert step.verdict("http://two.com/") == Verdict("removed", "domain", 1, 0)
    assert step.files == (str(tmp_path / "a.txt"), str(tmp_path / "b" / "domains"))


def test_a_missing_list_is_one_line() -> None:
    with pytest.raises(UserError, match="'no/such/list' of the URL filter does not exist"):
        UrlFilter(domains="no/such/list")  # type: ignore[arg-type]


def test_nothing_is_fetched(step: UrlFilter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    from curation.quality import url

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    url._extractor.cache_clear()
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with caplog.at_level(logging.DEBUG):
        assert step.verdict("http://www.bad.com/") is not None
    assert "Exception" not in caplog.text


def test_shipped_lists() -> None:
    step = UrlFilter()
    assert step.verdict("http://warez.example/") == Verdict("removed", "hard_blacklisted", 1, 0)
    assert step.verdict("https://en.wikipedia.org/wiki/Sussex") is None
    assert step.verdict("https://www.bbc.co.uk/news/uk-england-essex-12345") is None
    for file in sorted(SHIPPED.glob("*.txt")):
        entries = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert entries == sorted(set(map(_normalized, entries))), file.name


def test_shipped_lists_spare_real_pages(shared: Path) -> None:
    """The 4,000 golden documents come from benchmarks of ordinary pages: hardly any may fall."""
    import gzip
    import json

    step = UrlFilter()
    with gzip.open(shared / "bench/corpus_en_4000.jsonl.gz") as corpus:
        removed = [url for line in corpus if step.verdict(url := json.loads(line)["url"])]
    assert len(removed) < 20


@pytest.fixture
def blacklists(tmp_path: Path) -> str:
    for name, lines in {"adult": "bad.com\n", "press": "news.org\n"}.items():
        (tmp_path / "lists" / name).mkdir(parents=True)
        (tmp_path / "lists" / name / "domains").write_text(lines)
    return str(tmp_path / "lists")


def test_blacklists_by_category(blacklists: str) -> None:
    step = UrlFilter(blacklists=blacklists, categories=("adult",))
    assert step.verdict("http://a.bad.com/x") == Verdict("removed", "blacklist_adult", 1, 0)
    assert step.verdict("http://news.org/") is None
    assert step.files == (f"{blacklists}/adult/domains",)


def test_allowed_domains_are_never_removed(blacklists: str, tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text("bad.com\n")
    allowed = str(tmp_path / "allowed")
    step = UrlFilter(blacklists=blacklists, categories=("adult", "press"), allow_domains=allowed)  # type: ignore[arg-type]
    assert step.verdict("http://bad.com/warez") is None
    assert step.verdict("http://WWW.bad.com:80/") is None
    assert step.verdict("http://notbad.com/warez") == Verdict("removed", "hard_blacklisted", 1, 0)
    assert step.verdict("http://news.org/bad.com") == Verdict("removed", "blacklist_press", 1, 0)
    assert step.files[0] == allowed


def test_mistakes_with_blacklists_are_one_line(blacklists: str) -> None:
    with pytest.raises(UserError, match="Did you mean 'adult'"):
        UrlFilter(blacklists=blacklists, categories=("adlut",))
    with pytest.raises(UserError, match="name the categories that remove.* has: adult, press"):
        UrlFilter(blacklists=blacklists)
    with pytest.raises(UserError, match="blacklists: FOLDER"):
        UrlFilter(categories=("adult",))


def test_equal_to_datatrove(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over its own words, on real addresses and on addresses made of the words."""
    folder = shared / "data/lists/datatrove-url-words"
    oracle = _oracle(monkeypatch, folder, ["bad.com", "sub.good.co.uk"], ["http://a.example/x"])
    (tmp_path / "domains").write_text("bad.com\nsub.good.co.uk\n")
    (tmp_path / "urls").write_text("http://a.example/x\n")
    step = UrlFilter(
        domains=str(tmp_path / "domains"),  # type: ignore[arg-type]
        urls=str(tmp_path / "urls"),  # type: ignore[arg-type]
        words=str(folder / "banned_words.txt"),  # type: ignore[arg-type]
        soft_words=str(folder / "soft_banned_words.txt"),  # type: ignore[arg-type]
        subwords=str(folder / "banned_subwords.txt"),  # type: ignore[arg-type]
        shipped_lists=False,
    )
    vocabulary = sorted({word.strip() for file in folder.glob("*.txt") for word in file.read_text().splitlines()})
    hosts = ["www.bad.com", "sub.good.co.uk", "good.co.uk", "a.example", "10.0.0.1", "localhost"]
    words = st.lists(st.sampled_from(vocabulary) | st.sampled_from(["x", "News", "2024"]), max_size=4)

    @settings(deadline=None, max_examples=500)
    @given(st.sampled_from(hosts), words, st.sampled_from(["-", "/", "_", "", "%20"]))
    def compare(host: str, parts: list[str], joint: str) -> None:
        url = f"http://{host}/{joint.join(parts)}"
        verdict = step.verdict(url)
        assert (True if verdict is None else (False, verdict.reason)) == oracle(url)

    compare()


class Automaton:
    """Stands in for pyahocorasick, which need not be installed: finds any of its words in a string."""

    def __init__(self, *_: object) -> None:
        self.words: list[str] = []

    def __len__(self) -> int:
        return len(self.words)

    def add_word(self, word: str, _: int) -> None:
        self.words.append(word)

    def make_automaton(self) -> None:
        pass

    def iter(self, string: str) -> Iterator[str]:
        return (word for word in self.words if word in string)


def _oracle(
    monkeypatch: pytest.MonkeyPatch, folder: Path, domains: list[str], urls: list[str]
) -> Callable[[str], bool | tuple[bool, str]]:
    """datatrove's filter over local lists."""
    pytest.importorskip("datatrove")
    if importlib.util.find_spec("ahocorasick") is None:
        stand_in = types.ModuleType("ahocorasick")
        vars(stand_in).update(Automaton=Automaton, STORE_INTS=0)
        monkeypatch.setitem(sys.modules, "ahocorasick", stand_in)
    monkeypatch.setattr("datatrove.pipeline.base.check_required_dependencies", lambda *_: None)
    module = pytest.importorskip("datatrove.pipeline.filters.url_filter")
    document = pytest.importorskip("datatrove.data").Document

    def entries(name: str) -> list[str]:
        return (folder / name).read_text().splitlines(keepends=True)

    block = module.URLFilter(
        extra_domains=domains,
        extra_urls=urls,
        banned_words=entries("banned_words.txt"),
        banned_subwords=entries("banned_subwords.txt"),
        soft_banned_words=entries("soft_banned_words.txt"),
        use_integrated_lists=False,
    )
    from tldextract import TLDExtract

    block.tldextractor = TLDExtract(cache_dir=None, suffix_list_urls=())
    return lambda url: block.filter(document(text="", id="", metadata={"url": url}))
