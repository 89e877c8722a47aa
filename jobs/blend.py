"""Works out in which proportions a training draws from a run's sources, and writes them as a file for `data.blend`.

corpusmill blend RUN --config train.yaml --temperature 3.3 --max-epochs '*=4' --times '*q2=2' --out blend.yaml
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from connectors import storage
from connectors.errors import UserError
from curation.audit.pages import open_table, page
from curation.audit.show import plain
from jobs import command
from jobs.command import output
from trainer.config import Training
from trainer.data.blend import TOTAL
from trainer.data.blend_file import Made, make_blend, read_blend, read_rules, validated
from trainer.data.blend_rules import Rules
from trainer.load_config import load_training

Pairs = list[str] | None


def main(
    run: Annotated[str, typer.Argument(help="Folder of a curated run.")],
    config: Annotated[str, typer.Option(help="The training's YAML file, for its steps; default: the defaults.")] = "",
    set: Annotated[Pairs, typer.Option("--set", "-s", help="Changes it: key.key=value; may be repeated.")] = None,
    rules: Annotated[str, typer.Option(help="Start from the rules of this file: YAML, or an earlier blend.")] = "",
    temperature: Annotated[
        float | None, typer.Option(help="Languages (or sources) by tokens^(1/T): 1 as they are, large all alike.")
    ] = None,
    times: Annotated[Pairs, typer.Option(help="NAME=F: a source, or all that a pattern fits, counts F times.")] = None,
    share: Annotated[Pairs, typer.Option(help="NAME=P: that share of all that is drawn, 0 to 1.")] = None,
    epochs: Annotated[Pairs, typer.Option(help="NAME=E: read so many times.")] = None,
    max_epochs: Annotated[Pairs, typer.Option(help="NAME=E, '*=4' for all: read no more often.")] = None,
    leave_out: Annotated[Pairs, typer.Option(help="NAME: not drawn from.")] = None,
    after: Annotated[str, typer.Option(help="A blend file whose stages go before this one.")] = "",
    from_step: Annotated[int, typer.Option(min=0, help="Where this stage begins.")] = 0,
    out: Annotated[str, typer.Option(help="The blend file to write.")] = "",
) -> None:
    """Blend sources: by tokens, temperature, shares, epochs and limits to exact weights; a table, and a file for training."""
    if not Path(run).is_dir():
        raise UserError(f"'{run}' holds no run: there is no such folder. Curate one: corpusmill curate")
    training = load_training(config or None, set or [])
    given = {"times": times, "share": share, "epochs": epochs, "max_epochs": max_epochs}
    chosen = merged(read_rules(rules) if rules else {}, temperature, given, leave_out or [])
    before = read_blend(after) if after else None
    made = make_blend(Path(run), training, validated(Rules, chosen, rules or "blend"), before, from_step)
    page(output).print(blend_table(made, training))
    if out:
        storage.write_bytes(out, made.file.to_yaml().encode())
        output.print(f"✓ {out}: train with --set data.blend={out}", highlight=False, soft_wrap=True)


def merged(
    rules: dict[str, Any], temperature: float | None, given: dict[str, Pairs], leave_out: list[str]
) -> dict[str, Any]:
    """Rules with those of the command line, which count more. Raises `UserError` for one that is no NAME=NUMBER."""
    if temperature is not None:
        rules["temperature"] = temperature
    for name, pairs in given.items():
        for pair in pairs or []:
            key, separator, value = pair.rpartition("=")
            try:
                number = float(value)
            except ValueError:
                separator = ""
            if not separator or not key:
                raise UserError(f"--{name.replace('_', '-')} {pair}: write it as NAME=NUMBER, as in web/en=2")
            earlier = dict(rules.get(name) or {})
            earlier.pop(key, None)  # so that what is said last is last
            rules[name] = earlier | {key: number}
    if leave_out:
        rules["leave_out"] = [*(rules.get("leave_out") or ()), *leave_out]
    return rules


def blend_table(made: Made, training: Training) -> Table:
    """A row a source: what there is, its weight, what the stage draws of it, and how often it will have been read."""
    stage, steps = made.file.stages[-1], training.schedule.steps
    length = training.data.sequence_length
    title = f"Steps {stage.from_step:,} to {steps - 1:,}: {made.draws:,} sequences, {made.draws * length:,} tokens"
    figures = ("documents", "tokens", "weight", "drawn tokens", "epochs", "limit")
    table = open_table(title, "source", *figures, right=figures)
    for row in made.rows:
        table.add_row(
            Text(plain(row.source.name)),
            f"{row.source.documents:,}",
            f"{row.source.tokens:,}",
            f"{row.weight / TOTAL:.4%}" if row.weight else "not drawn",
            f"{row.draws * length:,}",
            f"{row.epochs:.4g}",
            "" if row.limit is None else f"{row.limit:g}",
        )
    return table


if __name__ == "__main__":
    command.run(main)
