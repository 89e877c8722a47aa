"""A trained vocabulary: the same bytes every time, and every text comes back."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Pipeline

from connectors.errors import UserError
from curation.tokenize.huggingface import from_json_bytes
from curation.tokenize.train import train_bpe

VOCABULARY = 1200


@pytest.fixture(scope="module")
def paragraphs(novel: str) -> list[str]:
    return novel.split("\n\n")


@pytest.fixture(scope="module")
def trained(paragraphs: list[str]) -> bytes:
    return train_bpe(paragraphs, VOCABULARY)


def test_same_bytes_whatever_the_order(paragraphs: list[str], trained: bytes) -> None:
    shuffled = random.Random(1).sample(paragraphs, len(paragraphs))
    assert train_bpe(iter(paragraphs), VOCABULARY) == trained
    assert train_bpe(shuffled, VOCABULARY) == trained


@pytest.mark.parametrize(
    "environment",
    [
        {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONHASHSEED": "1"},
        {"RAYON_NUM_THREADS": "5", "TOKENIZERS_PARALLELISM": "true", "PYTHONHASHSEED": "2"},
        {"TOKENIZERS_PARALLELISM": "true"},
    ],
)
def test_same_bytes_whatever_the_threads(
    paragraphs: list[str], trained: bytes, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "texts.json").write_text(json.dumps(paragraphs))
    program = (
        "import hashlib, json, sys; from curation.tokenize.train import train_bpe; "
        f"print(hashlib.sha256(train_bpe(json.load(open(sys.argv[1])), {VOCABULARY})).hexdigest())"
    )
    root = Path(__file__).resolve().parents[2]
    ours = ("RAYON_NUM_THREADS", "TOKENIZERS_PARALLELISM", "PYTHONHASHSEED")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "texts.json")],
        env=kept | environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(trained).hexdigest()


def test_what_it_is(trained: bytes) -> None:
    description = json.loads(trained)
    assert description["normalizer"] is None
    assert description["pre_tokenizer"]["type"] == "ByteLevel"
    assert description["pre_tokenizer"]["add_prefix_space"] is False
    loaded = from_json_bytes(trained, "own", None)
    assert (loaded.vocabulary_size, loaded.end_of_document) == (VOCABULARY, 0)
    assert sorted(description["model"]["vocab"].values()) == list(range(VOCABULARY))


@settings(deadline=None, max_examples=100)
@given(text=st.text(max_size=60))
def test_every_text_comes_back(trained: bytes, text: str) -> None:
    text += "<|endoftext|>"
    loaded = from_json_bytes(trained, "own", None)
    tokens, lengths = loaded.encode_batch([text])
    assert lengths.tolist() == [len(tokens)]
    assert np.all(tokens > 0)  # 0 is the end of a document
    assert Pipeline.from_str(trained.decode()).decode(tokens.tolist(), skip_special_tokens=False) == text


def test_few_texts_give_a_smaller_vocabulary() -> None:
    loaded = from_json_bytes(train_bpe(["ab ab"], 1000), "own", None)
    assert 257 < loaded.vocabulary_size < 300
    assert from_json_bytes(train_bpe([], 1000), "own", None).vocabulary_size == 257


def test_too_small_a_vocabulary() -> None:
    with pytest.raises(UserError, match="257 tokens or more; 256 were asked for"):
        train_bpe(["a"], 256)
