"""Values from outside: whether they are numbers in range, and how a message shows them."""

import numbers

MOST_SHOWN = 40  # characters


def is_within(value: object, low: float, high: float) -> bool:
    """Whether it is one real number from `low` to `high`: no NaN, no bool, no text, no array."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return number and bool(low <= value <= high)


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether it is a whole number from `low` to `high`; 3.0 is one."""
    return is_within(value, low, high) and value == int(value)


def as_whole(value: object) -> object:
    """The int where it is a whole number such as 512.0, else the value itself, to be refused."""
    return int(value) if is_whole(value, -(1 << 53), 1 << 53) else value


def shown(value: object) -> str:
    """What was found, fit for a sentence: short, on one line; of a structure only its kind."""
    if isinstance(value, str):
        short = value if len(value) <= MOST_SHOWN else value[: MOST_SHOWN - 3] + "..."
        return repr(short)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, numbers.Real):
        return f"{value}" if is_within(value, -1e12, 1e12) else _large(value)
    return f"a value of type {type(value).__name__}"


def _large(value: numbers.Real) -> str:
    """A number too large to be written out, or none at all."""
    if value != value:
        return "no number (NaN)"
    return "a number above 1e12" if value > 0 else "a number below -1e12"
