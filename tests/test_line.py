"""The line: bounded, and fair to everybody who stands in it."""

import contextvars
import math
import random
from pathlib import Path

import pytest

from l2t.errors import Busy
from l2t.jobs import Job, Order
from l2t.line import Line


def job(owner: str) -> Job:
    return Job(Order(Path("a.wav")), owner, Path("."), contextvars.copy_context())


def owners(line: Line) -> str:
    """All that is left, taken one after the other."""
    return "".join(line.take().owner for _ in range(len(line)))


def filled(names: str, most: int = 99, each: int = 99) -> Line:
    line = Line(most, each)
    for name in names:
        line.add(job(name))
    return line


@pytest.mark.parametrize(
    ("came", "taken"),
    [
        ("abc", "abc"),  # who comes first is served first
        ("aaab", "abaa"),  # one who orders much lets the others pass
        ("aaabbbc", "abcabab"),
        ("aaaa", "aaaa"),
        ("", ""),
    ],
)
def test_visitors_take_turns(came, taken):
    line = filled(came)
    assert "".join(one.owner for one in line.order()) == taken  # as foretold
    assert owners(line) == taken


def test_who_comes_later_waits_for_one_job_of_a_busy_visitor_at_most():
    line = filled("aaaaa")
    assert line.take().owner == "a"
    line.add(job("b"))
    assert owners(line) in ("abaaa", "baaaa")


def test_nobody_waits_for_ever_however_many_others_come():
    line = filled("aa")
    line.take()
    mine = line.order()[0]
    for number in range(50):
        line.add(job(f"new {number}"))
        if line.take() is mine:
            assert number < 3
            return
    pytest.fail("never served")


def test_one_visitor_s_jobs_keep_their_order():
    line, mine = filled("b"), [job("a") for _ in range(3)]
    for one in mine:
        line.add(one)
    taken = [line.take() for _ in range(4)]
    assert [one for one in taken if one.owner == "a"] == mine


def test_bounds_in_all_and_for_each():
    line = filled("aab", most=4, each=2)
    with pytest.raises(Busy, match="2 of your jobs are waiting already and no more than 2 may"):
        line.add(job("a"))
    line.add(job("c"))
    with pytest.raises(Busy, match="4 jobs are waiting already and no more than 4 may"):
        line.add(job("d"))
    assert owners(line) == "abca"
    line.add(job("a"))  # there is room again


def test_what_was_foretold_comes_whatever_happened_before():
    dice, line = random.Random(3), Line(99, 99)
    for _ in range(300):
        if len(line) < 2 or dice.random() < 0.5:
            line.add(job(dice.choice("abcdef")))
        elif dice.random() < 0.5:
            line.remove(dice.choice(line.all()))
        else:
            foretold = line.order()
            assert (line.take(), line.order()) == (foretold[0], foretold[1:])


class Asked(str):
    """An owner who counts how often he is asked who he is."""

    times = 0

    def __hash__(self) -> int:
        Asked.times += 1
        return super().__hash__()

    __eq__ = str.__eq__


@pytest.mark.parametrize("count", [100, 1000])
def test_a_long_line_is_foretold_in_few_steps_and_once_for_each_change(count, monkeypatch):
    """A thousand visitors ask ten times a second; the steps of pairs would be a million each."""
    line = Line(count, count)
    for number in range(count):
        line.add(job(Asked(number % (count // 2))))
    monkeypatch.setattr(Asked, "times", 0)
    first = line.order()
    assert 0 < Asked.times < 3 * count * math.log2(count)
    monkeypatch.setattr(Asked, "times", 0)
    assert line.order() is first
    assert Asked.times == 0
    line.remove(first[0])
    assert line.order() != first


def test_nothing_is_taken_from_an_empty_line():
    with pytest.raises(IndexError):
        Line(9, 9).take()


def test_a_job_can_leave():
    line = filled("ab")
    first = line.all()[0]
    line.remove(first)
    assert first not in line
    assert owners(line) == "b"
