"""How to make the run again and see that it is the same."""

from __future__ import annotations

import shlex

from curation.audit.story import Ledger
from curation.report.markup import Html, code, joined, paragraph, tag

ORDER = 110
TITLE = "Make it again"


def render(ledger: Ledger) -> Html:
    """Commands with RUN for this run's folder and FOLDER for where the inputs lie."""
    manifest = ledger.manifest
    sources = list(dict.fromkeys(given["split"].split("/", 1)[0] for given in manifest["inputs"]))
    inputs = " ".join(f"--input {shlex.quote(f'{source}=FOLDER/{source}')}" for source in sources)
    version = manifest["plan"]["corpusmill"]
    return joined(
        paragraph(
            f"With Corpusmill {version} and the packages that stand in ",
            tag("a", "the run", href="#run"),
            ". RUN is this run's folder, FOLDER where its inputs lie: the files of each source under their names and with "
            "the hashes that stand there, too.",
        ),
        tag(
            "pre",
            f"corpusmill curate RUN/recipe.yaml {inputs} --run AGAIN\n"
            "diff <(jq .files RUN/manifest.json) <(jq .files AGAIN/manifest.json)",
            tabindex=0,
        ),
        paragraph(
            "The new run's plan must have the same digest, which covers recipe, inputs and versions: ",
            code(manifest["plan_digest"]),
        ),
        paragraph(
            "With the same plan every file has the same SHA-256, whatever the machine, the engine, the number of workers, and "
            "however often the run was stopped. Another version of a package gives another plan, and `corpusmill curate` says so."
        ),
    )
