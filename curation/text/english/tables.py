"""The compiled rules of the English tokenizer, as packaged: what the kernels read.

`python -m curation.text.english.build` writes them. The file is the only source of the rules at run time: neither
spaCy nor datatrove is asked. What a character is comes from it too, so that the same text is cut the same way under
every Python: the tables are pinned to the Unicode of the Python that builds them (14.0, Python 3.11) and are used as
they are under Python 3.12, whose own Unicode is newer.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.errors import UserError
from curation.text.english.layout import Tables

FILE = Path(__file__).with_name("tables.npz")
UNICODE = "14.0.0"
_LAYOUT = "1"  # goes up with every change of `layout`
_TYPES = {"classes": np.int64, "pool": np.uint8}  # all others are int32


class Origin(NamedTuple):
    """What tables were built from.

    rules    SHA-256 of the tokenizer's rules, `Rules.digest`
    spacy    version of spaCy
    unicode  version of Unicode
    regex    version of the package regex, whose own Unicode says what a number is
    """

    rules: str
    spacy: str
    unicode: str
    regex: str


class _Unfit(Exception):
    """Why a file that can be read is not used."""


@functools.cache
def load() -> Tables:
    """The packaged tables, read once a process. All share them, so the arrays are read-only.

    Raises `UserError` as `read` does.
    """
    return read(FILE)[0]


def read(path: Path) -> tuple[Tables, Origin]:
    """The tables in a file, and what they were built from.

    Raises `UserError` if the file is not there, is damaged or was written for another layout or Unicode.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if str(file["layout"]) != _LAYOUT:
                raise _Unfit("it is of another version")
            origin = Origin(*(str(file[f"origin_{name}"]) for name in Origin._fields))
            if origin.unicode != UNICODE:
                raise _Unfit(f"it has Unicode {origin.unicode}, not {UNICODE}")
            return Tables(**{name: _array(file, name) for name in Tables._fields}), origin
    except FileNotFoundError:
        reason = "it is not there"
    except _Unfit as error:
        reason = str(error)
    except Exception:  # a damaged archive raises nearly anything
        reason = "it is damaged"
    raise UserError(f"The tables of the English tokenizer, {path}, cannot be used: {reason}. Install corpusmill again.")


def write(path: Path, tables: Tables, origin: Origin) -> None:
    """Writes tables to a file. The same tables give the same bytes."""
    about = {"layout": np.array(_LAYOUT)}
    about |= {f"origin_{name}": np.array(value) for name, value in origin._asdict().items()}
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **about, **tables._asdict())
    unfinished.replace(path)


def _array(file: Any, name: str) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = file[name]
    if array.dtype != _TYPES.get(name, np.int32) or not array.size:
        raise _Unfit(f"its array '{name}' is not of its type")
    array.setflags(write=False)
    return array
