"""The fast encoder gives the reference's ids or none at all; where the two differ, the text decides what happens, not luck."""

from __future__ import annotations

import gzip
import json
import logging
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.tokenize import checked_encoder, probes
from curation.tokenize.characters import States
from curation.tokenize.checked_encoder import CheckedEncoder, Encoder, drawn
from curation.tokenize.fast import FastTokenizer, encode_column
from curation.tokenize.fastokens_encoder import FastokensEncoder, open_fastokens
from curation.tokenize.huggingface import HuggingFaceTokenizer, from_json_bytes
from curation.tokenize.kernels.encoding import are_all
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.tiktoken_ranks import GPT2, TiktokenTokenizer
from curation.tokenize.tokenizer import Lengths, Tokenizer, Tokens
from curation.tokenize.train import train_bpe

pytest.importorskip("fastokens")

FAST = ["gpt2", "gpt2/vocab.json", "gpt-neox-20b", "phi-3", "cl100k_base", "o200k_base"]
SLOW = ["bert-base-uncased", "t5-small", "mistral-7b/tokenizer.model.v1", "sentencepiece-test/test_model.model"]
CORPORA = ["c4-text-200.jsonl.xz", "arxiv.jsonl.xz", "stack_exchange.jsonl.xz", "redpajama-cc-2023-06.jsonl.gz"]

ASTRAL = "\U0001e4d0"  # a letter of Unicode 15


def split(tokens: Tokens, lengths: Lengths) -> list[list[int]]:
    return [part.tolist() for part in np.split(tokens, np.cumsum(lengths)[:-1])]


def same(fast: Tokenizer, texts: list[str]) -> bool:
    assert isinstance(fast, FastTokenizer)
    pairs = zip(fast.encode_batch(texts), fast.reference.encode_batch(texts), strict=True)
    return all(np.array_equal(left, right) for left, right in pairs)


@pytest.fixture(scope="module")
def reference() -> HuggingFaceTokenizer:
    """A small vocabulary: the letters a, b, c, spaces, and what the bytes leave."""
    return from_json_bytes(train_bpe(["abc bcd cab zebra  zebra\n\n 12 123"] * 9, 300), "own", None)


@pytest.fixture(scope="module")
def opened(tokenizers_folder: Path) -> Callable[[str], FastTokenizer]:
    """The real tokenizers of `FAST`, opened once."""
    known: dict[str, FastTokenizer] = {}

    def open_one(path: str) -> FastTokenizer:
        if path not in known:
            loaded = load_tokenizer(tokenizers_folder / path)
            assert isinstance(loaded, FastTokenizer)
            known[path] = loaded
        return known[path]

    return open_one


class Faulty:
    """The right encoder with a fault: texts that hold `sign` get one token more, or an error."""

    def __init__(self, right: Encoder, sign: str, error: bool = False) -> None:
        self.right, self.sign, self.error = right, sign, error
        self.seen: list[str] = []

    def encode(self, texts: pa.Array, proven: States | None = None) -> tuple[Tokens, Lengths]:
        strings = texts.to_pylist()
        self.seen += strings
        wrong = [self.sign in string for string in strings]
        if self.error and any(wrong):
            raise ValueError
        ids = [
            [*row, 5] if bad else row for row, bad in zip(split(*self.right.encode(texts, proven)), wrong, strict=True)
        ]
        flat = np.array([token for row in ids for token in row], np.int32)
        return flat, np.fromiter(map(len, ids), np.int64)


def faulty(reference: HuggingFaceTokenizer, sign: str, error: bool = False) -> tuple[FastTokenizer, Faulty]:
    right = open_fastokens(reference)
    assert right is not None
    encoder = Faulty(right, sign, error)
    return FastTokenizer(reference, lambda: encoder), encoder


@pytest.mark.parametrize("path", FAST)
def test_is_fast(opened: Callable[[str], FastTokenizer], path: str) -> None:
    """These are not silently left to the reference; none of 4,600 to 14,000 probes tells the two apart."""
    assert opened(path).checked is not None


@pytest.mark.parametrize("path", SLOW)
def test_others_are_the_references(tokenizers_folder: Path, path: str) -> None:
    loaded = load_tokenizer(tokenizers_folder / path)
    assert not isinstance(loaded, FastTokenizer) or loaded.checked is None


@pytest.mark.parametrize("path", FAST)
def test_real_texts(opened: Callable[[str], FastTokenizer], shared: Path, path: str) -> None:
    """The Human Rights declaration in its languages, novels, web pages, papers. Oracle: the reference libraries."""
    folder = shared / "data/text"
    articles = lzma.decompress((folder / "udhr/udhr2.jsonl.xz").read_bytes()).decode().splitlines()
    texts = [line[:1500] for line in articles]
    texts += [lzma.decompress(path.read_bytes()).decode()[:40_000] for path in sorted((folder / "novels").glob("*.xz"))]
    for name in CORPORA:
        content = (folder / "web-samples" / name).read_bytes()
        lines = (lzma if name.endswith("xz") else gzip).decompress(content).decode().splitlines()[:30]
        texts += [str(json.loads(line)["text"])[:5000] for line in lines]
    assert len(texts) > 300
    assert same(opened(path), texts)


STRINGS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" \n\r\t'sSlLaB019.!\u180e\u0301中é\u3000<|>")),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(STRINGS, max_size=8))
@pytest.mark.parametrize("path", ["gpt2", "gpt-neox-20b", "phi-3", "cl100k_base", "o200k_base"])
def test_any_text(opened: Callable[[str], FastTokenizer], path: str, texts: list[str]) -> None:
    """Oracle: the reference libraries."""
    assert same(opened(path), texts)


def test_mongolian_vowel_separator(tokenizers_folder: Path) -> None:
    """By its own pattern, not by its code for cl100k_base, fastokens 0.3.5 takes U+180E for a space; tiktoken does not.

    Texts that hold it are tiktoken's, and only these.
    """
    reference = load_tokenizer(tokenizers_folder / "cl100k_base", engine="reference")
    assert isinstance(reference, TiktokenTokenizer)
    import fastokens

    path = str(tokenizers_folder / "cl100k_base/cl100k_base.tiktoken")
    encoder = FastokensEncoder(fastokens.Tokenizer.from_tiktoken(path, pattern=reference.pattern))
    text = "one \u180etwo"
    assert encoder.encode(pa.array([text]))[0].tolist() != reference.encode_batch([text])[0].tolist()
    fast = FastTokenizer(reference, lambda: encoder)
    assert fast.checked is not None
    assert fast.checked._trusted([text, "one two"])[0] is None
    assert fast.checked._trusted([text, "one two"])[1] is not None
    assert same(fast, [text, "one two", "\u180e", "a\u180e\u180e  \u180eb"])


def test_character_that_differs(reference: HuggingFaceTokenizer) -> None:
    """Texts with the character are the reference's, whatever stands beside them; others are the fast encoder's."""
    fast, encoder = faulty(reference, ASTRAL)
    assert fast.checked is not None
    encoder.seen.clear()
    texts = ["abc", f"ab{ASTRAL}c", "é", f"{ASTRAL}"]
    assert same(fast, texts)
    assert set(texts) & set(encoder.seen) == {"abc", "é"}
    assert same(fast, texts[::-1])
    assert same(fast, [ASTRAL])


@pytest.mark.parametrize("sign", ["\n\n", "99", "\t ", "'s", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "</s>", "\x00", "A{"])
def test_difference_on_a_probe(reference: HuggingFaceTokenizer, sign: str, caplog: pytest.LogCaptureFixture) -> None:
    """The reference encodes everything, and the log says so."""
    fast, encoder = faulty(reference, sign)
    with caplog.at_level(logging.WARNING):
        assert fast.checked is None
    assert "differs from the library of 'own'" in caplog.text
    encoder.seen.clear()
    assert same(fast, ["abc", f"a{sign}b"])
    assert encoder.seen == []


def test_token_that_differs(reference: HuggingFaceTokenizer) -> None:
    """The vocabulary's own tokens are probes: "zebra" is in no hard text."""
    assert not any("zebra" in text for text in probes.texts([], []))
    assert " zebra" in reference.spellings()
    assert faulty(reference, "zebra")[0].checked is None


def test_difference_in_the_sample(reference: HuggingFaceTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that no probe shows: a text of the sample ends the run with one line; no text stands in it."""
    sign = "bbccbbcc"
    fast, _ = faulty(reference, sign)
    assert fast.checked is not None
    texts = [f"{number} {sign} {number}" for number in range(3000)]
    sample = [texts[row] for row in drawn(pa.array(texts))]
    assert 0 < len(sample) < 15
    for batch in ([sample[0]], [*texts[:3], sample[0], "abc"], [f"{sample[0]}", ASTRAL]):
        with pytest.raises(UserError, match="set tokenize.engine: reference") as caught:
            fast.encode_batch(batch)
        assert "\n" not in str(caught.value) and sign not in str(caught.value)
    monkeypatch.setattr(checked_encoder, "ONE_IN", 1)
    with pytest.raises(UserError):
        fast.encode_batch([next(text for text in texts if text not in sample)])
    assert same(fast, ["abc", "bbcc"])


def test_text_that_it_gives_up_on(reference: HuggingFaceTokenizer) -> None:
    fast, encoder = faulty(reference, "bbccbbcc", error=True)
    assert fast.checked is not None
    encoder.seen.clear()
    assert same(fast, ["abc", "1 bbccbbcc 2", "", "cab"])
    assert encoder.seen.count("cab") == 2  # with the others, then alone


def test_batches_do_not_matter(reference: HuggingFaceTokenizer) -> None:
    fast, _ = faulty(reference, ASTRAL)
    texts = ["", "abc", ASTRAL, "<|endoftext|>", "é", "a<|endoftext|>b", ""]
    together = split(*fast.encode_batch(texts))
    assert together == [fast.encode_batch([text])[0].tolist() for text in texts]
    assert fast.end_of_document not in [token for row in together for token in row]


@given(
    texts=st.lists(
        st.text(st.sampled_from("abc é\u180e\u1e4d\0") | st.just(ASTRAL), max_size=9) | st.just("<|endoftext|>")
    )
)
@settings(deadline=None)
def test_a_column_has_the_ids_of_its_texts(reference: HuggingFaceTokenizer, texts: list[str]) -> None:
    fast, _ = faulty(reference, ASTRAL)
    column = pa.array(["of another batch", *texts, "é"], pa.string()).slice(1, len(texts))
    for mine, expected in zip(encode_column(fast, column), reference.encode_batch(texts), strict=True):
        assert np.array_equal(mine, expected) and mine.dtype == expected.dtype


@given(
    text=st.text(st.sampled_from("abcdefgh é\u07ff\u0800\uffff\U00010000\U0010ffff"), max_size=40),
    bad=st.sampled_from("é\uffff\U0010ffff"),
)
def test_all_characters_are_looked_at(text: str, bad: str) -> None:
    state = np.ones(0x110000, np.uint8)
    state[ord(bad)] = 2
    raw = np.frombuffer(text.encode(), np.uint8)
    assert are_all(raw, state, 1) == (bad not in text)
    if len(raw) and raw[-1] > 127:
        assert not are_all(raw[:-1], state, 1)  # cut within a character


def test_a_column_is_held_to_the_reference_and_encoded_in_one_go(reference: HuggingFaceTokenizer) -> None:
    fast, encoder = faulty(reference, "bbccbbcc")
    assert fast.checked is not None and fast.checked.encode_column(pa.array(["é", "ab"])) is not None
    encoder.seen.clear()
    texts = [f"{number} bbccbbcc {number}" for number in range(3000)]
    with pytest.raises(UserError, match="set tokenize.engine: reference"):
        encode_column(fast, pa.array(texts))
    assert encoder.seen == texts


def test_end_of_documents_is_text(opened: Callable[[str], FastTokenizer], tokenizers_folder: Path) -> None:
    """Phi-3 does not mark "</s>" as special, so the fast encoder, too, finds it in text: such texts are the reference's."""
    fast = load_tokenizer(tokenizers_folder / "phi-3", "</s>")
    assert isinstance(fast, FastTokenizer) and fast.checked is not None
    assert fast.end_of_document in fast.checked._encoder.encode(pa.array(["a</s>b"]))[0]
    assert fast.checked._trusted(["a</s>b", "ab"])[0] is None
    assert same(fast, ["a</s>b", "ab", "</s></s>", "</s> "])


class PanicException(BaseException):
    """What a panic of a Rust library looks like in Python."""


@pytest.mark.parametrize(
    ("raised", "seen"),
    [(PanicException, ValueError), (MemoryError, ValueError), (KeyboardInterrupt, KeyboardInterrupt)],
)
def test_errors_of_the_library(raised: type[BaseException], seen: type[BaseException]) -> None:
    """A panic passes the text on to the reference; the user's interrupt stays one."""

    class Raising:
        def encode_batch_flat(self, strings: list[str], split_special_tokens: bool) -> None:
            raise raised

    with pytest.raises(seen):
        FastokensEncoder(Raising()).encode(pa.array(["a"]))


def test_lone_surrogate(opened: Callable[[str], FastTokenizer]) -> None:
    """No UTF-8 has one; what the reference says of it is what comes."""
    fast = opened("gpt2")
    with pytest.raises(TypeError):
        fast.reference.encode_batch(["\ud800"])
    with pytest.raises(TypeError):
        fast.encode_batch(["a", "\ud800"])


def test_the_next_encoder_is_tried(reference: HuggingFaceTokenizer) -> None:
    """What is not there, and what differs on a probe, is passed by."""
    right = open_fastokens(reference)
    assert right is not None
    wrong, found = Faulty(right, "99"), Faulty(right, ASTRAL)
    fast = FastTokenizer(reference, lambda: None, lambda: wrong, lambda: found)
    assert fast.checked is not None and fast.checked._encoder is found
    assert same(fast, ["abc", "99"])


def test_without_the_library(reference: HuggingFaceTokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastokens", None)
    fast = FastTokenizer(reference, lambda: open_fastokens(reference))
    assert fast.checked is None
    assert same(fast, ["abc", ASTRAL])


def test_gpt2_by_tiktoken(tokenizers_folder: Path) -> None:
    """Ranks made of merges are opened, too, and the temporary file is gone."""
    from curation.tokenize import gpt2_files
    from curation.tokenize.fast import with_fast_encoder

    merges = (tokenizers_folder / "gpt2/merges.txt").read_bytes()
    fast = with_fast_encoder(TiktokenTokenizer(GPT2, gpt2_files.byte_ranks(merges), ""))
    assert isinstance(fast, FastTokenizer) and fast.checked is not None
    assert same(fast, ["It's 12345  o'clock\n\n", "<|endoftext|>"])


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads the Linux way")
@pytest.mark.parametrize(("asked", "most"), [({}, 1), ({"RAYON_NUM_THREADS": "3"}, 3)])
def test_one_thread(asked: dict[str, str], most: int) -> None:
    """One thread of its own, whatever the machine has, and no setting left behind for other libraries."""
    program = (
        "import os, pyarrow; from curation.tokenize.train import train_bpe; "
        "from curation.tokenize.fastokens_encoder import open_fastokens; "
        "from curation.tokenize.huggingface import from_json_bytes; own = from_json_bytes(train_bpe(['abc'], 260), 'own', None); "
        "before = len(os.listdir('/proc/self/task')); open_fastokens(own).encode(pyarrow.array(['abc'] * 99)); "
        "print(len(os.listdir('/proc/self/task')) - before, os.environ.get('RAYON_NUM_THREADS'))"
    )
    ours = ("RAYON_NUM_THREADS", "TOKENIZERS_PARALLELISM")
    environment = {name: value for name, value in os.environ.items() if name not in ours} | asked
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=root, capture_output=True, text=True)
    threads, left = done.stdout.split()
    assert 1 <= int(threads) <= most
    assert left == asked.get("RAYON_NUM_THREADS", "None")


def test_all_characters_are_tried_once(reference: HuggingFaceTokenizer) -> None:
    right = open_fastokens(reference)
    assert right is not None
    encoder = Faulty(right, "no such sign")
    checked = CheckedEncoder(reference, encoder)
    checked.encode(["éü", "ü"])
    assert len(encoder.seen) == 4  # two characters, two texts
    checked.encode(["üé"])
    assert len(encoder.seen) == 5
