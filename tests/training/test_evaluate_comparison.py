"""Tables of the comparison: cells, paired differences, what was not measured."""

import math

import numpy as np
import pytest

from training.evaluate.comparison import (
    Board,
    apart,
    comparison,
    control_table,
    difference,
    differences,
    pairs,
)
from training.evaluate.measures import AGAINST_TRUTH, BY_OTHERS

COLUMNS = {c.key: c for c in AGAINST_TRUTH + BY_OTHERS}


def clips(**figures):
    """Lists of numbers by figure -> one dict a clip."""
    count = len(next(iter(figures.values())))
    return [{k: v[i] for k, v in figures.items()} for i in range(count)]


def lines(text):
    """Cells of all table lines of a text, by the first cell."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows}


def board():
    rng = np.random.default_rng(0)
    hard = rng.uniform(2, 9, 40)  # clips differ more than contenders do
    return Board("grid_s1", {"full": "Full"}, {
        "tracked truth": clips(lve=[0.0] * 40, r=[1.0] * 40, lse_d=[5.0] * 40),
        "full": clips(lve=hard + rng.normal(-0.1, 0.05, 40), r=[0.9] * 40, lse_d=[6.0] * 40),
        "reconstruction": clips(lve=hard, r=[0.9, 0.8] * 20, lse_d=[7.0, math.nan] * 20),
        "real photos": clips(wer=[0.5] * 40),
    })  # fmt: skip


def test_a_row_a_contender_with_its_title_mean_and_interval():
    text = comparison(board())
    geometry, others = text.split("### grid_s1, by others")
    assert lines(geometry)["who"] == ["LVE, mm² (lips)", "lip opening r"]
    assert lines(geometry)["tracked truth"] == ["0.0 (0.0 to 0.0)", "1.000 (1.000 to 1.000)"]
    assert lines(geometry)["Full"][1] == "0.900 (0.900 to 0.900)"
    assert "real photos" not in lines(geometry)
    assert lines(others)["who"] == ["LSE-D", "lip-reading WER (grammar)"]
    assert lines(others)["real photos"] == ["–", "0.500 (0.500 to 0.500)"]
    assert lines(others)["Full"] == ["6.00 (6.00 to 6.00)", "–"]


def test_without_a_reader_its_columns_say_so():
    blind = Board("x", {}, {"a": clips(lse_d=[1.0, 2.0])}, blind=True)
    assert lines(comparison(blind))["a"][1:] == ["not measured"] * 3


def test_pairing_sees_differences_that_separate_intervals_hide():
    values = board().values
    found = difference(COLUMNS["lve"], values["full"], values["reconstruction"])
    assert found["mean"] == pytest.approx(-0.1, abs=0.03)
    assert found["high"] < 0
    assert found["better"] == 1
    assert found["share"] == pytest.approx(found["mean"] / np.mean(
        [c["lve"] for c in values["reconstruction"]]))  # fmt: skip
    back = difference(COLUMNS["lve"], values["reconstruction"], values["full"])
    assert back["better"] == -1
    same = difference(COLUMNS["lve"], values["full"], values["full"])
    assert same["mean"] == same["better"] == 0


def test_differences_for_a_file():
    found = apart(board(), [("full", "reconstruction")])["full - reconstruction"]
    assert set(found) == {"lve", "r", "lse_d"}
    assert found["r"]["mean"] == pytest.approx(0.05)


def test_only_clips_that_both_have_are_compared():
    values = board().values
    found = difference(COLUMNS["lse_d"], values["full"], values["reconstruction"])
    assert found["clips"] == 20
    assert found["mean"] == -1.0
    assert difference(COLUMNS["wer"], values["full"], values["reconstruction"]) is None


def test_a_lag_is_better_when_it_is_smaller_whichever_its_sign():
    early, late = clips(lag=[-10.0] * 9), clips(lag=[30.0] * 9)
    assert difference(COLUMNS["lag"], early, late)["better"] == 1
    assert difference(COLUMNS["r"], clips(r=[0.9] * 9), clips(r=[0.8] * 9))["better"] == 1


def test_the_table_of_differences_says_who_is_better_by_how_much():
    text = differences(board(), [("full", "reconstruction")])
    assert lines(text)["figure"] == ["Full − reconstruction"]
    assert lines(text)["LVE, mm² (lips)"][0].endswith("% better")
    assert lines(text)["LSE-D"] == ["-1.00 (-1.00 to -1.00) better"]
    assert "WER" not in text
    assert differences(board(), []) == ""


def test_pairs_hold_students_against_reconstruction_and_the_baseline():
    assert pairs(["default", "sync", "reconstruction", "faceformer"]) == [
        ("default", "reconstruction"), ("sync", "reconstruction"),
        ("default", "faceformer"), ("reconstruction", "faceformer"),
    ]  # fmt: skip
    assert pairs(["default", "mine"]) == []


def test_controls_are_named_where_a_figure_puts_them_behind():
    truth = clips(lve=[0.0], r=[0.9])
    worse = {"late": clips(lve=[3.0], r=[0.5]), "frozen": clips(lve=[1.0], r=[0.9])}
    text = control_table("grid_s1", truth, worse)
    assert lines(text)["behind the truth"] == ["late, frozen", "late"]
    assert text.endswith("\nlip opening r does not put frozen behind the truth.\n")
    kept = control_table("grid_s1", truth, {"frozen": clips(lve=[1.0], r=[0.0])})
    assert kept.endswith("\nEvery figure orders the controls that it promises to order.\n")


def test_means_for_a_file_leave_out_what_nobody_measured():
    means = board().means()
    assert set(means["real photos"]) == {"wer"}
    assert means["reconstruction"]["lse_d"] == {"mean": 7.0, "low": 7.0, "high": 7.0, "clips": 20}
