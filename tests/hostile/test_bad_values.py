"""Values that no page sends but any script can: each is refused in one sentence."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from hostile.guided import plain
from l2t.avatar.camera import Orbit
from l2t.errors import L2TError
from l2t.lip_limits import check_rules
from l2t.movement import Movement
from l2t.noisy import Noise
from l2t.render.scene import check_size, check_view
from l2t.values import is_whole, is_within, shown
from l2t.variants import EVERY, find, find_each

NO_NUMBERS = ("0", "", "a\nb/../c", "x" * 100_000, b"x", [], [1], (), {}, {"a": 1}, 1 + 2j,
              object(), np.array([1, 2]), True, False)  # fmt: skip
NO_SANE = (math.nan, math.inf, -math.inf, 1e300, -1e300, 10**400, -(10**400), np.float64("nan"))
ANY = (*NO_NUMBERS, *NO_SANE)

# What a visitor may set: (what takes it, values that it accepts).
SET: dict[str, tuple[Callable, tuple]] = {
    "rules": (check_rules, ("grid",)),
    "azimuth": (lambda value: Orbit(value, 0).check(), (0, -180.0, 720)),
    "elevation": (lambda value: Orbit(0, value).check(), (0, -80.0, 80)),
    "zoom": (lambda value: Orbit(0, 0, value).check(), (1, 0.5, 8)),
    "head movement": (lambda value: Movement(value), (0, 3, 0.5)),
    "seed": (lambda value: Movement(1, value), (0, None, 7.0, 2**32 - 1)),
    "noise": (lambda value: Noise(value, 0), ("white", None)),
    "signal-to-noise ratio": (lambda value: Noise("white", value), (0, -20, 40.0)),
    "size": (check_size, (256, 1024)),
    "view": (check_view, ("side",)),
    "variant": (lambda value: find(EVERY, value), ("full", None)),
    "variants": (lambda value: find_each(EVERY, value), (("full", None), ["sync"])),
    "one of two variants": (lambda value: find_each(EVERY, ("full", value)), ("sync", None)),
}


def accepted(take: Callable, value: object) -> bool:
    """Whether it is taken; if not, it has to be one plain sentence that is not too long."""
    sentence = None
    try:
        take(value)
    except L2TError as refusal:
        sentence = str(refusal)
    assert sentence is None or plain(sentence), sentence
    return sentence is None


@pytest.mark.parametrize("name", SET)
def test_whatever_is_set_is_taken_or_one_sentence(name):
    take, good = SET[name]
    besides = () if None in good else (None,)
    assert all(accepted(take, value) for value in good)
    assert not [value for value in (*ANY, *besides) if accepted(take, value)]


def test_what_is_no_number_in_range_is_known():
    assert not [value for value in ANY if is_within(value, 0, 3)]
    assert not [value for value in ANY if is_whole(value, 0, 2**32 - 1)]


def test_numbers_in_range_are_known():
    assert all(is_within(value, 0, 3) for value in (0, 3, 0.5, np.float32(2), np.int64(1)))
    assert all(is_whole(value, 0, 9) for value in (0, 9, 3.0, np.int64(1)))
    assert not is_whole(0.5, 0, 9)
    assert not is_whole(10, 0, 9)


def test_whatever_was_found_is_shown_on_one_short_line():
    for text in map(shown, (*ANY, None, 10**5000, 3, 0.25)):
        assert text.isprintable()
        assert 0 < len(text) < 60
        assert "0x" not in text


def test_what_was_found_is_recognised():
    assert [shown(v) for v in ("rain", 3, 0.25, None, [1])] == [
        "'rain'", "3", "0.25", "None", "a value of type list"
    ]  # fmt: skip
