"""Edit distance against its definition; visemes: every phone in one class, look-alikes are free."""

from functools import cache
from itertools import product

import pytest

from l2t.error_rates import VISEME_OF, VISEMES, edits, error_rate, viseme_error
from l2t.models.lipreader import PHONES


def naive(a: str, b: str) -> int:
    """Levenshtein's recursion."""

    @cache
    def cost(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(cost(i - 1, j) + 1, cost(i, j - 1) + 1,
                   cost(i - 1, j - 1) + (a[i - 1] != b[j - 1]))  # fmt: skip

    return cost(len(a), len(b))


def test_edits_equal_the_recursion():
    words = ["".join(p) for n in range(4) for p in product("ab", repeat=n)] + ["abcabc", "cba"]
    assert all(edits(a, b) == naive(a, b) for a in words for b in words)


def test_error_rate_is_edits_over_what_was_said():
    assert error_rate(["bin", "blue", "at", "f"], ["bin", "red", "at"]) == 0.5
    assert error_rate(["a"], ["b", "c", "d"]) == 3.0
    assert error_rate(["a"], []) == 1.0
    assert error_rate([], ["a"]) != error_rate([], ["a"])  # nan


def test_each_phone_has_one_viseme():
    assert sorted(VISEME_OF) == sorted(PHONES)
    assert sum(map(len, VISEMES.values())) == len(PHONES)


@pytest.mark.parametrize(("a", "b", "error"), [("P", "B", 0), ("F", "V", 0), ("P", "F", 1)])
def test_look_alikes_cost_nothing(a, b, error):
    assert viseme_error([a], [b]) == error
