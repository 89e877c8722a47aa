"""From rules to weights: temperature, factors, shares, epochs and limits become whole numbers, exactly and always the same.

Shares are fractions, roots are taken with 60 digits; no figure depends on a machine's floating point. The weights sum to 2^20 as
those of `Blend` do, so that a training draws just what was worked out here, and no limit on epochs is passed by a single draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field, PositiveFloat

from connectors.errors import UserError, nearest
from trainer.config import Strict
from trainer.data.blend import TOTAL, Blend
from trainer.data.manifest import TRAIN, ShardRow

Shares = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Held:
    """A source as a training with one sequence length sees it: `chunks` sequences make an epoch."""

    name: str
    language: str
    documents: int
    tokens: int
    chunks: int


class Rules(Strict):
    """How sources are weighed. A key names a source, `*` and `?` stand for any letters; of several that fit, the last counts.

    temperature  T: a language of n tokens gets n^(1/T); 1 is by tokens, large is all alike. Sources, where languages are not apart
    times        factors on the weights that this gives: a bucket of quality, or a source, counts more or less
    share        of all that is drawn, 0 to 1, for all sources that the key fits together
    epochs       how often a source is read
    max_epochs   how often at most, over all stages; what is over goes to the others
    leave_out    what is not drawn from
    """

    temperature: PositiveFloat = 1.0
    times: dict[str, PositiveFloat] = {}
    share: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    epochs: dict[str, PositiveFloat] = {}
    max_epochs: dict[str, PositiveFloat] = {}
    leave_out: tuple[str, ...] = ()


def held_sources(rows: Sequence[ShardRow], sequence_length: int, packed: Mapping[str, int] | None = None) -> list[Held]:
    """The sources of training data, in the run's order. `packed`: sequences of each, where documents are packed."""
    train = [row for row in rows if row.part == TRAIN]
    sources = []
    for name in dict.fromkeys(row.source for row in train):
        own = [row for row in train if row.source == name]
        tokens = sum(row.tokens for row in own)
        cut = max(0, (tokens - sequence_length) // sequence_length)
        chunks = cut if packed is None else packed.get(name, 0)
        sources.append(Held(name, own[0].language, sum(row.documents for row in own), tokens, chunks))
    return sources


def solve(
    sources: Sequence[Held],
    rules: Rules,
    draws: int,
    max_epochs: Mapping[str, float],
    taken: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Weights of the sources that are drawn from, whole numbers that sum to 2^20, in the sources' order.

    draws       sequences that the stage draws
    max_epochs  the limits by source, as `limits_of` finds them
    taken       sequences of each source that earlier stages draw

    Raises `UserError` for a key that fits no source, a source too short for a sequence, shares beyond 1, and limits that leave
    less than what is to be drawn.
    """
    _check_keys(sources, rules)
    drawn = [source for source in sources if not _fits(source.name, rules.leave_out)]
    short = [source.name for source in drawn if not source.chunks]
    if short:
        raise UserError(
            f"Too few tokens for a sequence: {_listed(short)}. Shorten data.sequence_length, or leave them out"
        )
    if not drawn:
        raise UserError("The rules leave out every source: nothing is left to draw from")
    limits = _limits(drawn, max_epochs, draws, taken or {})
    shares = _shares(drawn, rules, draws, limits)
    shares = {source.name: shares[source.name] for source in drawn if shares[source.name]}
    chunks = {source.name: source.chunks for source in drawn}
    most = {name: int(limits[name] * draws) for name in shares if name in limits}
    return _within(_whole(shares, set(most)), most, draws, chunks)


def limits_of(sources: Sequence[Held], rules: Rules) -> dict[str, float]:
    """The most epochs that the rules allow, for the sources of which they say it."""
    found = {source.name: _last_fit(source.name, rules.max_epochs) for source in sources}
    return {name: most for name, most in found.items() if most is not None}


def _limits(drawn: Sequence[Held], max_epochs: Mapping[str, float], draws: int, taken: Mapping[str, int]) -> Shares:
    """The largest share of the draws that each source with a limit may have."""
    limits: Shares = {}
    for source in drawn:
        if source.name in max_epochs:
            left = int(_exact(max_epochs[source.name]) * source.chunks) - taken.get(source.name, 0)
            limits[source.name] = Fraction(max(0, left), draws)
    return limits


def _shares(drawn: Sequence[Held], rules: Rules, draws: int, limits: Shares) -> Shares:
    """What each source has of the draws: first what is named by epochs, then by share, and the others what is left."""
    weights = base_weights(drawn, rules)
    shares: Shares = {}
    pools: dict[str, list[str]] = {}  # by the key of a share; "" is for what is named by none
    for source in drawn:
        epochs, key = _last_fit(source.name, rules.epochs), _last_key(source.name, rules.share)
        if epochs is None:
            pools.setdefault(key or "", []).append(source.name)
            continue
        shares[source.name] = _exact(epochs) * source.chunks / draws
        if shares[source.name] > limits.get(source.name, shares[source.name]):
            raise UserError(f"'{source.name}' is to be read {epochs:g} times, and max_epochs allows less")
    left = 1 - sum(shares.values(), Fraction(0)) - sum(_exact(rules.share[key]) for key in pools if key)
    if left < 0 or (left > 0 and "" not in pools):
        told = "more than all" if left < 0 else "not all, and no other source is left"
        raise UserError(f"epochs and share ask for {float(1 - left):.4g} of the {draws:,} sequences: {told}")
    for key, names in pools.items():
        share = _exact(rules.share[key]) if key else left
        filled = _filled(share, {name: weights[name] for name in names}, limits)
        if sum(filled.values()) < share:
            told = f"max_epochs allows {int(sum(filled.values()) * draws):,} of the {int(share * draws):,} sequences"
            raise UserError(f"{told} of {_listed(names)}: raise it, or train fewer steps")
        shares |= filled
    return shares


def base_weights(drawn: Sequence[Held], rules: Rules) -> Shares:
    """By temperature and factors, before any share or limit."""
    tokens: dict[str, int] = {}
    for source in drawn:
        key = source.language or source.name
        tokens[key] = tokens.get(key, 0) + source.tokens
    tempered = {key: _root(count, rules.temperature) for key, count in tokens.items()}
    return {
        source.name: tempered[key] * source.tokens / tokens[key] * _exact(_last_fit(source.name, rules.times) or 1.0)
        for source in drawn
        for key in [source.language or source.name]
    }


def _root(count: int, temperature: float) -> Fraction:
    """count^(1/temperature)."""
    if temperature == 1:
        return Fraction(count)
    with localcontext(prec=60):
        return Fraction(Decimal(count) ** (1 / Decimal(repr(temperature))))


def _filled(share: Fraction, weights: Shares, limits: Shares) -> Shares:
    """A share dealt out by weights; who would pass a limit gets that, and the others what is over."""
    filled: Shares = {}
    while weights:
        total = sum(weights.values())
        over = {n: limits[n] for n, weight in weights.items() if n in limits and share * weight > limits[n] * total}
        if not over:
            return filled | {name: share * weight / total for name, weight in weights.items()}
        filled |= over
        share -= sum(over.values())
        weights = {name: weight for name, weight in weights.items() if name not in over}
    return filled


def _whole(shares: Shares, limited: set[str]) -> dict[str, int]:
    """Whole weights, none 0: what rounding leaves goes to the largest remainders, to sources without a limit first."""
    exact = {name: share * TOTAL for name, share in shares.items()}
    whole = {name: max(1, int(weight)) for name, weight in exact.items()}
    order = sorted(whole, key=lambda name: (name in limited, whole[name] - exact[name]))
    for name in order[: max(0, TOTAL - sum(whole.values()))]:
        whole[name] += 1
    while sum(whole.values()) > TOTAL:
        whole[max(whole, key=lambda name: whole[name])] -= 1
    return whole


def _within(whole: dict[str, int], most: Mapping[str, int], draws: int, chunks: Mapping[str, int]) -> dict[str, int]:
    """The weights, moved by single units until no source is drawn more often than it may be."""
    names = list(whole)
    free = [name for name in names if name not in most]
    while True:
        blend = Blend([whole[name] for name in names])
        over = [name for place, name in enumerate(names) if blend.count(place, draws) > most.get(name, draws)]
        if not over:
            return whole
        for name in over:
            if whole[name] == 1 or not free:
                times = blend.count(names.index(name), draws) / chunks[name]
                raise UserError(
                    f"'{name}' can't be held to max_epochs (it would be {times:.3g}): raise it, or leave it out"
                )
            whole[name] -= 1
            whole[max(free, key=lambda each: whole[each])] += 1


def _check_keys(sources: Sequence[Held], rules: Rules) -> None:
    names = [source.name for source in sources]
    for rule in ("times", "share", "epochs", "max_epochs", "leave_out"):
        for key in getattr(rules, rule):
            if not any(fnmatchcase(name, key) for name in names):
                raise UserError(f"{rule} names '{key}', which fits no source of the run.{nearest(key, names)}")


def _fits(name: str, keys: Iterable[str]) -> bool:
    return any(fnmatchcase(name, key) for key in keys)


def _last_key(name: str, rule: Mapping[str, Any]) -> str | None:
    return next((key for key in reversed(list(rule)) if fnmatchcase(name, key)), None)


def _last_fit(name: str, rule: Mapping[str, float]) -> float | None:
    key = _last_key(name, rule)
    return None if key is None else rule[key]


def _exact(number: float) -> Fraction:
    """The number as it is written, not as it is stored."""
    return Fraction(repr(number))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
