"""The page as a whole: one policy, the same bytes, new panels by new files, and clear words where there is no run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from curation.report import charts
from curation.report.page import PATH, panels, render, write_report
from tests.audit.composed import PROSE, response
from tests.pipeline import prepared
from tests.report.reading import Page, parse, read_page


def copied(run: Path, folder: Path) -> Path:
    shutil.copytree(run, folder)
    return folder


def test_the_policy_allows_its_one_style_and_nothing_else(page: Page) -> None:
    (policy,) = [a["content"] for n, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    style = re.search("<style>(.*?)</style>", page.source, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert page.source.index("Content-Security-Policy") < page.source.index("<style>")
    assert "@import" not in style[1] and "url(" not in style[1]


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(run: Path, tmp_path: Path) -> None:
    elsewhere = copied(run, tmp_path / "else where")
    first = write_report(str(elsewhere))
    assert write_report(str(elsewhere) + "/") == first
    content = (elsewhere / PATH).read_bytes()
    assert content.decode() == render(str(run))
    assert str(tmp_path).encode() not in content and str(run).encode() not in content


def test_the_report_does_not_change_the_run(run: Path, tmp_path: Path) -> None:
    elsewhere = copied(run, tmp_path / "run")
    before = prepared.content(elsewhere)
    write_report(str(elsewhere))
    after = prepared.content(elsewhere)
    after.pop(PATH)
    assert after == before
    done = prepared.command("verify", elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_are_found_and_each_is_a_section(page: Page) -> None:
    found = panels()
    orders = [panel.order for panel in found]
    assert len(found) >= 12 and orders == sorted(orders) and len(set(orders)) == len(orders)
    ids = [attributes["id"] for name, attributes in page.elements if name == "section"]
    assert ids == [panel.name for panel in found]
    links = [attributes["href"][1:] for name, attributes in page.elements if name == "a"]
    assert set(links) == set(ids)
    assert all(len(page.sections[name]) > 30 for name in ids)


def test_tables_have_heads_and_drawings_have_words(page: Page) -> None:
    heads = [attributes for name, attributes in page.elements if name == "th"]
    assert all(attributes.get("scope") in ("col", "row") for attributes in heads)
    assert all(caption for caption in page.tables)
    for i, (name, attributes) in enumerate(page.elements):
        if name == "svg" and attributes.get("role") == "img":
            assert [n for n, _ in page.elements[i + 1 : i + 3]] == ["title", "desc"]
        elif name == "svg":
            assert attributes.get("aria-hidden") == "true"
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert ("html", {"lang": "en"}) in page.elements


def contrast(first: str, second: str) -> float:
    """WCAG 2.2, contrast ratio of two colours `#rrggbb`."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_have_contrast_in_both_schemes(page: Page) -> None:
    """Text 4.5, what is drawn 3: WCAG 2.2, 1.4.3 and 1.4.11."""
    schemes = [
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root \{(.*?)\}", page.source, re.S)
    ]
    for colours in schemes[:2]:
        papers = {"ink": ("paper", "good", "raised"), "quiet": ("paper",), "link": ("paper",), "bad-ink": ("bad",)}
        for ink, paper in ((ink, paper) for ink, each in papers.items() for paper in each):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        for drawn in ("kept", "removed", "duplicate", "quarantined", "aside"):
            assert contrast(colours[drawn], colours["paper"]) >= 3, drawn
    assert len(schemes) == 3


def test_no_run_and_an_unfinished_run(tmp_path: Path, run: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        render(str(tmp_path / "nothing"))
    elsewhere = copied(run, tmp_path / "run")
    manifest = json.loads((elsewhere / "manifest.json").read_text())
    (elsewhere / "manifest.json").write_text(json.dumps({**manifest, "status": "open"}))
    with pytest.raises(UserError, match="is not finished: run the same curate command again"):
        render(str(elsewhere))
    assert not (elsewhere / "report").exists()


def test_a_damaged_run_is_one_line_without_content(tmp_path: Path, run: Path) -> None:
    elsewhere = copied(run, tmp_path / "run")
    victim = next((elsewhere / "ledger" / "refine").rglob("*.parquet"))
    victim.write_bytes(b"secret content")
    with pytest.raises(UserError, match="corpusmill verify") as raised:
        render(str(elsewhere))
    assert "secret" not in str(raised.value) and "\n" not in str(raised.value)
    victim.unlink()
    with pytest.raises(UserError, match=f"{victim.name} is missing"):
        render(str(elsewhere))


def test_counts_that_do_not_agree_are_said_loudly(tmp_path: Path, run: Path) -> None:
    elsewhere = copied(run, tmp_path / "run")
    manifest = json.loads((elsewhere / "manifest.json").read_text())
    manifest["sources"]["crawl"]["kept"] += 1
    (elsewhere / "manifest.json").write_text(json.dumps(manifest))
    flow = read_page(elsewhere).sections["flow"]
    assert "THE COUNTS DO NOT AGREE" in flow and "Nothing is lost" not in flow


def curated(folder: Path, recipe: Path, engine: LocalEngine, content: bytes, *changes: str) -> Page:
    (folder / "web").mkdir()
    (folder / "web" / "a.warc.gz").write_bytes(content)
    curate(str(recipe), str(folder / "web"), str(folder / "run"), engine=engine, changes=list(changes))
    return read_page(folder / "run")


def test_a_run_without_tokens(tmp_path: Path, light_recipe: Path, engine: LocalEngine) -> None:
    page = curated(tmp_path, light_recipe, engine, response("https://a.example/", f"<p>{PROSE}</p>"), "tokenize=null")
    assert "the recipe does not tokenize" in page.sections["run"] and "trace" not in page.sections["ask"]
    assert "looks for no personal data" in page.sections["personal_data"]
    assert "recognises no languages" in page.sections["languages"]


def test_a_run_that_keeps_nothing(tmp_path: Path, light_recipe: Path, engine: LocalEngine) -> None:
    page = curated(tmp_path, light_recipe, engine, response("https://a.example/", "<p>Short.</p>"), "tokenize=null")
    assert "No document was kept" in page.sections["kept"] and "Nothing is lost" in page.sections["flow"]
    assert "No duplicate was found" in page.sections["duplicates"]


def test_a_run_with_no_shard(tmp_path: Path, run: Path) -> None:
    """Every part of the ledger but `records` may be without a file."""
    elsewhere = copied(run, tmp_path / "run")
    for part in ("documents", "ledger/finish", "ledger/measures", "ledger/edits", "ledger/refine", "ledger/records"):
        shutil.rmtree(elsewhere / part)
    manifest = json.loads((elsewhere / "manifest.json").read_text())
    manifest |= {"shards": [], "files": {}, "sources": {}, "inputs": []}
    for step in manifest["steps"]:
        step |= {"entered": 0, "went_on": 0, "ended": {}}
    (elsewhere / "manifest.json").write_text(json.dumps(manifest))
    page = read_page(elsewhere)
    assert "no shard was written" in page.sections["run"] and "No record entered" in page.sections["flow"]
    assert page.unclosed == []


def test_training_curves(tmp_path: Path, run: Path) -> None:
    elsewhere = copied(run, tmp_path / "run")
    folder = elsewhere / "train" / "small <b>"
    folder.mkdir(parents=True)
    sources = {"crawl": 8.5, "</svg>": 2}
    rows = [
        {"step": s, "loss": 9 - s / 500, "loss_by_source": sources, "lr": 1e-3, "tokens": 64 * s}
        for s in range(1, 1001)
    ]
    lines = [json.dumps(row) for row in rows]
    lines[500:500] = ["[1, 2]", '{"step": 3, "loss": NaN}', "[" * 100_000]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + '\n{"step": 1001, "lo')
    page = read_page(elsewhere)
    shown = page.figures("Loss by source, small <b>")
    assert shown["crawl"] == ["8.5", "8.5", "8.5"] and set(shown) == {"all", "crawl", "</svg>"}
    assert float(shown["all"][2]) == pytest.approx(7, abs=0.02) and "64,000 tokens" in page.sections["training"]
    assert "could not be read: 3" in page.sections["training"] and page.unclosed == []
    points = [a["points"] for name, a in page.elements if name == "polyline"]
    assert len(points) == 4 and all(len(p.split()) <= 401 for p in points)


def test_how_full_packed_sequences_are(tmp_path: Path, run: Path) -> None:
    elsewhere = copied(run, tmp_path / "run")
    fill = {"sequences": 10, "tokens": 640, "padding": 160, "documents": 50, "cut": 5}
    for name, content in {
        "a": json.dumps({"by_source": {"</b>": fill}}),
        "b": "[1",
        "c": '{"by_source": {"x": {}}}',
    }.items():
        (elsewhere / "train" / name).mkdir(parents=True)
        (elsewhere / "train" / name / "metrics.jsonl").write_text('{"step": 0, "loss": 2.0}\n')
        (elsewhere / "train" / name / "packing.json").write_text(content)
    page = read_page(elsewhere)
    assert page.figures("How full the sequences are, a") == {"</b>": ["50", "10", "80.0 %", "20.0 %", "10.0 %"]}
    assert page.sections["training"].count("How full the sequences are") == 1 and page.unclosed == []


@pytest.mark.parametrize(
    ("low", "high", "log"), [(0.0, 1.0, False), (0.0, 12345.0, True), (-3.0, 7.0, False), (5.0, 5.0, False)]
)
def test_axes_keep_order_and_stay_inside(low: float, high: float, log: bool) -> None:
    axis = charts.Axis(low, high, 10, 100, log)
    ticks = axis.ticks()
    places = [axis.at(value) for value in ticks]
    assert places == sorted(places) and all(10 <= place <= 110 for place in places) and 1 <= len(ticks) <= 7
    assert axis.at(low - 1e9) <= axis.at(high + 1e9) if not log else True


def test_parse_sees_what_is_not_closed() -> None:
    assert parse("<p><b></p>").unclosed
