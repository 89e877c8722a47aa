"""`corpusmill try` as a person types it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from connectors.errors import UserError
from curation.audit.show_page import page_parts
from curation.audit.show_trial import CLOSED, OPENED, as_json, headline, marked, merged, trial_page, visible
from curation.pipeline.try_document import MarkedText, try_document
from curation.recipes.load import load_recipe
from jobs.try_ import main
from tests.pipeline.prepared import command

PROSE = "The people of the town have said that it was a good year, and that it will be better to come back. "
PAGE = f"<html><body><article><h1>Headline</h1>{f'<p>{PROSE}</p>' * 3}<p>Menu…</p></article></body></html>"
RECIPE = """
recipe: small
url: {}
extract: {engine: resiliparse}
filters:
  - repeats:
      - {measure: duplicate_line_share, max: 0.3, reason: again}
      - {measure: top_2_gram_share, max: 0.9, reason: phrase}
  - c4: {min_sentences: 1}
  - lengths:
      - {measure: words, min: 1000, reason: short}
      - {measure: hashes_per_word, max: 0.1, reason: hashes}
redact: [email]
tokenize: null
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(RECIPE)
    return path


def tried(*words: str | Path, **options: object) -> str:
    done = command("try", *words, **options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def row(shown: str, begins: str) -> list[str]:
    line = next(line for line in shown.splitlines() if line.strip().startswith(begins))
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_page_past_its_first_verdict(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE)
    shown = tried(recipe, "--file", tmp_path / "page.html", "--url", "https://a.example/")
    assert shown.startswith("REMOVED by small, step repeats: again: ")
    assert row(shown, "repeats")[4:] == ["fires", "again", "◀ decides", "2 places"]
    assert row(shown, "top_2_gram_share")[3:] == ["holds", "phrase"]
    assert row(shown, "lengths")[1:] == ["words", row(shown, "lengths")[2], "≥ 1,000", "fires", "short"]
    assert row(shown, "hashes_per_word") == ["hashes_per_word", "0", "≤ 0.1", "holds", "hashes"]
    assert "Lines that c4 dropped or changed" in shown and "no_terminal_punctuation  Menu…" in shown
    prose = PROSE.strip()
    assert shown.count(f"{OPENED}{prose}{CLOSED}") == 2 and "Headline\n" in shown
    assert "\x1b" not in shown


def test_a_text_from_the_command_line_a_file_and_standard_input(recipe: Path, tmp_path: Path) -> None:
    text = "An é line of words.\n" * 3
    (tmp_path / "words.TXT").write_text(text)
    by_text = tried(recipe, "--text", text)
    assert by_text == tried(recipe, "--file", tmp_path / "words.TXT")
    assert by_text == tried(recipe, "--text", "-", input=text) == tried(recipe, "--file", "-", input=text)
    assert row(by_text, "lengths")[1:3] == ["words", "15"]


def test_the_same_as_json(recipe: Path) -> None:
    text = f"Write to joe@x.org\u202e now.\n{PROSE}\n{PROSE}\n{PROSE}"
    shown = tried(recipe, "--text", text, "--url", "https://a.example/", "--json")
    assert shown.isascii() and "joe@" not in shown
    told = json.loads(shown)
    assert (told["recipe"], told["url"], told["fate"], told["tokens"]) == (
        "small",
        "https://a.example/",
        "removed",
        None,
    )
    assert [step["step"] for step in told["steps"] if step["decides"]] == ["repeats"]
    (rules,) = [step["rules"] for step in told["steps"] if step["step"] == "lengths"]
    assert [(rule["reason"], rule["outcome"], rule["min"]) for rule in rules] == [
        ("short", "fires", 1000),
        ("hashes", "holds", None),
    ]
    first, *_ = told["texts"]
    assert "<EMAIL>" in first["text"]
    ((a, b), (c, d)) = next(mark["spans"] for mark in first["marks"] if mark["reason"] == "again")
    assert first["text"][a:b] == first["text"][c:d] == PROSE


def test_marks_of_one_reason_alone(recipe: Path) -> None:
    text = "# #\n# #\n# #"
    assert "marked: again, phrase" in tried(recipe, "--text", text)
    shown = tried(recipe, "--text", text, "--mark", "hashes")
    assert "; marked: hashes\n" in shown and shown.count(OPENED) == 6


def test_tokens_of_a_tokenizer_that_is_there(recipe: Path, light_run: Path) -> None:
    setting = f"tokenize={{tokenizer: {light_run}/tokenizer.json}}"
    shown = tried(recipe, "--text", PROSE, "--set", setting, "--set", "filters=[]")
    assert shown.startswith("KEPT by small, unless it is a duplicate, ")
    tokens = int(shown.split(", ")[2].split()[0])
    assert 20 < tokens < len(PROSE)
    assert "The text behind the last step" in shown and PROSE.strip() in shown


def test_an_address_alone(recipe: Path) -> None:
    shown = tried(recipe, "--url", "https://porn.example/")
    assert shown.startswith("REMOVED by small, step url: hard_blacklisted: 1, threshold 0  https://porn.example/")
    trial = try_document(load_recipe(str(recipe)), url="https://a.example/")
    assert headline(trial).plain == "Not removed by the url filter of small  https://a.example/"
    assert json.loads(as_json(trial))["fate"] is None


def test_mistakes(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "page.pdf").touch()
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({}, "Give the document by --text or by --file, or an address alone by --url"),
        ({"text": "a", "file": "b.txt"}, "Give the document by --text or by --file"),
        ({"file": f"{tmp_path}/none.html"}, f"Cannot read {tmp_path}/none.html: no such file or directory"),
        ({"file": f"{tmp_path}/page.pdf"}, "a file ends in .html, .htm, .xhtml, .txt"),
        ({"text": "a b c d", "set": ["read.record_bytes=5"]}, "larger than read.record_bytes, 5 bytes"),
        ({"text": "a", "set": ["tokenize={tokenizer: none.json}"]}, "none.json"),
        ({"text": "# #\n# #\n# #", "mark": "hashs"}, "Did you mean 'hashes'?"),
        ({"url": "https://a.example/", "set": ["url=null"]}, "The recipe small does not look at addresses"),
    ]
    for given, told in mistakes:
        with pytest.raises(UserError, match=re.escape(told)):
            main(str(recipe), **given)
    done = command("try", recipe)
    assert done.returncode == 2 and done.stdout == ""
    assert "Give the document by --text" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_what_would_steer_a_terminal_is_shown_by_its_code(recipe: Path) -> None:
    hostile = f"\x1b[31mred\u202e \x07 {OPENED}line\u200b\t."
    shown = tried(recipe, "--text", "\n".join([hostile] * 3))
    assert not set("\x1b\u202e\x07\u200b\t") & set(shown)
    assert r"\x1b[31mred\u202e \x07 \u25b8line\u200b\t." in shown
    assert shown.count(OPENED) == 2 == shown.count(CLOSED)
    assert visible("a\nb[bold]é") == "a\nb[bold]é"


def test_bytes_that_are_no_text(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe not utf-8")
    assert "bad_charset" in tried(recipe, "--file", tmp_path / "x.txt")


def rendered(text: MarkedText, colours: bool, characters: int = 0) -> str:
    return marked(text, colours, characters).plain


def test_marks_that_overlap_are_one() -> None:
    assert merged([(5, 9), (0, 3), (2, 4), (9, 10)]) == [(0, 4), (5, 9), (9, 10)]
    text = MarkedText(("s",), "abcdefghij", {("s", "r"): ((0, 3),), ("s", "q"): ((2, 4), (8, 10))})
    assert rendered(text, False) == "▸abcd◂efgh▸ij◂"
    assert rendered(text, True) == "abcdefghij"


def test_a_newline_that_is_marked_can_be_seen() -> None:
    text = MarkedText(("s",), "a\nb\n", {("s", "r"): ((1, 2), (3, 4))})
    assert rendered(text, False) == "a▸⏎\n◂b▸⏎\n◂"


def test_long_texts_are_cut_and_begin_near_the_first_mark() -> None:
    text = MarkedText(("s",), "x" * 1000, {("s", "r"): ((2, 4), (9, 990))})
    assert rendered(text, False, 10) == "xx▸xx◂xxxxx▸x◂\n… 990 more characters; --characters 0 shows all"
    far = MarkedText(("s",), "x" * 900 + "y" * 100, {("s", "r"): ((900, 1000),)})
    assert (
        rendered(far, False, 210)
        == f"… 700 characters before\n{'x' * 200}▸{'y' * 10}◂\n… 90 more characters; --characters 0 shows all"
    )
    assert rendered(far, False) == f"{'x' * 900}▸{'y' * 100}◂"


def test_a_terminal_shows_marks_by_colour(recipe: Path) -> None:
    trial = try_document(load_recipe(str(recipe)), media="text", content=f"{PROSE}\n{PROSE}\n{PROSE}".encode())
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, color_system="standard", width=400, markup=False)
    for part in trial_page(trial, True):
        console.print(part)
    assert OPENED not in written.getvalue() and f"\x1b[30;43m{PROSE.strip()}" in written.getvalue()


FAST = "recipe: fast\nextract: {engine: fast}\nredact: [email]\ntokenize: null\n"
NAVIGATION = "<nav><a href=/>Home</a> <a href=/x>\x1b[31mAbout</a></nav>"
HEAD = "<head><title>A good year</title><meta name=author content='Jo Doe'></head>"
SAID = [
    PROSE,
    "Nobody had thought so in the spring, when the river stood in the streets and the school was closed for weeks. ",
    "Now the bridge is open again, the shops have more to do than before, and two families have come to stay. ",
]
TOLD = "".join(f"<p>{said}jo@example.com</p>" for said in SAID)
WHOLE = f"<html lang=en>{HEAD}<body>{NAVIGATION}<article>{TOLD}</article></body></html>"


@pytest.fixture
def fast(tmp_path: Path) -> Path:
    path = tmp_path / "fast.yaml"
    path.write_text(FAST)
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.html"
    path.write_text(WHOLE)
    return path


def test_a_page_is_drawn_block_by_block(fast: Path, whole: Path, tmp_path: Path) -> None:
    shown = tried(fast, "--file", whole, "--html", tmp_path / "blocks.html")
    lines = shown.splitlines()
    assert row(shown, "title") == ["title", "A good year"] and row(shown, "author") == ["author", "Jo Doe"]
    dropped = next(line for line in lines if line.startswith("- 0."))
    assert dropped.endswith(r"Home \x1b[31mAbout")
    taken = [line for line in lines if line.startswith("+ 0.")]
    assert [line.partition("  ")[2] for line in taken] == [f"{said}<EMAIL>" for said in SAID]
    assert "3 of 4 blocks are main text (+), expected word F1 0." in shown
    written = (tmp_path / "blocks.html").read_text()
    assert written.count('class="block taken"') == 3 and written.count('class="block dropped"') == 1
    assert "<script" not in written and "\x1b" not in written and "jo@example.com" not in written + shown
    assert "&lt;EMAIL&gt;" in written and "default-src &#x27;none&#x27;" in written


def test_a_page_in_json_and_in_colours(fast: Path, whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(str(fast), file=str(whole), json=True)
    found = json.loads(capsys.readouterr().out)["page"]
    assert [block["kept"] for block in found["blocks"]] == [False, True, True, True]
    assert found["kept_blocks"] == 3 and found["metadata"]["language"] == "en" and 0 < found["expected_f1"] <= 1
    trial = try_document(load_recipe(str(fast)), media="html", content=WHOLE.encode())
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, color_system="standard", width=400, markup=False)
    for part in page_parts(trial.page, 120):
        console.print(part)
    assert "\x1b[32m+ 0." in written.getvalue() and "\x1b[2;31m- 0." in written.getvalue()
    assert "… 2 more blocks; --characters 0 shows all" in written.getvalue()


def test_html_is_for_pages_that_fast_extracts(recipe: Path, whole: Path, fast: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="engine: fast"):
        main(str(recipe), file=str(whole), html=str(tmp_path / "x.html"))
    with pytest.raises(UserError, match="Cannot write .*/none/x.html: no such file or directory"):
        main(str(fast), file=str(whole), html=str(tmp_path / "none/x.html"))
