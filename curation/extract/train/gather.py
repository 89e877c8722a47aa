"""The public annotated pages, from checkouts of their two repositories into one folder that training reads.

    python -m curation.extract.train.gather WCXB SCRAPINGHUB OUT

WCXB is Murrough-Foley/web-content-extraction-benchmark, of which only `dev/` is read: its test split is for nobody who fits
anything. SCRAPINGHUB is scrapinghub/article-extraction-benchmark.
"""

from __future__ import annotations

import base64
import gzip
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.errors import UserError
from curation.extract.train.command import run

CATEGORY = "category"  # WCXB's older name of a collection
Line = dict[str, Any]


def main(
    wcxb: Annotated[Path, typer.Argument(help="Checkout of Murrough-Foley/web-content-extraction-benchmark.")],
    scrapinghub: Annotated[Path, typer.Argument(help="Checkout of scrapinghub/article-extraction-benchmark.")],
    out: Annotated[Path, typer.Argument(help="Folder for the pages.")],
) -> None:
    """Writes OUT/wcxb-dev.jsonl.xz and OUT/scrapinghub.jsonl.xz."""
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in (("wcxb-dev", wcxb_pages(wcxb)), ("scrapinghub", scrapinghub_pages(scrapinghub))):
        path = out / f"{name}.jsonl.xz"
        with lzma.open(path, "wt", encoding="utf-8", errors="surrogatepass", preset=1) as file:
            count = sum(file.write(json.dumps(line, ensure_ascii=False) + "\n") > 0 for line in lines)
        typer.echo(f"{count} pages in {path}")


def wcxb_pages(root: Path) -> Iterator[Line]:
    """The development split, in the order of its names; pages without main content are left out."""
    truths = root / "dev" / "ground-truth"
    if root.name == "test" or not truths.is_dir():
        raise UserError(f"No folder '{truths}': name a checkout of WCXB itself, whose dev/ alone is read")
    domains = json.loads((root / "metadata.json").read_bytes())["files"]
    for path in sorted(truths.glob("*.json")):
        read = json.loads(path.read_bytes())
        truth = read.get("ground_truth")
        if not isinstance(truth, dict) or "main_content" not in truth:
            continue
        kind = (read.get("_internal") or {}).get("page_type", {})
        kind = kind.get("primary", "article") if isinstance(kind, dict) else kind
        url = read.get("url") or f"http://{domains[path.stem]['domain'] or path.stem + '.invalid'}"
        html = gzip.decompress((root / "dev" / "html" / f"{path.stem}.html.gz").read_bytes())
        yield _line(
            path.stem,
            "wcxb-dev",
            url,
            "collection" if kind == CATEGORY else kind,
            html,
            truth | {"main_content": truth["main_content"] or ""},
        )


def scrapinghub_pages(root: Path) -> Iterator[Line]:
    """All articles, in the order of the repository's list."""
    truths = root / "ground-truth.json"
    if not truths.is_file():
        raise UserError(f"No file '{truths}': name a checkout of scrapinghub/article-extraction-benchmark")
    for name, read in json.loads(truths.read_bytes()).items():
        html = gzip.decompress((root / "html" / f"{name}.html.gz").read_bytes())
        truth = {"main_content": read.get("articleBody", "")}
        yield _line(name, "scrapinghub", read.get("url", ""), "article", html, truth)


def _line(name: str, source: str, url: str, kind: str, html: bytes, truth: Line) -> Line:
    line: Line = {"id": name, "source": source, "url": url, "page_type": kind, "truth": truth}
    try:
        return line | {"html": html.decode()}
    except UnicodeDecodeError:
        return line | {"html_b64": base64.b64encode(html).decode()}


if __name__ == "__main__":
    run(main)
