"""Writes a checkpoint whole, finds the latest one that verifies, reads regions of tensors from it.

A save goes to a folder with a temporary name. Each rank writes and hashes its own file; the first rank writes index, state
and, last, the manifest; then the folder gets its name by one rename. A kill at any moment leaves every earlier checkpoint as
it was. There is no file that names the latest: the latest is the highest step whose manifest verifies.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from connectors import storage
from connectors.errors import UserError
from trainer.backends.protocol import Region, Role, TensorSlice
from trainer.checkpoint import layout
from trainer.checkpoint.layout import BadLayout, Key, Part
from trainer.faults import Ranks, on_first, together

FORMAT = 1
PARTIAL, GONE = ".partial", ".gone"  # endings of folders that are being written, or removed
_NAME = re.compile(r"step-(\d{8,})")


def folder_name(step: int) -> str:
    """The name of the checkpoint after so many steps."""
    return f"step-{step:08d}"


def list_checkpoints(folder: Path) -> dict[int, Path]:
    """Steps and paths of the checkpoints in a folder, ascending, whole or not; none where there is no folder."""
    found = {int(m[1]): path for path in folder.glob("step-*") if (m := _NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


# ---- writing


def save(folder: Path, step: int, slices: Iterable[TensorSlice], state: dict[str, Any], ranks: Ranks) -> Path:
    """Writes the checkpoint after `step` steps; returns its path when it is durable. Every rank calls this.

    slices  this rank's parts; those that it does not own are left to their owner
    state   plain JSON, the same on every rank

    Raises `UserError` on every rank where any rank could not write, `BadLayout` where the parts are not the whole.
    """
    target = folder / folder_name(step)
    partial = folder / f".{target.name}{PARTIAL}"
    on_first(ranks, lambda: _clean(folder, partial))
    written = together(ranks, lambda: _write_tensors(partial, ranks.rank, slices))
    on_first(ranks, lambda: _publish(partial, target, step, written, state))
    return target


@contextmanager
def _told(where: Path) -> Iterator[None]:
    """What a disk refuses, as one line."""
    try:
        yield
    except OSError as error:
        raise UserError(f"Cannot write the checkpoint {where}: {(error.strerror or str(error)).lower()}") from None
    except SafetensorError as error:  # how safetensors reports a disk that is full
        raise UserError(f"Cannot write the checkpoint {where}: {str(error).splitlines()[0].lower()}") from None


def _clean(folder: Path, partial: Path) -> None:
    """Removes what saves that were killed left behind, and makes the folder of this one."""
    with _told(partial):
        for left in [*folder.glob(f".step-*{PARTIAL}"), *folder.glob(f".step-*{GONE}")]:
            shutil.rmtree(left)
        (partial / "tensors").mkdir(parents=True)


@dataclass(frozen=True)
class _Written:
    """One rank's file: its parts, all tensors that the rank holds (its own or not), the file's path, size and hash."""

    parts: list[tuple[Key, tuple[int, ...], str, Part]]
    held: set[Key]
    file: str
    digest: dict[str, Any]


def _write_tensors(partial: Path, rank: int, slices: Iterable[TensorSlice]) -> _Written:
    """Writes one rank's file."""
    name = f"tensors/{rank}.safetensors"
    parts: list[tuple[Key, tuple[int, ...], str, Part]] = []
    values: dict[str, Tensor] = {}
    held: set[Key] = set()
    for piece in slices:
        held.add((piece.name, piece.role))
        if not piece.owner or not piece.values.numel():
            continue
        if tuple(piece.values.shape) != layout.size_of(piece.region):
            raise BadLayout(f"{piece.role} of {piece.name}: {tuple(piece.values.shape)} values for {piece.region}")
        key = layout.part_key(piece.name, piece.role, piece.region)
        if key in values:
            raise BadLayout(f"{key} is given twice by rank {rank}")
        values[key] = piece.values.detach().to("cpu", copy=True).contiguous()  # parts of one storage may not be shared
        dtype = str(piece.values.dtype).removeprefix("torch.")
        parts.append(((piece.name, piece.role), tuple(piece.shape), dtype, Part(name, piece.region)))
    with _told(partial / name):
        save_file(values, partial / name)
        _sync(partial / name)
    return _Written(parts, held, name, asdict(storage.digest(str(partial / name))))


def _publish(partial: Path, target: Path, step: int, written: list[_Written], state: dict[str, Any]) -> None:
    """Writes index and state, the manifest last, and gives the checkpoint its name."""
    index = layout.merge(part for rank in written for part in rank.parts)
    unowned = set().union(*(rank.held for rank in written)) - index.keys()
    if unowned:
        raise BadLayout("{1} of {0} is owned by no rank".format(*min(unowned)))
    files = {rank.file: rank.digest for rank in written}
    gone = target.with_name(f".{target.name}{GONE}")
    with _told(target):
        for name, content in (("index.json", layout.to_json(index)), ("state.json", {**state, "step": step})):
            plain = _bytes(content)
            (partial / name).write_bytes(plain)
            _sync(partial / name)
            files[name] = {"bytes": len(plain), "sha256": hashlib.sha256(plain).hexdigest()}
        (partial / "manifest.json").write_bytes(_manifest({"format": FORMAT, "step": step, "files": files}))
        for path in (partial / "manifest.json", partial / "tensors", partial):
            _sync(path)
        if target.exists():  # a broken one
            target.rename(gone)
        partial.rename(target)
        _sync(target.parent)
    shutil.rmtree(gone, ignore_errors=True)


def _bytes(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _manifest(content: dict[str, Any]) -> bytes:
    """The manifest, with the hash of its own content."""
    return _bytes({**content, "sha256": hashlib.sha256(_bytes(content)).hexdigest()})


def _sync(path: Path) -> None:
    """Makes a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---- finding


def problem_of(path: Path, hashes: bool = True) -> str | None:
    """What is wrong with a checkpoint, in half a sentence; None when its manifest verifies."""
    try:
        plain = (path / "manifest.json").read_bytes()
    except OSError:
        return "it has no manifest"
    try:
        content = json.loads(plain)
        claimed = content.pop("sha256")
        if _manifest(content) != plain or claimed != hashlib.sha256(_bytes(content)).hexdigest():
            return "its manifest is damaged"
        if content["format"] != FORMAT or folder_name(content["step"]) != path.name:
            return f"its manifest is of format {content['format']} and step {content['step']}"
        files = content["files"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its manifest is damaged"
    for name, written in sorted(files.items()):
        file = path / name
        if not file.is_file():
            return f"{name} is missing"
        if file.stat().st_size != written["bytes"]:
            return f"{name} has {file.stat().st_size} bytes, the manifest says {written['bytes']}"
        if hashes and storage.digest(str(file)).sha256 != written["sha256"]:
            return f"{name} is not what was written (its hash differs)"
    return None


def looks_whole(path: Path) -> bool:
    """Whether all files are there with the right sizes; hashes are not computed."""
    return problem_of(path, hashes=False) is None


@dataclass(frozen=True)
class Latest:
    """The checkpoint to go on from, and what is wrong with each later one."""

    step: int
    path: Path
    broken: tuple[str, ...]


def latest(folder: Path) -> Latest | None:
    """The highest step whose manifest verifies; None where there is no checkpoint at all.

    Raises `UserError` where there are checkpoints and none verifies: a run never begins again from zero unasked.
    """
    broken: list[str] = []
    for step, path in reversed(list_checkpoints(folder).items()):
        problem = problem_of(path)
        if problem is None:
            return Latest(step, path, tuple(broken))
        broken.append(f"{path.name}: {problem}")
    if broken:
        raise UserError(
            f"No checkpoint in {folder} is whole ({'; '.join(broken[:3])}). Bring one back, or remove the folder to begin "
            "from step 0."
        )
    return None


# ---- reading


class Checkpoint:
    """A checkpoint that is read: `state`, `index`, and any region of its tensors, whatever layout wrote it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state: dict[str, Any] = json.loads((path / "state.json").read_bytes())
        self.index = layout.from_json(json.loads((path / "index.json").read_bytes()))
        self._opened = cache(lambda file: safe_open(path / file, framework="pt"))

    def read(self, name: str, role: Role, region: Region) -> Tensor:
        """The values of a region. From each file only the bytes of the region are read.

        Raises `BadLayout` where the checkpoint does not hold it.
        """
        entry = self.index.get((name, role))
        if entry is None:
            raise BadLayout(f"the checkpoint {self.path.name} holds no {role} of {name}")

        def slice_of(part: Part, inside: tuple[slice, ...]) -> Tensor:
            file: Any = self._opened(part.file)
            key = layout.part_key(name, role, part.region)
            return cast(Tensor, file.get_slice(key)[inside] if inside else file.get_tensor(key))

        return layout.assemble((name, role), entry, region, slice_of)

    def tensors(self) -> Iterable[tuple[Key, Tensor]]:
        """Every canonical tensor, whole, one at a time."""
        for (name, role), entry in self.index.items():
            yield (name, role), self.read(name, role, layout.whole(entry.shape))


def equal_tensors(one: Checkpoint, other: Checkpoint) -> bool:
    """Whether two checkpoints hold the same tensors, bit for bit, however they are cut."""
    if one.index.keys() != other.index.keys():
        return False
    return all(_bits_equal(tensor, other.read(*key, layout.whole(tensor.shape))) for key, tensor in one.tensors())


def _bits_equal(one: Tensor, other: Tensor) -> bool:
    """Equality of the bits: also of NaN, and not of the two zeros."""
    return one.dtype == other.dtype and torch.equal(
        one.reshape(-1).view(torch.uint8), other.reshape(-1).view(torch.uint8)
    )
