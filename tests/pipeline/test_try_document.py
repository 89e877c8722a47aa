"""A document's trial: past the first verdict, line by line, redacted. Oracle of the verdict: `curation.apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import curation
from connectors.errors import UserError
from curation.pipeline.explain import explain
from curation.pipeline.try_document import StepTrial, Trial, try_document
from curation.recipes.load import load_recipe, parse_recipe
from curation.recipes.model import Recipe

PROSE = "It was the best of times, and that is what the people of the town have said to each other. "
TEXTS = {
    "kept": """The harbour of the old town was built by fishermen who had come from the north in search of a warmer place to live.
They brought their boats, their songs and a way of mending nets that nobody else along this coast has ever learned.
Today a museum shows what is left of that time: two anchors, a painted sign and the letters of a captain to his sister.
Visitors may read them on Tuesdays, when the keeper has finished her coffee and opens the heavy door to the archive.
Most of the letters tell about storms, but one is about a dog that waited at the pier for eleven winters.
Nobody knows who fed it, although every family claims that it was their own grandmother.""",
    "repeated": PROSE * 20,
    "short": "Too short.",
    "menu": "\n".join(f"Item {n}" for n in range(200)),
    "curly": PROSE + "\n{ code }\nlast line of all the lines.",
    "empty": " ",
}


def tried(recipe: Recipe, text: str, **more: Any) -> Trial:
    return try_document(recipe, media="text", content=text.encode(), **more)


def of_step(trial: Trial, name: str) -> StepTrial:
    return next(step for step in trial.steps if step.step == name)


def recipe(**parts: Any) -> Recipe:
    return parse_recipe({"recipe": "own", "tokenize": None, "redact": [], **parts}, "own")


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "empty"])
def test_the_first_verdict_is_that_of_the_recipe(name: str) -> None:
    judged = curation.apply("fineweb", pa.table({"text": [TEXTS[name]]})).to_pylist()[0]
    trial = tried(load_recipe("fineweb"), TEXTS[name])
    deciding = trial.deciding
    if judged["fate"] == "kept":
        assert deciding is None
    else:
        assert deciding and deciding.verdict
        told = (deciding.step, *[getattr(deciding.verdict, key) for key in ("fate", "reason", "value", "threshold")])
        assert told == tuple(judged[key] for key in ("step", "fate", "reason", "value", "threshold"))
        first = next((rule for rule in deciding.rules if rule.outcome == "fires"), None)
        assert first is None or first.reason == judged["reason"]
    assert (name == "kept") == (judged["fate"] == "kept")


@pytest.mark.parametrize("name", TEXTS)
def test_every_step_and_rule_is_told_whatever_fired_before(name: str) -> None:
    loaded = load_recipe("fineweb")
    trial = tried(loaded, TEXTS[name])
    assert [step.step for step in trial.steps] == [step.name for step in loaded.refine_steps]
    told = {step.step: [rule.reason for rule in step.rules] for step in trial.steps if step.rules}
    assert told == {
        step.name: [rule.reason for rule in step.rules] for step in loaded.filter_steps if hasattr(step, "rules")
    }
    for step in trial.steps:
        for rule in step.rules:
            below = rule.min is not None and rule.value is not None and rule.value < rule.min
            above = rule.max is not None and rule.value is not None and rule.value > rule.max
            assert rule.outcome == ("undefined" if rule.value is None else "fires" if below or above else "holds")
            assert not rule.places or rule.outcome == "fires"


def test_lines_that_c4_drops_have_their_reason() -> None:
    text = f"Menu\n{PROSE}[1]\n\n  \nPlease enable javascript now.\n" + (PROSE + "\n") * 6
    step = of_step(tried(recipe(filters=[{"c4": {}}]), text), "c4")
    assert step.verdict is None
    assert {(line.number, line.kinds) for line in step.lines} == {
        (1, ("no_terminal_punctuation",)),
        (2, ("no_terminal_punctuation",)),
        (3, ("no_terminal_punctuation",)),
        (4, ("no_terminal_punctuation",)),
        (5, ("javascript",)),
    }
    assert step.lines[4].text == "Please enable javascript now."
    counts: dict[str, int] = {}
    for line in step.lines:
        counts[line.kinds[0]] = counts.get(line.kinds[0], 0) + 1
    assert counts == {kind: count for kind, count in step.edits.items() if count}


def test_the_line_by_which_c4_ends_a_document() -> None:
    text = f"two words.\n{PROSE}\nfunction() {{ now or never.\nalso short.\n"
    step = of_step(tried(recipe(filters=[{"c4": {}}]), text), "c4")
    assert step.verdict and step.verdict.reason == "curly_bracket"
    assert [(line.number, line.kinds) for line in step.lines] == [(1, ("too_few_words",)), (3, ("curly_bracket",))]


def test_lines_of_any_step_that_looks_at_lines_one_by_one() -> None:
    rules = [{"reason": "calls", "contains": "read more"}, {"reason": "short", "max_words": 1}]
    step = of_step(tried(recipe(filters=[{"line_rules": {"rules": rules}}]), "a b\nRead more now\n\nc\n"), "line_rules")
    assert [(line.number, line.kinds, line.text) for line in step.lines] == [
        (2, ("calls",), "Read more now"),
        (4, ("short",), "c"),
    ]


def test_lines_are_not_told_where_they_do_not_account_for_the_edits() -> None:
    """Of three empty lines the second and third go, and none of them would go alone."""
    step = of_step(tried(recipe(filters=[{"normalise": {"max_empty_lines": 1}}]), "a\n\n\n\nb"), "normalise")
    assert step.edits["max_empty_lines"] == 2 and step.lines == ()


def test_what_is_redacted_appears_nowhere() -> None:
    secret = "joe.doe@secret.org"
    text = f"Mail {secret}\n" + f"Write to {secret} or call, said the people.\n" * 10
    filters = [{"c4": {}}, {"own": [{"measure": "duplicate_line_share", "max": 0.1, "reason": "again"}]}]
    trial = tried(recipe(filters=filters, redact=["email"]), text, url=f"https://a.example/?{secret}")
    assert "secret" not in repr(trial)
    assert "<EMAIL>" in trial.url
    assert of_step(trial, "c4").lines[0].text == "Mail <EMAIL>"
    assert of_step(trial, "redact").edits["email"] == 10
    (shown,) = trial.texts
    marks = shown.marks["own", "again"]
    assert len(marks) == 9 and {shown.text[a:b] for a, b in marks} == {"Write to <EMAIL> or call, said the people."}
    open_trial = tried(recipe(filters=filters), text)
    assert "secret" in repr(open_trial)


def test_texts_before_and_behind_a_step_that_rewrites() -> None:
    rule = {"measure": "short_line_share", "max": 0.1, "reason": "short_lines"}
    filters = [{"before": [rule]}, {"line_rules": {"rules": [{"reason": "x", "contains": "Menu"}]}}, {"behind": [rule]}]
    text = "Menu one\n" + "\n".join(TEXTS["kept"].splitlines()[:3]) + "\nshort"
    first, second = tried(recipe(filters=filters), text).texts
    assert (first.steps, second.steps) == (("before",), ("behind",))
    assert [first.text[a:b] for a, b in first.marks["before", "short_lines"]] == ["Menu one", "short"]
    assert [second.text[a:b] for a, b in second.marks["behind", "short_lines"]] == ["short"]
    assert second.text == text.removeprefix("Menu one\n")


def test_a_step_that_fails_is_told_as_in_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_measure.py").write_text("def burst(text): raise ValueError(text.string)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    filters = [{"own": [{"measure": "failing_measure:burst", "max": 1, "reason": "x"}]}, {"c4": {}}]
    trial = tried(recipe(filters=filters), TEXTS["kept"])
    step = of_step(trial, "own")
    assert step.verdict and (step.verdict.fate, step.verdict.reason) == ("quarantined", "step_error")
    assert trial.deciding is step and step.rules[0].outcome == "undefined"
    assert trial.steps[-1].step == "keys"


def test_an_address_alone_asks_only_the_url_filter() -> None:
    trial = try_document(load_recipe("fineweb"), url="https://porn.example/")
    assert [step.step for step in trial.steps] == ["url"] and trial.deciding and trial.texts == ()
    with pytest.raises(UserError, match="does not look at addresses"):
        try_document(recipe(), url="https://a.example/")
    with pytest.raises(UserError, match=r"larger than read\.record_bytes, 10 bytes"):
        tried(recipe(read={"record_bytes": 10}), "more than ten bytes")


def test_columns_are_found_by_watching_a_step() -> None:
    steps = {step.step: step for step in explain(load_recipe("fineweb")).steps}
    assert steps["url"].needs == ("url",)
    assert steps["extract"].needs == ("media", "charset", "content")
    assert steps["extract"].adds == ("text", "measure:extraction_quality")
    assert steps["language"].adds == ("lang", "lang_score") and steps["language"].needs == ("text",)
    assert steps["redact"].needs == ("text", "meta")
    assert [step for step, account in steps.items() if not account.ends] == ["keys"]
    assert not any(step.trouble for step in steps.values())
