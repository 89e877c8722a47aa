"""Weights on disk: the same arrays are the same bytes, whenever they are written."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip archive can say
LEVEL = 9


def save_weights(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes a file that `weights.load_model` reads; its folder is made where it is missing."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name in sorted(arrays):
            array = io.BytesIO()
            np.lib.format.write_array(array, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", FIRST_DAY)
            archive.writestr(entry, array.getvalue(), zipfile.ZIP_DEFLATED, LEVEL)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed.getvalue())
