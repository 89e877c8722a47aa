"""A small run made up for proofs: three sources of uneven documents over several shards, some of them empty.

Documents of one token, documents without any, a shard of one document, and one document longer than many sequences.
"""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from connectors.megatron import ShardWriter
from trainer.config import Batch, Data, Model, Schedule, Stage, Training

VOCABULARY = 512
STEPS = 40


def toy_training(documents: str, sequence_length: int = 16, packing: str = "concat") -> Training:
    """Two stages: one source leaves, one joins."""
    stages = (Stage(blend={"a": 0.7, "b/c": 0.3}), Stage(from_step=17, blend={"d": 0.25, "a": 0.75}))
    return Training(
        data=Data.model_validate(
            {
                "sequence_length": sequence_length,
                "seed": 3,
                "documents": documents,
                "packing": packing,
                "stages": stages,
            }
        ),
        batch=Batch(sequences=24, micro=4),
        model=Model(vocabulary=VOCABULARY),
        schedule=Schedule(steps=STEPS),
    )


def write_toy_run(run: Path, seed: int = 5) -> None:
    """A folder with shards and a manifest like those of a curation run. Document 0 of a source is one token long."""
    chance = random.Random(seed)
    documents = {
        "a/00000": [1, *(chance.randint(1, 60) for _ in range(40))],
        "a/00001": [],
        "a/00002": [0, 3, 0, 0, *(chance.randint(0, 40) for _ in range(20)), 0],
        "b/c/00000": [chance.randint(1, 9) for _ in range(150)],
        "b/c/00001": [5],
        "b/c/00002": [400],
        "d/00000": [chance.randint(1, 90) for _ in range(30)],
    }
    files: dict[str, dict[str, Any]] = {}
    shards = []
    for name, lengths in documents.items():
        prefix = run / "shards" / name
        prefix.parent.mkdir(parents=True, exist_ok=True)
        tokens = np.array([chance.randrange(1, VOCABULARY) for _ in range(sum(lengths))], dtype=np.int64)
        if lengths:
            tokens[np.cumsum([length for length in lengths if length]) - 1] = 0
        with ShardWriter(f"{prefix}.bin", f"{prefix}.idx", "<u2") as shard:
            shard.add_documents(tokens, np.array(lengths, dtype=np.int64))
            shard.finish()
        row = {"shard": name, "documents": len(lengths), "tokens": len(tokens), "dtype": "uint16"}
        shards.append(row | {"vocabulary_size": VOCABULARY, "end_of_document": 0, "tokenizer_sha256": "toy"})
        for path in (Path(f"{prefix}.bin"), Path(f"{prefix}.idx")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files[path.relative_to(run).as_posix()] = {"bytes": path.stat().st_size, "sha256": digest}
    (run / "manifest.json").write_text(json.dumps({"status": "complete", "shards": shards, "files": files}))
