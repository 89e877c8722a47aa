"""Where the members of a gzip file end and begin: what a stream reader does not tell about a damaged archive."""

from __future__ import annotations

import re
import zlib
from typing import BinaryIO

BLOCK = 256 << 10  # bytes read or decoded at a time
HEAD = 4096  # bytes of a member that are enough to decode its first few
MAGIC = b"\x1f\x8b\x08"
_MEMBER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]", re.DOTALL)


def member_end(file: BinaryIO, start: int) -> tuple[int, bool]:
    """Reads the member at `start`. Returns the position behind it and whether the file ends inside it.

    A member that is damaged in any other way ends where it starts.
    """
    file.seek(start)
    decoder = zlib.decompressobj(31)
    position = start
    try:
        while block := file.read(BLOCK):
            position += len(block)
            while block:
                decoder.decompress(block, BLOCK)
                block = decoder.unconsumed_tail
                if decoder.eof:
                    return position - len(decoder.unused_data), False
    except zlib.error:
        return start, False
    return position, position > start


def ends_inside_member(file: BinaryIO, start: int) -> bool:
    """Whether the file ends inside a member, its members being whole from `start` on."""
    while True:
        end, cut = member_end(file, start)
        if cut or end == start:
            return cut
        start = end


def next_member(file: BinaryIO, start: int, content: bytes) -> int | None:
    """The first position from `start` on at which a member stands that holds something beginning with `content`."""
    file.seek(start)
    window, position = b"", start
    while block := file.read(BLOCK):
        window += block
        for found in _MEMBER.finditer(window):
            if _begins_with(window[found.start() : found.start() + HEAD], content):
                return position + found.start()
        # A member's head may lie across two blocks: what is kept here is looked at again together with the next one.
        position += max(0, len(window) - HEAD)
        window = window[-HEAD:]
    return None


def _begins_with(member: bytes, content: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(member, len(content)) == content
    except zlib.error:
        return False
