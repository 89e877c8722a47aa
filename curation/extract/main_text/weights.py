"""The fitted weights that ship with the engine `fast`, as its kernels take them. Where they come from: weights.txt."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.extract.main_text.calibration import UNCHANGED
from curation.extract.main_text.kernels import trees
from curation.extract.main_text.kernels.measuring import Model

SHIPPED = Path(__file__).with_name("weights.npz")


@functools.cache
def shipped_model() -> Model:
    """The weights of this version."""
    return load_model(SHIPPED)


def load_model(path: Path) -> Model:
    """Weights from a file, which holds:

    lin_n, lin_f, lin_x, lin_h   int8[65,536]: linear weights of near and far elements, text and headings
    lin_scale                    float32[5]: what one step of each stands for, and the bias
    s1_*, s2_*, ty_*             trees of both stages and of the page's type: feat, left, thr, val for each node, roots
                                 and depths for each tree
    rule                         float32[3]: an unused one, beta, skip (see `Model`)
    calibration                  float32[knots, 2] (older files lack it): a text's expected F1, and the one measured
    """
    with np.load(path) as file:
        return model_of(dict(file))


def model_of(arrays: Mapping[str, npt.NDArray[Any]]) -> Model:
    """Weights from the arrays of a file."""
    scales, rule = arrays["lin_scale"], arrays["rule"]
    parts = ("feat", "left", "thr", "val", "roots", "depths")
    first, second, types = (trees.pack(*(arrays[f"{name}_{part}"] for part in parts)) for name in ("s1", "s2", "ty"))
    return Model(
        elements=np.stack([arrays["lin_n"], arrays["lin_f"]], axis=1),
        texts=arrays["lin_x"],
        headings=arrays["lin_h"],
        scales=scales[:4].astype(np.float32),
        bias=float(scales[4]),
        first=first,
        second=second,
        types=types,
        beta=float(rule[1]),
        skip=float(rule[2]),
        calibration=arrays.get("calibration", UNCHANGED).astype(np.float32),
    )
