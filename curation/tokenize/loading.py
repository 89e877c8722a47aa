"""From what a user names to a tokenizer: a file, a folder, or one of a few plain names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from connectors.errors import UserError, nearest
from curation.tokenize import tiktoken_ranks
from curation.tokenize.fast import with_fast_encoder
from curation.tokenize.gpt2_files import from_vocabulary_and_merges
from curation.tokenize.huggingface import from_tokenizer_json
from curation.tokenize.sentencepiece_model import from_model_file
from curation.tokenize.tiktoken_ranks import from_name, from_rank_file
from curation.tokenize.tokenizer import Tokenizer
from curation.tokenize.wordpiece import from_vocab_txt

KINDS = "tokenizer.json, vocab.json with merges.txt, a .tiktoken file, a SentencePiece .model, or vocab.txt"


Engine = Literal["fast", "reference"]


def load_tokenizer(path_or_name: str | Path, end_of_document: str | None = None, engine: Engine = "fast") -> Tokenizer:
    """Open a tokenizer: a file or folder of one of `KINDS`, or one of `tiktoken_ranks.NAMES` from tiktoken's cache.

    `end_of_document` names the token that ends documents; without it the first of the usual names is taken
    (`tokenizer.END_OF_DOCUMENT_NAMES`). Nothing is downloaded. A file or folder goes before a plain name.

    engine   `fast`: a faster encoder where there is one, held to the ids of the reference (see `fast`); `reference`:
             the library that the tokenizer was published for, and nothing else. The ids are the same.

    Raises UserError when there is no such file or name, when the file is of no known kind, when it has no
    end-of-document token, and when the package that reads it is not installed.
    """
    reference = _reference(path_or_name, end_of_document)
    return with_fast_encoder(reference) if engine == "fast" else reference


def _reference(path_or_name: str | Path, end_of_document: str | None) -> Tokenizer:
    path = Path(path_or_name)
    if path.is_dir():
        return _from_folder(path, end_of_document)
    if path.is_file():
        return _from_file(path, end_of_document)
    if str(path_or_name) in tiktoken_ranks.NAMES:
        return from_name(str(path_or_name), end_of_document)
    hint = nearest(str(path_or_name), tiktoken_ranks.NAMES)
    raise UserError(f"There is no tokenizer file or folder '{path_or_name}'.{hint}")


def _from_folder(folder: Path, end_of_document: str | None) -> Tokenizer:
    """The folder's tokenizer: a tokenizer.json before all others, since it alone says everything."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    models = [name for name in names if name.endswith(".tiktoken") or _is_sentencepiece(name)]
    if "tokenizer.json" in names:
        return from_tokenizer_json(folder / "tokenizer.json", folder.resolve().name, end_of_document)
    if "vocab.json" in names and "merges.txt" in names:
        return from_vocabulary_and_merges(folder, folder.resolve().name, end_of_document)
    if len(models) == 1:
        return _from_file(folder / models[0], end_of_document)
    if models:
        raise UserError(f"The folder '{folder}' holds {len(models)} tokenizers; name one file: {_listed(models)}.")
    if "vocab.txt" in names:
        return from_vocab_txt(folder / "vocab.txt", folder.resolve().name, end_of_document)
    raise UserError(f"The folder '{folder}' holds no tokenizer; known are {KINDS}.")


def _from_file(path: Path, end_of_document: str | None) -> Tokenizer:
    """The file's tokenizer, by the file's name."""
    folder = path.resolve().parent.name
    if path.name in ("vocab.json", "merges.txt"):
        if not all((path.parent / name).is_file() for name in ("vocab.json", "merges.txt")):
            raise UserError(f"'{path}' is half a tokenizer: vocab.json and merges.txt must lie in one folder.")
        return from_vocabulary_and_merges(path.parent, folder, end_of_document)
    if path.suffix == ".json":
        return from_tokenizer_json(path, folder if path.name == "tokenizer.json" else path.stem, end_of_document)
    if path.suffix == ".tiktoken":
        return from_rank_file(path, end_of_document)
    if _is_sentencepiece(path.name):
        return from_model_file(path, path.name, end_of_document)
    if path.suffix == ".txt":
        return from_vocab_txt(path, folder if path.name == "vocab.txt" else path.stem, end_of_document)
    raise UserError(f"'{path}' is no tokenizer by its name; known are {KINDS}.")


def _is_sentencepiece(name: str) -> bool:
    return ".model" in Path(name).suffixes


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
