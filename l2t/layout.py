"""Layouts of JSON values: small checks that are put together to say what a file must hold.

A check takes any value and says whether it is as it must be; none of them raises.
"""

import math
import re
from collections.abc import Callable, Mapping

MAX_TEXT, MAX_ENTRIES = 200, 64  # characters of a text, fields of a table

Check = Callable[[object], bool]


def text(value: object) -> bool:
    """A short printable one."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def like(pattern: re.Pattern) -> Check:
    """A text that is the pattern from end to end."""
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def whole(low: int, high: int) -> Check:
    """A whole number, both ends included; 1.0 is none."""
    return lambda value: type(value) is int and low <= value <= high


def number(low: float, high: float) -> Check:
    """A finite number, both ends included."""

    def check(value: object) -> bool:
        return type(value) in (int, float) and low <= value <= high and math.isfinite(value)

    return check


def one_of(*values: object) -> Check:
    """One of these texts or whole numbers; true is not 1."""
    return lambda value: type(value) in (str, int) and value in values


def maybe(check: Check) -> Check:
    """The same, or null."""
    return lambda value: value is None or check(value)


def table(key: Check, entry: Check) -> Check:
    """An object with names of anybody's choice."""

    def check(value: object) -> bool:
        few = isinstance(value, dict) and len(value) <= MAX_ENTRIES
        return few and all(key(name) and entry(one) for name, one in value.items())

    return check


def exactly(layout: Mapping[str, Check]) -> Check:
    """An object with these fields and no other."""

    def check(value: object) -> bool:
        return isinstance(value, dict) and fault(value, layout) is None

    return check


def fault(value: dict, layout: Mapping[str, Check]) -> str | None:
    """The first field that is missing, unknown or wrong."""
    for name, check in layout.items():
        if name not in value or not check(value[name]):
            return name
    return next((name for name in value if name not in layout), None)
