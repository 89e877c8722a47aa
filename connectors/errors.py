"""Mistakes that a user can make, told in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something the user can put right. The message is one line: what is wrong, where, and what to do.

    Commands print it without a traceback and exit with code 2.
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the known name nearest to `name`, else the list of known names."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Known: {', '.join(names)}."


def missing_extra(package: str, extra: str) -> UserError:
    """The error for a package that an extra brings and that is not installed."""
    return UserError(f"The package '{package}' is not installed. Install it with: pip install 'corpusmill[{extra}]'")
