"""What weights come from, in words that lie beside them: data sets and their licences, folds, figures, versions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from curation.extract.train.corpus import Corpus
from curation.extract.train.domains import FOLDS
from curation.run.version import VERSION

PACKAGES = ("lightgbm", "numpy", "numba", "tldextract")
WCXB = (
    "WCXB, development split; github.com/Murrough-Foley/web-content-extraction-benchmark. The test split was not opened.",
    "Annotations by Murrough Foley, CC BY 4.0 (creativecommons.org/licenses/by/4.0); changed: blocks of pages were labelled",
    "by aligning them with the annotated main text.",
)
SOURCES = {
    "wcxb": WCXB,
    "wcxb-dev": WCXB,
    "scrapinghub": (
        "article-extraction-benchmark; github.com/scrapinghub/article-extraction-benchmark.",
        "MIT licence, Copyright (c) Scrapinghub.",
    ),
}
UNKNOWN = ("A set of the user's own; its licence is not known here.",)


def provenance(
    weights: Path,
    corpus: Corpus,
    figures: Mapping[str, tuple[int, float]],
    calibration: Sequence[Sequence[float]],
) -> str:
    """The text, the same for the same weights from the same pages. figures: see `cross_validation.figures`."""
    sources = Counter(page.source for page in corpus.pages)
    lines = [
        f"{weights.name}: fitted weights of the engine `fast`",
        "",
        "No page and no annotation is in this file, and none is shipped. Fitted to:",
        "",
    ]
    for source, count in sorted(sources.items()):
        lines += [f"  {source}, {count} pages", *(f"    {line}" for line in SOURCES.get(source, UNKNOWN))]
    lines += [
        "",
        f"sha256 of the weights     {hashlib.sha256(weights.read_bytes()).hexdigest()}",
        f"xor of the pages' sha256  {_pages_digest(corpus)}",
        f"blocks                    {len(corpus.labels):,}, of which main text {int((corpus.labels >= 0.5).sum()):,}",
        f"folds                     {FOLDS}, by crc32 of the registered domain; pages "
        + ", ".join(f"{int((corpus.folds == fold).sum())}" for fold in range(FOLDS)),
        f"versions                  corpusmill {VERSION}, " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    ]
    if figures:
        lines += [
            "",
            "Cross-validated by registered domain: a page's text by weights that saw nothing of its domain in any step.",
        ]
        lines += ["Mean word F1; f1_articles is the F1 of four-word shingles.", ""]
        lines += [f"  {name:<16}{count:>6} pages  {value:.4f}" for name, (count, value) in figures.items()]
    if len(calibration):
        lines += ["", "Expected and measured F1 of those texts (`calibration`), isotonic:"]
        lines += ["  " + "  ".join(f"{expected:.3f}:{measured:.3f}" for expected, measured in calibration)]
    return "\n".join(lines) + "\n"


def _pages_digest(corpus: Corpus) -> str:
    """The same for the same pages and annotations in any order."""
    joined = 0
    for page in corpus.pages:
        digest = hashlib.sha256(page.html + b"\0" + (page.main or "").encode("utf-8", "surrogatepass"))
        joined ^= int.from_bytes(digest.digest(), "big")
    return f"{joined:064x}"
