"""The published ways of decontamination, as data: what `way: NAME` stands for in a recipe. Every key may be overridden.

gpt3      13-grams in lower case without punctuation; the n-gram and 200 characters on either side are cut out, pieces below
          200 characters are discarded, a document in more than 10 pieces is removed; 13-grams in more than 10 training documents
          are ignored. Source: Brown et al. 2020 (GPT-3), appendix C
llama     a share of an item's tokens stands in 8-grams that the corpus has; the share is chosen for each set. Source:
          Llama Team 2024 (Llama 3), 5.1.4, after Singh et al. 2024, which asks it of the whole corpus and for an analysis. Here it
          is asked of each document, with Llama 2's mark of a dirty sample, 80 %. Source: Touvron et al. 2023 (Llama 2), A.6
fineweb   one 12-gram that is not of the query alone removes the document. Source: datatrove 0.10.1,
          pipeline/decont/n_grams.py, `NGramsDecontConfig` and `NGramsDecontFilter`, with their defaults

Ours, and nobody's way: `shortest`, `min_distinct` and `unspaced`, which `fineweb` has switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Way = Literal["gpt3", "llama", "fineweb"]
Action = Literal["remove", "cut", "record"]
Part = Literal["query", "overlap", "label"]
Unspaced = Literal["characters", "words"]

SHORTEST = 5  # words
MIN_DISTINCT = 5  # of the units of an n-gram; fewer are rows of figures and formulas

WAYS: Mapping[str, Mapping[str, Any]] = {
    "gpt3": {
        "action": "cut",
        "ngram": 13,
        "min_hits": 1,
        "min_covered": 0.0,
        "parts": ("query", "overlap", "label"),
        "shortest": SHORTEST,
        "min_distinct": MIN_DISTINCT,
        "ignore_common": 10,  # of items; GPT-3's count is over training documents: see `common_phrases`
        "unspaced": "characters",
    },
    "llama": {
        "action": "remove",
        "ngram": 8,
        "min_hits": 1,
        "min_covered": 0.8,
        "parts": ("query", "overlap", "label"),
        "shortest": SHORTEST,
        "min_distinct": 1,  # a share of the item decides
        "ignore_common": 0,
        "unspaced": "characters",
    },
    "fineweb": {
        "action": "remove",
        "ngram": 12,
        "min_hits": 1,
        "min_covered": 0.0,
        "parts": ("overlap", "label"),
        "shortest": 12,
        "min_distinct": 1,
        "ignore_common": 0,
        "unspaced": "words",
    },
}
