"""The page in a real browser: silent, alone, readable in both colour schemes. Skipped where there is no Chromium."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from curation.report.page import render

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), "")
pytestmark = pytest.mark.skipif(not BROWSER, reason=f"no {' or '.join(NAMES[:3])} is installed")

# The browser's own calls home resolve to nothing; only what the page asks for is looked at.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


@dataclass
class Visit:
    """What a visit to a page left: console lines, URLs that the page asked for, width, height and the corner's colour."""

    console: list[str]
    asked: set[str]
    size: tuple[int, int]
    corner: str
    colours: int


def visit(content: str, folder: Path, width: int = 800, dark: bool = False) -> Visit:
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(content)
    picture, log = folder / "page.png", folder / "net.json"
    arguments = [f"--user-data-dir={folder}/profile", f"--log-net-log={log}", f"--screenshot={picture}"]
    arguments += [f"--window-size={width},1200", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    command = [BROWSER, *FLAGS, *arguments, f"file://{folder}/index.html"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert picture.exists(), done.stderr[-500:]
    events = json.loads(log.read_text())["events"]
    parameters = [event["params"] for event in events if isinstance(event.get("params"), dict)]
    asked = {p["url"] for p in parameters if p.get("initiator") in ("null", "file://") and "url" in p}
    return Visit(re.findall(r":CONSOLE.*", done.stderr), asked, *decoded(picture.read_bytes()))


def decoded(png: bytes) -> tuple[tuple[int, int], str, int]:
    """Size of a PNG, the colour of its first pixel, and how many different lines it has."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += 12 + length
    raw = zlib.decompress(data)
    row = 1 + width * (4 if kind == 6 else 3)
    rows = {raw[i : i + row] for i in range(0, len(raw), row)}
    return (width, height), f"#{raw[1:4].hex()}", len(rows)


@pytest.fixture(scope="module")
def content(run: Path) -> str:
    return render(str(run))


@pytest.mark.parametrize(("width", "dark", "paper"), [(1600, False, "#ffffff"), (400, True, "#14171a")])
def test_the_page_is_silent_and_alone_in_both_schemes(
    content: str, tmp_path: Path, width: int, dark: bool, paper: str
) -> None:
    seen = visit(content, tmp_path / "page", width, dark)
    assert seen.console == [] and seen.asked == set()
    assert seen.corner == paper and seen.size == (width, 1200)
    assert seen.colours > 200, "the page is nearly empty"


def test_a_hostile_run_is_as_silent(hostile_run: Path, tmp_path: Path) -> None:
    seen = visit(render(str(hostile_run)), tmp_path / "page")
    assert seen.console == [] and seen.asked == set() and seen.corner == "#ffffff"


def test_the_visit_sees_what_it_looks_for(tmp_path: Path) -> None:
    """A page that does what ours must not; and the same under our policy, where it is stopped and heard of."""
    harm = "<script>console.error('seen')</script><img src=http://127.0.0.1:9/x.png>"
    open_page = visit(f"<!doctype html>{harm}", tmp_path / "open")
    assert open_page.asked == {"http://127.0.0.1:9/x.png"} and any("seen" in line for line in open_page.console)
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
    closed = visit(f"<!doctype html>{policy}{harm}", tmp_path / "closed")
    assert closed.asked == set() and len(closed.console) == 2
