"""What the configuration beside a model's tensors may ask for, checked before a model is built.

A configuration is written by whoever made the weights. Its numbers decide how many layers are made
and how much memory they take, so each has a bound that no model of this project comes near; what is
left is compared with the tensors that are there (`l2t.models.trained`) before memory is allocated.
"""

import math
from dataclasses import fields, is_dataclass
from typing import get_args, get_origin

from l2t.errors import WeightsError

MAX_DEPTH = 64  # of what is repeated: each layer costs time and memory even without tensors
MAX_SIZE = 1 << 17  # of any other whole number, such as a width or a vocabulary
MAX_FLOAT = 1e6
MAX_TEXT = 80  # characters of a name
MAX_ITEMS = 1024  # of a list
MAX_NESTING = 3
DEEP = ("layers", "blocks", "encoder_layers", "decoder_layers")
ABOVE_ZERO = (
    "layers", "width", "heads", "ffn", "channels", "blocks", "kernel", "frames", "audio", "latent",
    "points", "window", "components", "motion_width", "size", "period", "heard", "styles",
)  # fmt: skip
SMALL = {"period": 10_000, "frames": 10_000, "window": 1000, "kernel": 1000, "heads": 256,
         "reach": 100_000}  # fmt: skip
NOTES = "notes"  # how it was made; never read by a model


def check_config(values: dict, name: str) -> None:
    """Raise WeightsError, one sentence, unless each value of a configuration is a sensible one.

    Whole numbers, finite floats, short printable texts, true and false, lists and objects of
    these. name: of the file.
    """
    for key, value in values.items():
        if key != NOTES:
            problem = _problem(key, value, 1)
            if problem:
                raise WeightsError(f"{name} gives {key[:MAX_TEXT]!r} {problem}.")


def _problem(key: str, value: object, level: int) -> str | None:
    """What is wrong with a value, as the end of a sentence; None when nothing is."""
    if isinstance(value, bool):
        return f"as {value}, where a number is needed" if key in ABOVE_ZERO + DEEP else None
    if isinstance(value, int):
        low, high = _range(key)
        return None if low <= value <= high else f"outside of {low} to {high}"
    if isinstance(value, float):
        if key in ABOVE_ZERO + DEEP:
            return "as a fraction, where a whole number is needed"
        fine = math.isfinite(value) and abs(value) <= MAX_FLOAT
        return None if fine else f"beyond {MAX_FLOAT:g}"
    if isinstance(value, str):
        if key in ABOVE_ZERO + DEEP and level == 1:
            return "as a text, where a number is needed"
        fine = len(value) <= MAX_TEXT and value.isprintable()
        return None if fine else f"as more than {MAX_TEXT} printable characters"
    if isinstance(value, list | dict):
        return _problem_inside(key, value, level)
    return "without a value"


def _problem_inside(key: str, value: list | dict, level: int) -> str | None:
    if level > MAX_NESTING:
        return f"in more than {MAX_NESTING} layers"
    if len(value) > MAX_ITEMS:
        return f"as more than {MAX_ITEMS} items"
    items = value.items() if isinstance(value, dict) else ((key, item) for item in value)
    return next((p for k, item in items if (p := _problem(k, item, level + 1))), None)


def _range(key: str) -> tuple[int, int]:
    high = MAX_DEPTH if key in DEEP else SMALL.get(key, MAX_SIZE)
    return (1 if key in ABOVE_ZERO + DEEP else -high), high


def check_fields(config: object, what: str) -> None:
    """Raise WeightsError unless each field of a dataclass is of the type that it declares.

    A dataclass takes whatever it is given; a width that is a text would be found out in the middle
    of somebody's take. what: whose configuration.
    """
    for field in fields(config):
        value = getattr(config, field.name)
        if is_dataclass(value):
            check_fields(value, what)
        elif not _fits(value, field.type):
            raise WeightsError(
                f"The {what}'s configuration gives {field.name!r} as {str(value)[:40]!r}, which is "
                f"no {getattr(field.type, '__name__', field.type)}."
            )


def _fits(value: object, kind: type) -> bool:
    if get_origin(kind) is not tuple:
        return type(value) is kind or (kind is float and type(value) is int)
    if not isinstance(value, tuple):
        return False
    kinds = get_args(kind)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    return len(kinds) == len(value) and all(map(_fits, value, kinds))
