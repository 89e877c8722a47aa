"""The page: every panel of `panels/` under one style and one content security policy, in one file."""

from __future__ import annotations

import base64
import hashlib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

import duckdb

from connectors import storage
from connectors.storage import Written
from curation.audit.story import Ledger
from curation.report.markup import Html, joined, tag
from curation.report.tables import damaged, open_tables

PANELS = "curation.report.panels"
PATH = "report/index.html"


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page; `name` is its module's, and what a link to it ends in."""

    order: int
    name: str
    title: str
    render: Callable[[Ledger], str]


def write_report(run: str) -> Written:
    """Makes `RUN/report/index.html`. Raises `UserError` for no run, one that is not finished, or a damaged one."""
    content = render(run).encode()
    return storage.write_bytes(f"{run.rstrip('/')}/{PATH}", content)


def render(run: str) -> Html:
    """The page of a run."""
    ledger = None
    try:
        ledger = open_tables(run)
        return page(ledger)
    except duckdb.Error as error:
        raise damaged(run, error) from None
    finally:
        if ledger is not None:
            ledger.database.close()


def panels() -> list[Panel]:
    """The panels that are there, in order."""
    found = []
    for module in pkgutil.iter_modules(importlib.import_module(PANELS).__path__):
        loaded = importlib.import_module(f"{PANELS}.{module.name}")
        found.append(Panel(loaded.ORDER, module.name, loaded.TITLE, loaded.render))
    return sorted(found, key=lambda panel: (panel.order, panel.name))


def page(ledger: Ledger) -> Html:
    """The whole document."""
    style = resources.files("curation.report").joinpath("page.css").read_text()
    name = str(ledger.manifest["plan"]["recipe"]["recipe"])
    shown = panels()
    links = [tag("li", tag("a", panel.title, href=f"#{panel.name}")) for panel in shown]
    sections = [
        tag(
            "section",
            tag("h2", panel.title, id=f"{panel.name}-title"),
            Html(panel.render(ledger)),
            id=panel.name,
            aria_labelledby=f"{panel.name}-title",
        )
        for panel in shown
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"Run report: {name}"),
        tag("style", Html(style)),
    )
    body = tag(
        "body",
        tag("header", tag("h1", "Run report: ", name), tag("nav", tag("ul", *links), aria_label="Panels")),
        tag("main", *sections),
        tag(
            "footer",
            tag("p", f"Corpusmill {ledger.manifest['plan']['corpusmill']}, from the run folder and nothing else."),
        ),
    )
    return joined(Html("<!doctype html>\n"), tag("html", head, body, lang="en"), Html("\n"))


def policy(style: str) -> str:
    """The content security policy: nothing is loaded, nothing runs, and only this style applies."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
