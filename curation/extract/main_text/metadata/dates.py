"""Days in text: machine-readable ones, ones in figures, ones with a month's name in any of a dozen languages.

All of it is one regular expression over at most `MAX_TEXT` characters. Days before 1990 or more than a year from now on would
mostly be mistakes; "now" is no clock's but fixed, so that the same page says the same for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

MAX_TEXT = 600  # characters that are looked at
FIRST_YEAR, LAST_YEAR = 1990, 2040

_NAMES = """
january jan januar jänner janv janvier enero ene gennaio gen janeiro januari januar stycznia styczeń января
    январь ledna leden ocak ianuarie
february feb februar febr februaro février févr fév febrero febbraio fevereiro fev februari lutego luty
    февраля февраль února únor şubat februarie
march mar märz maerz mrz mars marzo março maart mrt marts marca marzec марта март března březen mart martie
april apr avril avr abril abr aprile april kwietnia kwiecień апреля апрель dubna duben nisan aprilie
may mai mayo maggio mag maio mei maj maja май мая května květen mayıs
june jun juni juin junio giugno giu junho czerwca czerwiec июня июнь června červen haziran iunie
july jul juli juillet juil julio luglio lug julho lipca lipiec июля июль července červenec temmuz iulie
august aug août aout agosto ago augustus augusti sierpnia sierpień августа август srpna srpen ağustos
september sep sept septembre septiembre settembre set setembro września wrzesień сентября сентябрь září eylül
    septembrie
october oct oktober okt octobre octubre ottobre ott outubro out października październik октября октябрь října
    říjen ekim octombrie
november nov novembre noviembre novembro listopada listopad ноября ноябрь listopadu kasım noiembrie
december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro desember des grudnia grudzień
    декабря декабрь prosince prosinec aralık decembrie
""".replace("\n    ", " ").split("\n")[1:-1]  # a line a month, in a dozen languages
MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
assert MONTHS["december"] == 12
_MONTH = "(?:" + "|".join(sorted(MONTHS, key=lambda name: (-len(name), name))) + ")"
_YEAR = r"(?:19|20)\d\d"
_DAY = re.compile(
    rf"(?<!\d)(?P<y1>{_YEAR})(?P<s1>[-/.])(?P<m1>\d\d?)(?P=s1)(?P<d1>\d\d?)(?!\d)"
    rf"|(?<!\d)(?P<y2>{_YEAR})(?P<m2>[01]\d)(?P<d2>[0-3]\d)(?:T?\d\d|\b)"
    rf"|(?<!\d)(?P<y3>{_YEAR})\s?[年년]\s?(?P<m3>\d\d?)\s?[月월]\s?(?P<d3>\d\d?)\s?[日일]"
    rf"|(?<!\d)(?P<d4>\d\d?)(?:st|nd|rd|th|er|º|\.)?(?:\s|-|/|de\b|of\b){{1,4}}(?P<n4>{_MONTH})\b\.?,?(?:\s|-|/|de\b|del\b){{0,4}}(?P<y4>{_YEAR})(?!\d)"
    rf"|\b(?P<n5>{_MONTH})\b\.?[\s-]{{1,2}}(?P<d5>\d\d?)(?:st|nd|rd|th)?(?:,|\s|-){{1,3}}(?P<y5>{_YEAR})(?!\d)"
    rf"|(?<!\d)(?P<a6>\d\d?)(?P<s6>[-/.])\s?(?P<b6>\d\d?)(?P=s6)\s?(?P<y6>{_YEAR}|\d\d(?=\D|$))(?!\d)"
    rf"|(?<!\d)(?P<y7>{_YEAR})(?:\s|-|,){{1,2}}(?P<n7>{_MONTH})\b\.?(?:\s|-){{1,2}}(?P<d7>\d\d?)(?!\d)",
    re.IGNORECASE,
)
_FIGURES = re.compile(r"(?:19|20)\d\d|\d[-./]\s?\d\d?[-./]\s?\d\d")  # without which there is no day
_SECONDS = re.compile(r"\s*(1\d{9})(?:\d{3})?\s*")
_PATH = re.compile(
    rf"[/_-](?P<y>{_YEAR})[/_-]?(?P<m>0[1-9]|1[0-2]|[1-9](?=[/_-]))[/_-]?(?P<d>0[1-9]|[12]\d|3[01]|[1-9](?=[/_-]))(?!\d)"
)


def days(text: str, month_first: bool) -> Iterator[str]:
    """The days that a text names, as ISO 8601 has them. `month_first` decides what 3/4/2020 is where either could be."""
    for found in _DAY.finditer(text[:MAX_TEXT]) if _FIGURES.search(text[:MAX_TEXT]) else ():
        group = found.lastgroup or ""
        parts = {key[0]: value for key, value in found.groupdict().items() if value and key[1] == group[1]}
        day = (
            _from_figures(parts, month_first)
            if "a" in parts
            else _iso(parts["y"], parts.get("m") or parts["n"], parts["d"])
        )
        if day:
            yield day


def day_of(text: str, month_first: bool = False) -> str:
    """The first day that a text names, or that seconds since 1970 are in; "" if none."""
    seconds = _SECONDS.fullmatch(text[:MAX_TEXT])
    if seconds:
        return datetime.fromtimestamp(int(seconds[1]), UTC).date().isoformat()
    return next(days(text, month_first), "")


def day_of_address(url: str) -> str:
    """The day in an address's path, "" if none."""
    found = _PATH.search(url[:MAX_TEXT])
    return _iso(found["y"], found["m"], found["d"]) if found else ""


def _from_figures(parts: dict[str, str], month_first: bool) -> str:
    first, second, year = int(parts["a"]), int(parts["b"]), parts["y"]
    if len(year) == 2:
        year = f"20{year}"
    if first > 12 or second > 12:
        month_first = second > 12
    elif parts["s"] == ".":
        month_first = False
    return _iso(year, str(first if month_first else second), str(second if month_first else first))


def _iso(year: str, month: str, day: str) -> str:
    number = MONTHS.get(month.casefold()) or (int(month) if month.isdigit() else 0)
    try:
        made = date(int(year), number, int(day))
    except ValueError:
        return ""
    return made.isoformat() if FIRST_YEAR <= made.year <= LAST_YEAR else ""
