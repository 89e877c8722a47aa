"""Reads thresholds by language: a folder, or a `.tar.gz` of one, with a YAML file a language, `deu_Latn.yml`.

A file has ten keys, all of them needed; FineWeb-2 gives out 1,929 such files (github.com/huggingface/fineweb-2, `configs/`):

    language_score: 0.821             # least score of the language
    dup_line_frac: 0.263              # most duplicate lines; 0 switches it off
    top_n_grams: [[2, 0.169], …]      # length, most characters in the most frequent run of so many words
    dup_n_grams: [[5, 0.141], …]      # length, most characters in runs that come again
    line_punct_thr: 0.0               # least lines that end in a sentence mark
    new_line_ratio: 0.152             # most newlines for each word
    min_avg_word_length: 0            # characters; 0 switches it off
    max_avg_word_length: 15           # the same
    max_non_alpha_words_ratio: 0.774  # least (so it is meant) words with a letter; 0 switches it off
    stopwords: [der, und, …]          # of which a document needs `min_stop_words` different ones
"""

from __future__ import annotations

import functools
import tarfile
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from connectors.errors import UserError
from connectors.settings import explain, parse_yaml

SUFFIXES = (".yml", ".yaml")
ARCHIVES = (".tar.gz", ".tgz", ".tar")
LARGEST = 1 << 20  # bytes of a language's file
PUBLISHED = "github.com/huggingface/fineweb-2, configs/"

Top = tuple[Annotated[int, Field(ge=2, le=4)], FiniteFloat]
Repeated = tuple[Annotated[int, Field(ge=5, le=10)], FiniteFloat]


class Thresholds(BaseModel):
    """One language's thresholds; the keys are those of the files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language_score: FiniteFloat
    dup_line_frac: FiniteFloat
    top_n_grams: tuple[Top, ...]
    dup_n_grams: tuple[Repeated, ...]
    line_punct_thr: FiniteFloat
    new_line_ratio: FiniteFloat
    min_avg_word_length: FiniteFloat
    max_avg_word_length: FiniteFloat
    max_non_alpha_words_ratio: FiniteFloat
    stopwords: tuple[str, ...]


def known_languages(source: str) -> tuple[str, ...]:
    """The languages that a folder or archive has thresholds of. Raises `UserError` where it is none, or has none."""
    known = tuple(sorted(_contents(source) if source.endswith(ARCHIVES) else _paths(source)))
    if not known:
        raise UserError(f"'{source}' has no thresholds, files such as deu_Latn.yml. They are published: {PUBLISHED}")
    return known


def source_files(source: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The files that hold the thresholds of some languages."""
    return (source,) if source.endswith(ARCHIVES) else tuple(str(_paths(source)[name]) for name in languages)


@functools.cache
def thresholds(source: str, language: str) -> Thresholds:
    """A language's thresholds. Raises `UserError`, with the file, for one that is damaged or has other keys."""
    where = f"{source}: {language}"
    if source.endswith(ARCHIVES):
        content = _contents(source)[language]
    else:
        try:
            content = _paths(source)[language].read_bytes()
        except OSError:
            raise UserError(f"{where}: the file cannot be read") from None
    try:
        return Thresholds.model_validate(parse_yaml(content.decode(), where))
    except UnicodeDecodeError:
        raise UserError(f"{where}: the file is not UTF-8") from None
    except ValidationError as error:
        raise UserError(f"{where}: {explain(error, Thresholds)}") from None


@functools.cache
def _paths(folder: str) -> dict[str, Path]:
    """The files of a folder by language."""
    if not Path(folder).is_dir():
        raise UserError(f"There is no folder of thresholds '{folder}'. Give that of {PUBLISHED}")
    return {path.stem: path for path in Path(folder).iterdir() if path.suffix in SUFFIXES and path.is_file()}


@functools.cache
def _contents(archive: str) -> dict[str, bytes]:
    """The files of an archive by language."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive) as opened:
            for member in opened:
                name = PurePosixPath(member.name)
                if member.isfile() and name.suffix in SUFFIXES and member.size <= LARGEST:
                    file = opened.extractfile(member)
                    assert file is not None
                    found[name.stem] = file.read()
    except FileNotFoundError:
        raise UserError(f"There is no file of thresholds '{archive}'. Give that of {PUBLISHED}") from None
    except (OSError, EOFError, tarfile.TarError):
        raise UserError(f"The file of thresholds '{archive}' cannot be read, or is no tar file.") from None
    return found
