"""Every kind of tokenizer gives the ids that its own library's plain call gives, and no text can end a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.tokenize import gpt2_files, tiktoken_ranks, tokenizer
from curation.tokenize.fast import with_fast_encoder
from curation.tokenize.loading import Engine, load_tokenizer
from curation.tokenize.tokenizer import Tokenizer

# vector, file or folder, vocabulary, end of document
TOKENIZERS = [
    ("bert-base-uncased", "bert-base-uncased/vocab.txt", 30_522, 102),
    ("cl100k_base", "cl100k_base/cl100k_base.tiktoken", 100_277, 100_257),
    ("gpt-neox-20b", "gpt-neox-20b", 50_277, 0),
    ("gpt2", "gpt2/tokenizer.json", 50_257, 50_256),
    ("gpt2", "gpt2/vocab.json", 50_257, 50_256),
    ("mistral-7b-v1", "mistral-7b/tokenizer.model.v1", 32_000, 2),
    ("mistral-7b-v3", "mistral-7b/mistral_instruct_tokenizer_240323.model.v3", 32_768, 2),
    ("o200k_base", "o200k_base", 200_019, 199_999),
    ("phi-3", "phi-3", 32_011, 32_000),
    ("sentencepiece-test", "sentencepiece-test/test_model.model", 1_000, 2),
    ("sentencepiece-test-ja", "sentencepiece-test/test_ja_model.model", 8_000, 2),
    ("t5-small", "t5-small", 32_100, 1),
]
ENDS = {"phi-3": "</s>"}  # of its two, the one that its file does not mark as special

HOSTILE = [
    "before<|endoftext|>after",
    "</s>",
    "a</s> b</s></s>c <eos> [SEP] <|end_of_text|>",
    "<|endoftext|>" * 50,
    "\uff1c/s\uff1e and <\u200b/s>",
]


def split(tokens: np.ndarray, lengths: np.ndarray) -> list[list[int]]:
    return [part.tolist() for part in np.split(tokens, np.cumsum(lengths)[:-1])]


@pytest.fixture(scope="session")
def gpt2(tokenizers_folder: Path) -> Tokenizer:
    """GPT-2 by tiktoken."""
    merges = (tokenizers_folder / "gpt2/merges.txt").read_bytes()
    return tiktoken_ranks.TiktokenTokenizer(tiktoken_ranks.GPT2, gpt2_files.byte_ranks(merges), "")


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize(("vector", "path", "size", "end"), TOKENIZERS)
def test_ids_equal_the_vectors(
    tokenizers_folder: Path, vectors: dict[str, Any], vector: str, path: str, size: int, end: int, engine: Engine
) -> None:
    """Oracle: tokenizers 0.23.3, tiktoken 0.14.0, sentencepiece 0.2.3 on 594 texts."""
    loaded = load_tokenizer(tokenizers_folder / path, engine=engine)
    tokens, lengths = loaded.encode_batch(vectors["texts"])
    assert (tokens.dtype, lengths.dtype) == (np.int32, np.int64)
    assert split(tokens, lengths) == vectors[vector]
    assert (loaded.vocabulary_size, loaded.end_of_document) == (size, end)


def test_gpt2_by_tiktoken_equals_the_vectors(gpt2: Tokenizer, vectors: dict[str, Any]) -> None:
    """Oracle: tokenizers 0.23.3 on 594 texts."""
    assert split(*gpt2.encode_batch(vectors["texts"])) == vectors["gpt2"]
    assert (gpt2.vocabulary_size, gpt2.end_of_document) == (50_257, 50_256)


@pytest.mark.parametrize(("vector", "path", "size", "end"), TOKENIZERS)
def test_no_text_ends_a_document(tokenizers_folder: Path, vector: str, path: str, size: int, end: int) -> None:
    """A page that spells the end-of-document token gets other tokens for it, and its neighbours their own ids."""
    loaded = load_tokenizer(tokenizers_folder / path, ENDS.get(vector))
    quiet = "An ordinary text."
    tokens, lengths = loaded.encode_batch([quiet, *HOSTILE, quiet])
    assert loaded.end_of_document not in tokens
    parts = split(tokens, lengths)
    assert parts[0] == parts[-1] == loaded.encode_batch([quiet])[0].tolist()
    assert all(len(part) > 1 for part in parts[1:5])


@pytest.mark.parametrize(
    ("path", "spelled", "special"),
    [
        ("bert-base-uncased", "[MASK]", 103),
        ("cl100k_base", "<|fim_prefix|>", 100_258),
        ("gpt-neox-20b", "<|padding|>", 1),
        ("mistral-7b/mistral_instruct_tokenizer_240323.model.v3", "[INST]", 3),
        ("phi-3", "<|assistant|>", 32_001),
    ],
)
def test_other_special_tokens_are_text_too(tokenizers_folder: Path, path: str, spelled: str, special: int) -> None:
    assert special not in load_tokenizer(tokenizers_folder / path).encode_batch([f"a {spelled} b"])[0]


def test_cut_spelling_keeps_its_text(tokenizers_folder: Path) -> None:
    """What stands around the spelling is kept: every character that T5 knows comes back."""
    from tokenizers import Tokenizer as Pipeline

    loaded = load_tokenizer(tokenizers_folder / "t5-small")
    tokens, _ = loaded.encode_batch(["one</s>two</s> three"])
    pipeline = Pipeline.from_file(str(tokenizers_folder / "t5-small/tokenizer.json"))
    assert pipeline.decode(tokens.tolist()).replace(" ", "") == "one/s>two/s>three"  # "<" is unknown to T5


@pytest.mark.parametrize("path", ["gpt2", "cl100k_base", "mistral-7b/tokenizer.model.v1", "t5-small"])
def test_batches_do_not_matter(
    tokenizers_folder: Path, vectors: dict[str, Any], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text's ids are the same alone, in a batch, and however the batch is cut into groups."""
    loaded, texts = load_tokenizer(tokenizers_folder / path), [*vectors["texts"][::7], "", "a</s>", ""]
    together = split(*loaded.encode_batch(texts))
    assert together == [loaded.encode_batch([text])[0].tolist() for text in texts]
    monkeypatch.setattr(tokenizer, "GROUP_CHARACTERS", 100)
    assert split(*loaded.encode_batch(texts)) == together


@pytest.mark.parametrize("path", ["gpt2", "cl100k_base", "mistral-7b/tokenizer.model.v1"])
def test_empty_batch(tokenizers_folder: Path, path: str) -> None:
    tokens, lengths = load_tokenizer(tokenizers_folder / path).encode_batch([])
    assert (tokens.shape, lengths.shape, tokens.dtype, lengths.dtype) == ((0,), (0,), np.int32, np.int64)


@settings(deadline=None, max_examples=150)
@given(text=st.text(st.sampled_from("aB' \n\r\t7é中️\u0300\u3000=<|s>'/"), max_size=40))
def test_pieces_equal_tiktoken(tokenizers_folder: Path, gpt2: Tokenizer, text: str) -> None:
    """The way for endless white space gives what tiktoken gives. Oracle: tiktoken 0.14.0 `encode_ordinary`."""
    for loaded in (gpt2, _opened(tokenizers_folder, "cl100k_base"), _opened(tokenizers_folder, "o200k_base")):
        assert isinstance(loaded, tiktoken_ranks.TiktokenTokenizer)
        assert loaded._encode_by_pieces(text).tolist() == loaded._encoding.encode_ordinary(text)


_OPEN: dict[tuple[str, Engine], Tokenizer] = {}


def _opened(folder: Path, name: str, engine: Engine = "reference") -> Tokenizer:
    if (name, engine) not in _OPEN:
        _OPEN[name, engine] = load_tokenizer(folder / name, engine=engine)
    return _OPEN[name, engine]


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("path", ["gpt2", "cl100k_base", "o200k_base", "gpt2 by tiktoken"])
def test_endless_white_space(tokenizers_folder: Path, gpt2: Tokenizer, path: str, engine: Engine) -> None:
    """More white space than tiktoken's regex engine can go back over (10^6) is still encoded, and decodes to itself."""
    reference = gpt2 if path == "gpt2 by tiktoken" else _opened(tokenizers_folder, path)
    loaded = reference if engine == "reference" else with_fast_encoder(reference)
    text = "a" + " " * 1_000_100 + "b\n"
    tokens, lengths = loaded.encode_batch(["c", text])
    assert lengths.tolist() == [1, len(tokens) - 1]
    if isinstance(reference, tiktoken_ranks.TiktokenTokenizer):
        assert reference._encoding.decode(tokens[1:].tolist()) == text
    if "gpt2" in path:
        assert tokens.tolist() == [66, 64, *[220] * 1_000_099, 275, 198]


@pytest.mark.parametrize("engine", ["fast", "reference"])
@pytest.mark.parametrize("path", ["gpt2", "cl100k_base", "o200k_base", "mistral-7b/tokenizer.model.v1", "t5-small"])
@pytest.mark.timeout(60)
def test_long_line_without_spaces(tokenizers_folder: Path, path: str, engine: Engine) -> None:
    """Time grows with the length, not with its square: 400,000 letters in one word take a second at most."""
    letters = np.random.default_rng(1).integers(97, 123, 400_000, dtype=np.uint8).tobytes().decode()
    tokens, _ = _opened(tokenizers_folder, path, engine).encode_batch([letters])
    assert 200_000 < len(tokens) < 400_000
