"""One way to list, open and write a URI.

Local paths and `file://` today. Object stores get in by this door and no other: every room above names a file by its URI
and asks here. A file is written under a temporary name and moved into place when it is whole, so that a reader never sees
half of one, whatever kills the writer.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from connectors.errors import UserError

PARTIAL = ".part"  # ending of a file that is being written
_WILDCARDS = "*?["
LONGEST_NAME = 200  # bytes; outputs add a few to it


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of an input: its URI, its path relative to the input's root (never the machine's), its size in bytes."""

    uri: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is in place: its size in bytes and the SHA-256 of its content, in hex; "" for one between parts of a stage."""

    bytes: int
    sha256: str


def local_path(uri: str) -> Path:
    """The local path of a URI. Raises `UserError` for a scheme that no store here speaks."""
    return Path(local_name(uri))


def local_name(uri: str) -> str:
    """The local path of a URI as text, which is quicker for who only opens it. Raises as `local_path` does."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri
    if scheme == "file":
        return rest
    raise UserError(f"No storage for '{scheme}://' in {uri}: use a local path or file://")


def split_pattern(uri: str) -> tuple[str, str]:
    """A glob pattern as its fixed folder and the rest: `crawl/2024/*.gz` is `crawl/2024` and `*.gz`."""
    parts = str(local_path(uri)).split("/")
    fixed = next((i for i, part in enumerate(parts[:-1]) if any(c in part for c in _WILDCARDS)), len(parts) - 1)
    root = "/".join(parts[:fixed])
    return root or ("/" if uri.startswith("/") else "."), "/".join(parts[fixed:])


def list_inputs(pattern: str) -> list[InputFile]:
    """The files that a path, a folder or a glob pattern (`**` allowed) names, sorted by relative path.

    Raises `UserError` where there is none.
    """
    path = local_path(pattern)
    if path.is_dir():
        root, rest = str(path), "**/*"
    elif path.is_file():
        root, rest = str(path.parent), glob.escape(path.name)
    else:
        root, rest = split_pattern(pattern)
    if ".." in rest.split("/"):
        raise UserError(f"'..' behind a wildcard in {pattern}: a file could be read twice; give each folder an --input")
    found = distinct_files(root, glob.glob(rest, root_dir=root, recursive=True))
    if not found:
        raise UserError(f"No file matches {pattern}: check the path, and quote the pattern in a shell")
    unreadable = next((p for p in found if not os.access(os.path.join(root, p), os.R_OK)), None)
    if unreadable:
        raise UserError(f"Cannot read {root}/{unreadable}: give this user the right to read it")
    return [InputFile(os.path.join(root, p), Path(p).as_posix(), os.path.getsize(os.path.join(root, p))) for p in found]


def distinct_files(root: str, paths: list[str]) -> list[str]:
    """The files among the paths, sorted; one that a link names again counts once, under its first name.

    Raises `UserError` for a name that cannot be the name of an output.
    """
    seen: set[str] = set()
    files: list[str] = []
    for path in sorted(paths):
        whole = os.path.join(root, path)
        real = os.path.realpath(whole)
        if os.path.isfile(whole) and real not in seen:
            seen.add(real)
            files.append(path)
            if len(os.path.basename(path).encode(errors="surrogateescape")) > LONGEST_NAME or not is_utf8(path):
                raise UserError(f"A file in {root} has a name that is too long or not UTF-8: {path!r:.80}; rename it")
    return files


def is_utf8(text: str) -> bool:
    """Whether a file name holds no bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def open_input(uri: str) -> BinaryIO:
    """A file opened for reading bytes, seekable."""
    return open(local_name(uri), "rb")


def exists(uri: str) -> bool:
    """Whether there is a file or folder."""
    return os.path.exists(local_name(uri))


def size(uri: str) -> int:
    """The size of a file in bytes."""
    return os.path.getsize(local_name(uri))


def list_files(folder: str, suffix: str) -> list[str]:
    """Relative paths of all files below a folder that end in `suffix`, sorted; none where there is no folder."""
    root = local_path(folder)
    return sorted(p.relative_to(root).as_posix() for p in root.rglob(f"*{suffix}") if p.is_file())


def stamp(uri: str) -> tuple[int, int, int]:
    """What tells a file from another one that had its name before: its inode, size and time of change."""
    found = os.stat(local_name(uri))
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_bytes(uri: str) -> bytes:
    """A small file's content."""
    with open_input(uri) as file:
        return file.read()


@contextmanager
def writing(uri: str, lasting: bool = True) -> Iterator[Path]:
    """A local path to write a file to; the file is moved to `uri` when the block ends, and gone if it raises.

    The temporary file lies beside its target, so that moving it is one rename. Where it is not to be `lasting` the disk is not
    waited for: the end of a process does it no harm, and after the end of the machine its size tells whether it is whole.
    """
    target = local_path(uri)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}{PARTIAL}")
    try:
        yield partial
        if lasting:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def scratch(folder: str) -> Iterator[BinaryIO]:
    """A file without a name, on the disk of a folder, to write and to read again; gone with the block, however that ends."""
    path = local_path(folder)
    path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path) as file:
        yield cast(BinaryIO, file)


def write_bytes(uri: str, content: bytes) -> Written:
    """Writes a small file whole."""
    with writing(uri) as path:
        path.write_bytes(content)
    return Written(len(content), hashlib.sha256(content).hexdigest())


def overwrite(uri: str, content: bytes) -> None:
    """Writes a small note over the one before, with blanks behind it where that was longer.

    In one call, so that the end of a process leaves it whole. The end of the machine may not: for what a reader can do without.
    """
    path = str(local_path(uri))
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.pwrite(file, content.ljust(os.fstat(file).st_size), 0)
    finally:
        os.close(file)


def copy(uri: str, target: str) -> None:
    """Copies a file, whole."""
    with writing(target) as path:
        shutil.copyfile(local_path(uri), path)


def link(uri: str, target: str) -> None:
    """Gives a file that nobody will change a second name, whole; a copy where the disk can't."""
    with writing(target) as path:
        try:
            os.link(local_path(uri), path)
        except OSError:
            shutil.copyfile(local_path(uri), path)


def digest(uri: str) -> Written:
    """Size and SHA-256 of a file, read as a stream."""
    with open_input(uri) as file:
        hashed = hashlib.file_digest(cast(BufferedReader, file), "sha256")
        return Written(file.tell(), hashed.hexdigest())


def unhashed(uri: str) -> Written:
    """A file of which the size is enough: what the parts of a stage hand to each other, and nobody keeps."""
    return Written(size(uri), "")


def pass_on(uri: str, content: bytes | memoryview) -> Written:
    """Writes a small file for the next part of a stage."""
    with writing(uri, lasting=False) as path:
        path.write_bytes(content)
    return Written(memoryview(content).nbytes, "")


def remove_tree(folder: str) -> None:
    """Removes a folder and all below it, if it is there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(local_path(folder))


@contextmanager
def locked(uri: str, busy: str) -> Iterator[None]:
    """Holds a lock while the block runs; it goes with the process, however that ends. Raises `UserError(busy)`."""
    path = local_path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(busy) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def remove_partial_files(folder: str) -> None:
    """Removes what writers that were killed left half written below a folder."""
    for name in list_files(folder, PARTIAL):
        (local_path(folder) / name).unlink(missing_ok=True)


def names(folder: str) -> Iterator[str]:
    """What lies in a folder itself."""
    with os.scandir(local_path(folder)) as entries:
        yield from (entry.name for entry in entries)


def require_writable(folder: str) -> None:
    """Makes a folder and tries that a file can be written there. Raises `UserError` where not."""
    try:
        write_bytes(f"{folder}/.writable", b"")
        (local_path(folder) / ".writable").unlink()
    except OSError as error:
        raise UserError(f"Cannot write to {folder}: {(error.strerror or 'error').lower()}") from None
