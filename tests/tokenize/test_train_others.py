"""Vocabularies that other libraries train: the same bytes in every process, and what comes out can be used."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from connectors.errors import UserError
from curation.tokenize.huggingface import from_json_bytes
from curation.tokenize.sentencepiece_model import SentencePieceTokenizer
from curation.tokenize.train_sentencepiece import END_OF_SENTENCE, Kind, train_sentencepiece
from curation.tokenize.train_wordpiece import train_wordpiece

ROOT = Path(__file__).resolve().parents[2]
SPECIAL = ["<|endoftext|>", "<|pad|>"]
PROGRAM = """
import hashlib, json, sys
from curation.tokenize.train_sentencepiece import train_sentencepiece
from curation.tokenize.train_wordpiece import train_wordpiece
texts = json.load(open(sys.argv[1]))
made = [train_wordpiece(texts, 800, ["<|endoftext|>", "<|pad|>"])]
made += [train_sentencepiece(texts, 800, ["</s>", "<|pad|>"], kind) for kind in ("unigram", "bpe")]
print(*[hashlib.sha256(content).hexdigest() for content in made])
"""


@pytest.fixture(scope="module")
def texts(novel: str) -> list[str]:
    return novel[:40_000].split("\n\n")


def test_same_bytes_in_another_process(texts: list[str], tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "texts.json")],
        env={**os.environ, "RAYON_NUM_THREADS": "3", "TOKENIZERS_PARALLELISM": "true", "PYTHONHASHSEED": "5"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    made = [train_wordpiece(texts, 800, SPECIAL)]
    made += [train_sentencepiece(texts, 800, [END_OF_SENTENCE, "<|pad|>"], kind) for kind in ("unigram", "bpe")]
    assert done.stdout.split() == [hashlib.sha256(content).hexdigest() for content in made]


def test_wordpiece(texts: list[str]) -> None:
    content = train_wordpiece(texts, 800, SPECIAL)
    vocabulary = json.loads(content)["model"]["vocab"]
    assert sorted(vocabulary.values()) == list(range(800))
    assert [vocabulary[name] for name in (*SPECIAL, "[UNK]")] == [0, 1, 2]
    assert "Alice" in vocabulary and "##ing" in vocabulary
    assert [token["content"] for token in json.loads(content)["added_tokens"]] == [*SPECIAL, "[UNK]"]
    loaded = from_json_bytes(content, "own", None)
    tokens, _ = loaded.encode_batch(["Alice was beginning <|endoftext|>"])
    assert loaded.end_of_document == 0 and np.all(tokens > 1)  # 2 is what no text of the sample had


def test_wordpiece_with_no_room_for_its_characters(texts: list[str]) -> None:
    with pytest.raises(UserError, match=r"characters alone are \d+ WordPiece tokens, and 3 are special; 60 were"):
        train_wordpiece(texts, 60, SPECIAL)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_sentencepiece(texts: list[str], kind: Kind) -> None:
    sentencepiece = pytest.importorskip("sentencepiece")
    content = train_sentencepiece(texts, 800, [END_OF_SENTENCE, "<|pad|>"], kind)
    loaded = SentencePieceTokenizer(content, "own", None)
    assert loaded.vocabulary_size == 800
    text = "  Alice — «été» 中 123\n\n</s><|pad|> "
    tokens, _ = loaded.encode_batch([text])
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    assert processor.Decode(tokens.tolist()) == text
    assert processor.IsControl(processor.PieceToId("<|pad|>"))
    assert not {loaded.end_of_document, processor.PieceToId("<|pad|>")} & set(tokens.tolist())


def test_sentencepiece_says_what_is_wrong_in_one_line(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sentencepiece")
    with pytest.raises(UserError, match="can't train 257 bpe pieces on this sample: Vocabulary size"):
        train_sentencepiece(texts, 257, [END_OF_SENTENCE], "bpe")
    with pytest.raises(UserError, match="no kept text to train"):
        train_sentencepiece([" \n"], 500, [END_OF_SENTENCE], "unigram")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(UserError, match=r"'sentencepiece' is not installed.*corpusmill\[tokenizers\]"):
        train_sentencepiece(texts, 500, [END_OF_SENTENCE], "unigram")
