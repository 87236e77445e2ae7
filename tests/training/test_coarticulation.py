"""Phones to mouth weights: the dominance mean, closures that hold, and a fit that finds a truth."""

import numpy as np
import pytest

from l2t.face import FaceTemplate
from l2t.metrics import closed_limit, lip_opening
from l2t.motion import ARKIT_NAMES, FPS, frame_times
from training.data.alignments import Alignment, save_alignments
from training.data.articulation import AT_LEAST, RELATIVES, complete, relatives_of
from training.data.closures import HOLD, close_lips, closure_envelope, with_gap
from training.data.coarticulation import (
    GROUP_OF,
    GROUPS,
    SPREAD,
    STATES,
    UNITS,
    Coarticulation,
    blend,
    coarticulate,
    dominance,
    to_states,
)  # fmt: skip
from training.data.coarticulation_clips import error_map, gap_per_weight, read_clips
from training.data.pronounce import PHONES
from training.fit_coarticulation import fit
from training.fit_coarticulation import main as fit_main
from training.measure_coarticulation import main as measure_main

JAW, CLOSE = ARKIT_NAMES.index("jawOpen"), ARKIT_NAMES.index("mouthClose")


@pytest.fixture(scope="module")
def template():
    return FaceTemplate.load()


@pytest.fixture(scope="module")
def model(template):
    """A model by hand: every phone opens the jaw to its own degree, silence and p b m do not."""
    rng = np.random.default_rng(0)
    targets = np.zeros((len(STATES), len(UNITS)))
    targets[:, UNITS.index("jawOpen")] = rng.uniform(0.1, 0.4, len(STATES))
    targets[:, UNITS.index("mouthLowerDown")] = rng.uniform(0, 0.3, len(STATES))
    targets[STATES.index("SIL")] = 0
    shape = len(STATES), len(GROUPS)
    return Coarticulation(
        targets, rng.uniform(0.5, 2, shape), rng.uniform(0.03, 0.1, shape),
        rng.uniform(0.03, 0.1, shape), rng.uniform(-0.02, 0.02, (shape[0], 2)),
        gap_per_weight(template), np.float32(0.0),
    )  # fmt: skip


def sentence(*phones, each=0.1, pause=0.5):
    """SIL phones SIL with times."""
    names = ("SIL", *phones, "SIL")
    lengths = [pause] + [each] * len(phones) + [pause]
    edges = np.cumsum([0, *lengths])
    return names, edges[:-1], edges[1:], float(edges[-1])


def test_diphthongs_are_two_states_and_others_one():
    states, starts, ends = to_states(("SIL", "AY"), np.array([0, 0.2]), np.array([0.2, 0.4]))
    assert [STATES[s] for s in states] == ["SIL", "AY", "AY>"]
    np.testing.assert_allclose(starts, [0, 0.2, 0.3])
    np.testing.assert_allclose(ends, [0.2, 0.3, 0.4])


def test_every_unit_spreads_over_one_arkit_weight_or_a_pair():
    assert set(SPREAD.sum(axis=1)) == {1, 2}
    assert SPREAD.sum(axis=0).max() == 1


def test_blend_is_the_dominance_weighted_mean_of_targets(model):
    names, starts, ends, seconds = sentence("T", "AA", "N")
    states, first, last = to_states(names, starts, ends)
    times = frame_times(12)
    found = blend(model, states, first, last, times)
    for f, t in enumerate(times):
        for k, g in enumerate(GROUP_OF):
            above = below = 0.0
            for s, a, b in zip(states, first, last, strict=True):
                a, b = a + model.shift[s, 0], b + model.shift[s, 1]
                early, late = max(a - t, 0), max(t - b, 0)
                pull = model.strength[s, g] * np.exp(
                    -((early / model.before[s, g]) ** 2) - (late / model.after[s, g]) ** 2
                )
                above += (pull + 1e-9) * model.targets[s, k]
                below += pull + 1e-9
            assert found[f, k] == pytest.approx(above / below, abs=1e-9)


def test_a_phone_dominates_most_while_it_sounds(model):
    pull = dominance(model, np.array([3]), np.array([0.5]), np.array([0.6]), frame_times(40))
    assert 0.45 < frame_times(40)[pull[:, 0, 0].argmax()] < 0.65
    assert pull[0].max() < 1e-3


@pytest.mark.parametrize("neighbours", [("AA", "AE"), ("IY", "UW"), ("S", "T"), ("M", "P")])
@pytest.mark.parametrize("phone", sorted(HOLD))
@pytest.mark.parametrize("length", [0.03, 0.08, 0.2])
def test_lips_close_in_every_bilabial_however_short(model, template, phone, neighbours, length):
    names, starts, ends, seconds = sentence(neighbours[0], phone, neighbours[1], each=length)
    opening = lip_opening(template, coarticulate(names, starts, ends, seconds, model))
    a, b = int(starts[2] * FPS), int(np.ceil(ends[2] * FPS))
    assert opening[a:b].min() <= closed_limit(template)


def test_lips_are_open_on_open_vowels_and_still_and_closed_in_silence(model, template):
    names, starts, ends, seconds = sentence("AA", "AE", "AA", each=0.15, pause=1.0)
    opening = lip_opening(template, coarticulate(names, starts, ends, seconds, model))
    assert opening[32:42].min() > closed_limit(template) + 0.02
    silent = np.r_[opening[:22], opening[-22:]]
    assert silent.max() <= closed_limit(template)
    assert silent.std() < 0.05 * opening[30:44].std() + 1e-4


def test_short_pauses_do_not_close_the_mouth():
    shut = closure_envelope(("AA", "SIL", "AA"), np.array([0, 0.3, 0.5]), np.array([0.3, 0.5, 0.8]),
                            24, FPS)  # fmt: skip
    assert shut.max() == 0


def test_no_speech_at_all_is_a_neutral_closed_mouth(model):
    assert not coarticulate((), np.zeros(0), np.zeros(0), 1.0, model).any()
    only = coarticulate(("SIL",), np.zeros(1), np.ones(1), 1.0, model)
    assert only.shape == (30, 52)
    np.testing.assert_allclose(only, only[:1].repeat(30, 0), atol=1e-6)


def test_weights_are_finite_within_range_and_leave_the_upper_face_alone(model):
    names, starts, ends, seconds = sentence(*PHONES[1:], each=0.08)
    arkit = coarticulate(names, starts, ends, seconds, model, energy=np.linspace(-60, 0, 200),
                         amplitude=1.5)  # fmt: skip
    assert arkit.dtype == np.float32
    assert arkit.min() >= 0
    assert arkit.max() <= 1
    eyes = [i for i, n in enumerate(ARKIT_NAMES) if n.startswith(("eye", "brow", "cheek", "nose"))]
    assert not arkit[:, eyes].any()


def test_amplitude_scales_the_vowels_and_spares_the_closures(model, template):
    names, starts, ends, seconds = sentence("AA", "B", "AA", each=0.12)
    small, large = (
        lip_opening(template, coarticulate(names, starts, ends, seconds, model, amplitude=a))
        for a in (0.5, 1.0)
    )
    middle = int((starts[1] + 0.05) * FPS)
    assert small[middle] < 0.75 * large[middle]
    closed = int((starts[2] + 0.06) * FPS)
    assert max(small[closed], large[closed]) <= closed_limit(template)


def test_loud_phones_open_wider_when_the_model_says_so(model):
    from dataclasses import replace

    names, starts, ends, seconds = sentence("AA", "AA", each=0.3)
    energy = np.where(frame_times(48) < 0.8, -40.0, -20.0)
    arkit = coarticulate(names, starts, ends, seconds, replace(model, loudness=0.2), energy)
    assert arkit[28, JAW] > 1.2 * arkit[20, JAW]


def test_gap_is_met_with_the_least_change_inside_the_bounds(template):
    gap = gap_per_weight(template)
    weights = np.zeros((3, 52))
    weights[:, JAW] = (0.3, 0.05, 0.9)
    found = with_gap(weights, np.zeros(3), gap)
    np.testing.assert_allclose(found @ gap, 0, atol=1e-6)
    assert (found[:, JAW] < weights[:, JAW]).all()
    assert (found[:, CLOSE] > 0).all()
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(with_gap(weights, weights @ gap, gap), weights)


def test_lips_never_sink_into_each_other(template):
    weights = np.zeros((5, 52), np.float32)
    weights[:, CLOSE] = 0.5
    gap = gap_per_weight(template)
    shut = close_lips(weights, ("AA",), np.zeros(1), np.ones(1), gap, FPS)
    assert (shut @ gap).min() > -0.003


def test_aa_opens_further_than_the_tracked_letter_shows(template):
    gap = gap_per_weight(template)
    targets = np.zeros((len(STATES), len(UNITS)))
    targets[:, UNITS.index("jawOpen")] = 0.2
    whole = complete(targets, np.ones(len(STATES), int), gap)
    opening = (whole @ SPREAD) @ gap
    assert opening[STATES.index("AA")] == pytest.approx(0.15, abs=1e-4)
    assert opening[STATES.index("K")] == pytest.approx(0.2 * gap[JAW], abs=1e-4)
    assert opening[STATES.index("SIL")] == pytest.approx(0, abs=1e-4)


def test_missing_phones_borrow_from_relatives_and_seen_ones_do_not(template):
    rng = np.random.default_rng(1)
    gap = gap_per_weight(template)
    targets = rng.uniform(0, 0.3, (len(STATES), len(UNITS)))
    seen = np.ones(len(STATES), int)
    seen[STATES.index("SH")] = 0
    np.testing.assert_allclose(
        relatives_of(targets, seen)[STATES.index("SH")],
        (targets[STATES.index("CH")] + targets[STATES.index("JH")]) / 2,
    )
    whole = complete(targets, seen, gap)
    for state, minima in AT_LEAST.items():
        for unit, least in minima.items():
            # Keeping the opening may take back from a unit that opens the lips, never much.
            assert whole[STATES.index(state), UNITS.index(unit)] > 0.5 * least
    kept = STATES.index("K")
    np.testing.assert_allclose(whole[kept], targets[kept], atol=1e-6)
    assert set(RELATIVES) <= set(STATES)


def made_up_clips(tmp_path, model, count=60):
    """Clips animated by a known model, in the files of tracked targets and of phone times."""
    rng = np.random.default_rng(2)
    items, arkit = [], []
    for n in range(count):
        phones = rng.choice(["AA", "IY", "S", "T", "AY", "B"], 8)
        names, starts, ends, _ = sentence(*phones, each=0.1, pause=0.6)
        states = to_states(names, starts, ends)
        arkit.append(blend(model, *states, frame_times(60)) @ SPREAD)
        items.append(Alignment(f"clip{n:03d}", "s", "train", names, starts.astype(np.float32),
                               ends.astype(np.float32)))  # fmt: skip
    save_alignments(tmp_path / "align.npz", items)
    gap = np.stack(arkit) @ model.gap
    at = np.round(np.linspace(0, 59, 50)).astype(int)
    np.savez(tmp_path / "targets.npz", names=[i.id for i in items], arkit=np.stack(arkit),
             valid=np.ones((count, 60), bool), opening=gap[:, at])  # fmt: skip
    return tmp_path / "targets.npz", tmp_path / "align.npz"


def test_fit_finds_a_model_that_animates_unseen_clips_like_the_truth(tmp_path, model, template):
    targets, align = made_up_clips(tmp_path, model)
    clips = read_clips(targets, align, "train")
    fitted = fit(clips, error_map(template), steps=120, batch=20)
    # Without `finish`, which moves some targets on purpose.
    widths = (np.exp(fitted[name]) for name in ("strength", "before", "after"))
    found = Coarticulation(
        fitted["targets"], *widths, fitted["shift"], gap_per_weight(template), np.float32(0)
    )
    held_out = read_clips(targets, align, "validation")
    errors = []
    for c in range(len(held_out.names)):
        known = held_out.starts[c] > -50
        states = held_out.states[c][known].numpy()
        times = held_out.starts[c][known].numpy(), held_out.ends[c][known].numpy()
        made = blend(found, states, *times, frame_times(60))
        truth = held_out.units[c].numpy()
        errors.append((np.square(made - truth)[:, 0].mean(), truth[:, 0].var()))
    error, variance = np.mean(errors, axis=0)
    assert error < 0.1 * variance


def test_model_file_and_commands(tmp_path, model, caplog):
    model.save(tmp_path / "m.npz")
    back = Coarticulation.load(tmp_path / "m.npz")
    np.testing.assert_allclose(back.targets, model.targets, atol=1e-6)
    np.savez(tmp_path / "other.npz", states=np.array(["A"]), units=np.array(["B"]))
    with pytest.raises(ValueError, match=r"other\.npz"):
        Coarticulation.load(tmp_path / "other.npz")
    targets, align = made_up_clips(tmp_path, model, count=22)
    files = ["--targets", str(targets), "--align", str(align)]
    fit_main([*files, "--out", str(tmp_path / "fit.npz"), "--steps", "2"])
    with caplog.at_level("INFO"):
        measure_main([str(tmp_path / "fit.npz"), *files, "--split", "train"])
    assert "animated phones" in caplog.text
