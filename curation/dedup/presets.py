"""Bands, rows and shingles of published corpora, by name.

Shingles are made of the normal form that `text/normalize.py` writes, whatever the corpus's own was: where that differs, the
preset says so, and finds what it should but not the same pairs to the last one.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.dedup.banding import Banding
from curation.dedup.shingles import Shingling


@dataclass(frozen=True)
class Preset:
    """How a corpus was deduplicated.

    verify  whether candidates were compared before one was removed
    source  the paper or code, and what is different here
    """

    bands: int
    rows: int
    shingling: Shingling
    verify: bool
    source: str

    @property
    def banding(self) -> Banding:
        """Its bands and rows."""
        return Banding(self.bands, self.rows)


PRESETS: dict[str, Preset] = {
    "fineweb": Preset(
        bands=14,
        rows=8,
        shingling=Shingling(words=5),
        verify=False,
        source="Penedo et al. 2024 (FineWeb), 3.4; datatrove 0.10.1, `MinhashConfig`. The same clusters as datatrove's",
    ),
    "refinedweb": Preset(
        bands=450,
        rows=20,
        shingling=Shingling(words=5),
        verify=False,
        source="Penedo et al. 2023 (RefinedWeb), G.3.1: 450 buckets of 20 hashes (the main text has the numbers the other way"
        " round), after Lee et al. 2022, 4.2, who also verify. Theirs are runs of 5 GPT-2 tokens, here of 5 words",
    ),
    "rpv2": Preset(
        bands=9,
        rows=13,
        shingling=Shingling(words=13),
        verify=False,
        source="Weber et al. 2024 (RedPajama-V2), `minhash_signature_0.8` and configs/rp_v2.0.conf: 128 values, of which"
        " datasketch's choice for 0.8, over 13 words. Theirs are cut at white space and hashed by SHA-1",
    ),
    "nemotron-cc": Preset(
        bands=20,
        rows=13,
        shingling=Shingling(characters=24),
        verify=False,
        source="Su et al. 2024 (Nemotron-CC) by NeMo Curator, FuzzyDeduplicationWorkflow: 24 characters, 20 bands of 13,"
        " no check for false positives. Theirs are of the text as it is, 32-bit hashes of MurmurHash3",
    ),
}


def preset(name: str) -> Preset:
    """The preset of a name. Raises `UserError` for one that there is not."""
    if name not in PRESETS:
        raise UserError(f"dedup: there is no preset '{name[:40]}'.{nearest(name[:40], PRESETS)}")
    return PRESETS[name]
