"""Rules to weights: temperature, shares, epochs and limits, held against their definitions in fractions and against the plan."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import UserError
from trainer.data.blend import TOTAL, Blend
from trainer.data.blend_rules import Held, Rules, limits_of, solve


def held(name: str, chunks: int, language: str = "") -> Held:
    """A source of sequences of ten tokens."""
    return Held(name, language, chunks, 10 * chunks, chunks)


def weighed(sources: list[Held], draws: int = 10_000, **rules: object) -> dict[str, int]:
    chosen = Rules.model_validate(rules)
    return solve(sources, chosen, draws, limits_of(sources, chosen))


def test_by_tokens_unless_told_otherwise() -> None:
    assert weighed([held("a", 300), held("b", 100)]) == {"a": 3 * TOTAL // 4, "b": TOTAL // 4}


def test_temperature_is_a_root_of_a_languages_tokens() -> None:
    """Conneau et al. 2019, "Unsupervised cross-lingual representation learning at scale", 3.1, with alpha = 1/T."""
    sources = [held("web/en", 600, "en"), held("books/en", 200, "en"), held("web/is", 50, "is")]
    weights = weighed(sources, temperature=3.0)
    english, icelandic = (8000.0 ** (1 / 3), 500.0 ** (1 / 3))
    assert weights["web/is"] / TOTAL == pytest.approx(icelandic / (english + icelandic), abs=2 / TOTAL)
    assert weights["web/en"] == pytest.approx(3 * weights["books/en"], abs=4)  # within a language by tokens
    alike = weighed(sources, temperature=1e9)
    assert alike["web/is"] == pytest.approx(TOTAL / 2, abs=2)


def test_a_bucket_of_quality_counts_more() -> None:
    sources = [held("web/q0", 100), held("web/q1", 100), held("books", 100)]
    weights = weighed(sources, times={"*": 1, "*/q1": 2})
    assert weights == {"web/q0": TOTAL // 4, "web/q1": TOTAL // 2, "books": TOTAL // 4}


def test_the_last_key_that_fits_counts() -> None:
    sources = [held("web/q0", 100), held("web/q1", 100)]
    assert weighed(sources, times={"web/q1": 3, "web/*": 1})["web/q1"] == TOTAL // 2
    assert weighed(sources, times={"web/*": 1, "web/q1": 3})["web/q1"] == 3 * TOTAL // 4


def test_a_share_is_of_all_that_its_key_fits() -> None:
    sources = [held("web/en", 300), held("web/de", 100), held("wiki", 1)]
    weights = weighed(sources, 100, share={"web/*": 0.8})
    assert weights["wiki"] == pytest.approx(TOTAL / 5, abs=1)
    assert weights["web/en"] == pytest.approx(3 * weights["web/de"], abs=4)


def test_epochs_are_epochs_of_the_planned_steps() -> None:
    sources = [held("web", 100_000), held("wiki", 700)]
    weights = weighed(sources, 20_000, epochs={"wiki": 3})
    assert Blend(list(weights.values())).count(1, 20_000) == pytest.approx(2100, abs=1)


def test_what_is_over_a_limit_goes_to_the_others_in_proportion() -> None:
    sources = [held("big", 1000), held("mid", 500), held("low", 50)]
    weights = weighed(sources, 2000, times={"low": 1000}, max_epochs={"low": 4})
    assert Blend(list(weights.values())).count(2, 2000) in (199, 200)
    assert weights["big"] == pytest.approx(2 * weights["mid"], abs=4)


def test_a_share_that_its_limits_do_not_allow_is_refused() -> None:
    with pytest.raises(UserError, match="max_epochs allows 200 of the 1,000 sequences of low: raise it"):
        weighed([held("big", 1000), held("low", 50)], 2000, share={"low": 0.5}, max_epochs={"low": 4})


MISTAKES: list[tuple[dict[str, object], str]] = [
    ({"times": {"webb": 2}}, "times names 'webb', which fits no source of the run. Did you mean 'web'?"),
    ({"leave_out": ("*",)}, "leave out every source"),
    ({"share": {"web": 0.7, "wiki": 0.7}}, "ask for 1.4 of the 10,000 sequences: more than all"),
    ({"share": {"*": 0.5}}, "not all, and no other source is left"),
    ({"epochs": {"wiki": 5}, "max_epochs": {"*": 4}}, "'wiki' is to be read 5 times, and max_epochs allows less"),
    ({"max_epochs": {"*": 1}}, "max_epochs allows 1,100 of the 10,000 sequences of web, wiki: raise it"),
]


@pytest.mark.parametrize(("rules", "told"), MISTAKES)
def test_mistakes(rules: dict[str, object], told: str) -> None:
    with pytest.raises(UserError) as raised:
        weighed([held("web", 1000), held("wiki", 100)], **rules)
    assert told in str(raised.value) and "\n" not in str(raised.value)


def test_a_source_without_a_sequence_is_named() -> None:
    with pytest.raises(UserError, match="Too few tokens for a sequence: tiny"):
        weighed([held("web", 1000), held("tiny", 0)])
    assert weighed([held("web", 1000), held("tiny", 0)], leave_out=("tiny",)) == {"web": TOTAL}


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=12),
    st.floats(1, 10),
    st.floats(0.5, 8),
    st.integers(1, 10**9),
)
def test_no_limit_is_passed_and_all_is_drawn(chunks: list[int], temperature: float, limit: float, draws: int) -> None:
    """For any sources: weights sum to 2^20, and no draw of the plan is beyond a limit; else there is one line that says why."""
    sources = [held(f"s{number}", count) for number, count in enumerate(chunks)]
    try:
        weights = weighed(sources, draws, temperature=temperature, max_epochs={"*": limit, "s0": 1e12})
    except UserError as error:
        assert "can't be held to max_epochs" in str(error)  # a weight of 1 in 2^20 is too much for it
        return
    assert sum(weights.values()) == TOTAL and all(weight > 0 for weight in weights.values())
    blend, names = Blend(list(weights.values())), list(weights)
    for source in sources[1:]:
        if source.name in weights:
            assert blend.count(names.index(source.name), draws) <= math.floor(Fraction(repr(limit)) * source.chunks)


@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=6), st.floats(1, 100))
def test_the_order_of_sources_does_not_matter_for_their_weights(chunks: list[int], temperature: float) -> None:
    sources = [held(f"s{number}", count) for number, count in enumerate(chunks)]
    one, other = weighed(sources, temperature=temperature), weighed(sources[::-1], temperature=temperature)
    assert all(abs(one[name] - other[name]) <= 1 for name in one)
