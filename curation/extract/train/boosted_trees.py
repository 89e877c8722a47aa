"""Boosted trees by LightGBM, the same from the same rows, and as the engine's walk takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from connectors.errors import missing_extra

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

SAME_EVERY_TIME = {
    "deterministic": True,
    "force_col_wise": True,
    "seed": 1,
    "use_missing": False,
    "verbose": -1,
}
OF_BLOCKS = {
    **SAME_EVERY_TIME,
    "objective": "cross_entropy",
    "num_leaves": 40,
    "max_depth": 9,
    "feature_fraction": 0.25,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "min_data_in_leaf": 60,
    "min_sum_hessian_in_leaf": 5.0,
    "lambda_l2": 3.0,
    "max_bin": 127,
}
OF_PAGES = {
    **SAME_EVERY_TIME,
    "objective": "multiclass",
    "num_leaves": 8,
    "learning_rate": 0.08,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "min_data_in_leaf": 12,
    "lambda_l2": 3.0,
    "max_bin": 63,
}


def lightgbm() -> Any:
    """The package. Raises `UserError` where it is missing."""
    try:
        import lightgbm as package
    except ImportError:
        raise missing_extra("lightgbm", "train-extraction") from None
    return package


class Rows:
    """Rows that several ensembles are fitted to, each to some of them; their columns are binned once.

    rows     float32[rows, columns]
    targets  [rows]: a share, or the number of a class
    weights  float64[rows], or None for 1 each
    """

    def __init__(self, rows: Array, targets: Array, weights: Array | None, settings: dict[str, Any]) -> None:
        package = lightgbm()
        self._settings = settings
        self._all = package.Dataset(rows, targets, weight=weights, params=settings, free_raw_data=False).construct()

    def fitted(
        self, rounds: int, chosen: npt.NDArray[np.bool_] | None = None, seeds: Mapping[str, int] | None = None
    ) -> Arrays:
        """So many rounds of trees, packed, fitted to the chosen rows. seeds: of LightGBM, in place of its own."""
        part = self._all if chosen is None else self._all.subset(np.flatnonzero(chosen))
        return packed(lightgbm().train({**self._settings, **(seeds or {})}, part, rounds))


def packed(booster: Any) -> Arrays:
    """Trees as a weights file has them: an array for each property of nodes, breadth first, and a range for each tree.

    A row goes left where its value is at most the threshold, which is rounded towards minus infinity to float32, so that no
    float32 changes sides. A leaf is its own left child.
    """
    columns: list[int] = []
    left: list[int] = []
    thresholds: list[float] = []
    values: list[float] = []
    roots: list[int] = []
    depths: list[int] = []
    for tree in booster.dump_model()["tree_info"]:
        root = len(columns)
        waiting = [(tree["tree_structure"], 0)]
        roots.append(root)
        for place, (node, depth) in enumerate(waiting):  # which grows on the way
            is_leaf = "split_feature" not in node
            columns.append(0 if is_leaf else node["split_feature"])
            left.append(root + (place if is_leaf else len(waiting)))
            thresholds.append(np.inf if is_leaf else node["threshold"])
            values.append(node["leaf_value"] if is_leaf else 0.0)
            if not is_leaf:
                waiting += [(node["left_child"], depth + 1), (node["right_child"], depth + 1)]
        depths.append(waiting[-1][1])
    exact = np.array(thresholds, np.float64)
    rounded = exact.astype(np.float32)
    too_high = rounded.astype(np.float64) > exact
    return {
        "feat": np.array(columns, np.int16),
        "left": np.array(left, np.int32),
        "thr": np.where(too_high, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float32),
        "val": np.array(values, np.float32),
        "roots": np.array(roots, np.int32),
        "depths": np.array(depths, np.int32),
    }


def averaged(ensembles: Sequence[Arrays]) -> Arrays:
    """One ensemble whose sum is the mean of the sums of several."""
    starts = np.cumsum([0, *(len(trees["feat"]) for trees in ensembles)])
    moved = [
        trees | {"left": trees["left"] + start, "roots": trees["roots"] + start, "val": trees["val"] / len(ensembles)}
        for trees, start in zip(ensembles, starts, strict=False)
    ]
    return {
        part: np.concatenate([trees[part] for trees in moved]).astype(array.dtype)
        for part, array in ensembles[0].items()
    }
