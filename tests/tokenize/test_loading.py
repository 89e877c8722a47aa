"""From a name to a tokenizer, and one line for each mistake."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.tokenize.loading import load_tokenizer


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of tiktoken's, whatever the machine has."""
    folder = tmp_path / "tiktoken-cache"
    folder.mkdir()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    return folder


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("gpt2", "gpt2"),
        ("gpt2/tokenizer.json", "gpt2"),
        ("gpt2/merges.txt", "gpt2"),
        ("bert-base-uncased", "bert-base-uncased"),
        ("cl100k_base", "cl100k_base"),
        ("mistral-7b/tokenizer.model.v1", "tokenizer.model.v1"),
    ],
)
def test_names(tokenizers_folder: Path, path: str, name: str) -> None:
    assert load_tokenizer(tokenizers_folder / path).name == name
    assert load_tokenizer(str(tokenizers_folder / path)).name == name


def test_digest_is_of_content(tokenizers_folder: Path, tmp_path: Path) -> None:
    """The same content elsewhere, written in another way, has the same digest; a changed merge has another."""
    original = load_tokenizer(tokenizers_folder / "gpt2/tokenizer.json")
    content = json.loads((tokenizers_folder / "gpt2/tokenizer.json").read_text())
    content["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    path = tmp_path / "elsewhere.json"
    path.write_text(json.dumps(dict(reversed(content.items())), indent=2))
    again = load_tokenizer(path)
    assert (again.digest, again.name) == (original.digest, "elsewhere")
    assert len(again.encode_batch(["many words " * 20])[0]) == 41  # not cut to 8 tokens
    content["model"]["merges"].pop()
    path.write_text(json.dumps(content))
    assert load_tokenizer(path).digest != original.digest


def test_file_digest_is_its_sha256(tokenizers_folder: Path) -> None:
    loaded = load_tokenizer(tokenizers_folder / "cl100k_base")
    assert loaded.digest == "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("gpt2", ["gpt2/vocab.json", "gpt2/merges.txt"]),
        ("cl100k_base", ["cl100k_base/cl100k_base.tiktoken"]),
        ("o200k_base", ["o200k_base/o200k_base.tiktoken"]),
    ],
)
def test_plain_names_come_from_the_cache(
    tokenizers_folder: Path, empty_cache: Path, name: str, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain name is found among tiktoken's downloads by content; without them one line says what to do."""
    monkeypatch.chdir(empty_cache)
    with pytest.raises(UserError, match=f"'{name}' is not in tiktoken's cache.*give the path"):
        load_tokenizer(name)
    for number, file in enumerate(files):
        shutil.copy(tokenizers_folder / file, empty_cache / f"{number:040x}")
    assert load_tokenizer(name).name == name
    assert load_tokenizer(name).digest == load_tokenizer(tokenizers_folder / files[0]).digest


def test_end_of_document_can_be_named(tokenizers_folder: Path) -> None:
    assert load_tokenizer(tokenizers_folder / "bert-base-uncased", "[PAD]").end_of_document == 0
    assert load_tokenizer(tokenizers_folder / "cl100k_base", "<|endofprompt|>").end_of_document == 100_276
    assert load_tokenizer(tokenizers_folder / "phi-3", "<|end|>").end_of_document == 32_007


@pytest.mark.parametrize(
    ("path", "end", "fault"),
    [
        ("gpt2", "<nothing>", "has no token '<nothing>'"),
        ("gpt2", "the", "'the' of the tokenizer 'gpt2' is ordinary text"),
        ("sentencepiece-test/test_model.model", "e", "'e' of the tokenizer 'test_model.model' is ordinary text"),
        ("cl100k_base", "</s>", "has no token '</s>'"),
        ("mistral-7b", None, "holds 2 tokenizers; name one file"),
        ("gpt3", None, "no tokenizer file or folder"),
    ],
)
def test_mistakes(tokenizers_folder: Path, path: str, end: str | None, fault: str) -> None:
    with pytest.raises(UserError, match=fault) as caught:
        load_tokenizer(tokenizers_folder / path, end)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("tokenizer.json", b"{}", "no tokenizer.json that"),
        ("tokenizer.json", b"[1]", "no tokenizer.json that"),
        ("tokenizer.json", b"\xff\x00", "no tokenizer.json that"),
        ("some.tiktoken", b"YQ== 0\n", "split pattern of .* is not known"),
        ("tokenizer.model", b"not a model", "no SentencePiece model"),
        ("vocab.txt", b"a\nb\n", r"has no line '\[UNK\]'"),
        ("vocab.txt", b"\xff\xff", "not UTF-8"),
        ("vocab.txt", b"[UNK]\na\n", "none of the usual end-of-document tokens"),
        ("vocab.json", b"{}", "half a tokenizer"),
        ("weights.bin", b"", "no tokenizer by its name"),
    ],
)
def test_bad_files(tmp_path: Path, file: str, content: bytes, fault: str) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=fault) as caught:
        load_tokenizer(tmp_path / file)
    assert "\n" not in str(caught.value)


def test_bad_merges(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text('{"a": 0, "<|endoftext|>": 1}')
    for merges in ("a b\n", "abc\n", "a b c\n"):
        (tmp_path / "merges.txt").write_text(merges)
        with pytest.raises(UserError, match="not those of one byte-level BPE"):
            load_tokenizer(tmp_path)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no tokenizer"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("package", "path"),
    [("tiktoken", "cl100k_base"), ("sentencepiece", "sentencepiece-test/test_model.model")],
)
def test_missing_package(tokenizers_folder: Path, package: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=f"'{package}' is not installed"):
        load_tokenizer(tokenizers_folder / path)
