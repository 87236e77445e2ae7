"""Transcripts along the time line: places, marks, and nothing but text from a visitor."""

import re
from types import SimpleNamespace

import numpy as np

from l2t.lipreading import Reading, ReadWord
from l2t.ui.timeline import timeline, wrong


def take(*words):
    reading = Reading(tuple(words), np.zeros((1, 1)))
    found = SimpleNamespace(audio=reading, lips=reading, both=reading)
    return SimpleNamespace(found=found, speech=SimpleNamespace(seconds=2.0))


def test_a_word_stands_where_it_is_said():
    html = timeline(take(ReadWord("blue", 0.5, 1.0, 0.8)), "")
    assert html.count("left:25.00%;width:25.00%") == 3
    assert "confidence 0.80" in html
    assert "l2t-wrong" not in html
    assert "Really said" not in html


def test_words_that_were_not_said_are_marked():
    assert wrong(["bin", "blue", "at"], ["bin", "red", "at"]) == [False, True, False]
    assert wrong(["a", "b", "c"], ["b", "c"]) == [False, False]
    assert wrong([], ["b"]) == [False]
    words = [ReadWord("bin", 0, 1, 1.0), ReadWord("red", 1, 2, 0.1)]
    html = timeline(take(*words), "Bin blue")
    assert html.count("l2t-wrong") == 3
    assert html.count("50% of the words wrong") == 3


def test_what_a_visitor_writes_stays_text():
    html = timeline(take(), "<script>alert(1)</script>")
    assert "<script" not in html
    assert re.search("&lt;script", html)
    assert "nothing" in html
