"""Heads side by side: pictures in step, titles in the corner, one head untouched."""

import numpy as np
import pytest

from l2t.render.beside import LINES, side_by_side

SIZE = 256


def pictures(level, count=3):
    """Grey (SIZE, SIZE, 3) pictures, each a little brighter than the one before."""
    return iter([np.full((SIZE, SIZE, 3), level + i, np.uint8) for i in range(count)])


def test_one_head_passes_through_unchanged():
    (first, *_) = own = list(pictures(10))
    assert all(a is b for a, b in zip(side_by_side([iter(own)]), own, strict=True))
    assert (first == 10).all()


def test_every_picture_shows_the_same_frame_of_both():
    shown = list(side_by_side([pictures(10), pictures(100)]))
    assert [(p[0, 0, 0], p[0, -1, 0]) for p in shown] == [(10, 100), (11, 101), (12, 102)]
    assert {p.shape for p in shown} == {(SIZE, 2 * SIZE, 3)}


def test_heads_of_unequal_length_are_an_error_not_a_shorter_film():
    with pytest.raises(ValueError, match="shorter"):
        list(side_by_side([pictures(10, 3), pictures(10, 2)]))


def test_titles_stay_in_their_corner_and_carry_the_colours_of_the_curves():
    (shown,) = side_by_side([pictures(90, 1), pictures(90, 1)], ["Full", "A much longer title"])
    halves = np.split(shown, 2, axis=1)
    for half, line in zip(halves, LINES, strict=True):
        changed = np.argwhere((half != 90).any(axis=2))
        assert changed[:, 0].max() < SIZE // 8
        assert (half == line).all(axis=2).any()
        assert (half > 220).all(axis=2).any()  # the letters
    wide = [np.argwhere((half != 90).any(axis=2))[:, 1].max() for half in halves]
    assert wide[0] < wide[1] < SIZE


def test_a_title_too_long_for_its_head_is_cut_at_the_picture():
    (shown,) = side_by_side([pictures(90, 1)], ["word " * 50])
    assert (shown[:, -2:] == 90).all()
