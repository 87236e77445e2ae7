"""The judge of films, with a tracker that sees what was drawn."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from trackable import FakeTracker, numbered, points_of, write_video

from l2t.animate import mouth_weights
from l2t.face import FaceTemplate
from l2t.models.loading import load_models
from l2t.speech import load_speech
from l2t.weights import resolve
from training.data.track_faces import NoTracker, TrackError
from training.judge import CONTROLS, judge_rows, known, main
from training.judge_figures import MEASURES, Film, closures, look

EXAMPLES = Path(__file__).parents[2] / "assets" / "examples"
LONGEST = 56000  # samples, 3.5 s


def row(name, values):
    """As training.evaluate's, without the interval."""
    finite = [v for v in values if np.isfinite(v)]
    return {"measure": name, "mean": np.mean(finite) if finite else np.nan, "clips": len(finite)}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Two recordings with the mouths our student gives them: films, tracker and the rows."""
    folder, template = tmp_path_factory.mktemp("films"), FaceTemplate.load()
    models, films, points = load_models(resolve(None), torch.device("cpu")), [], []
    for name in ("english_woman_2", "english_man_1"):
        samples = load_speech(EXAMPLES / f"{name}.flac").samples[:LONGEST]
        arkit = mouth_weights(models, samples, 0)
        pictures = numbered(len(arkit), first=sum(map(len, points)))
        path = write_video(folder / f"{name}.mp4", pictures, 30, samples)
        films.append(Film(path, arkit, (("M", 0.5, 0.6), ("AA", 1.0, 1.2))))
        points.append(points_of(template, arkit))
    tracker = FakeTracker(np.concatenate(points), lost=(3, 4))
    rows = judge_rows(films, "x", tracker, template, models.expert, row)
    return SimpleNamespace(films=films, tracker=tracker, template=template, expert=models.expert,
                           rows={r["measure"]: r for r in rows})  # fmt: skip


def of(judged, key, control=None):
    label = f"x, {control}" if control else "x"
    return judged.rows[f"{label}: {MEASURES[key]}"]["mean"]


def test_what_was_drawn_is_what_is_seen(judged):
    assert of(judged, "found") == pytest.approx(1 - 1 / len(judged.films[0].arkit))
    assert of(judged, "r_drawn") > 0.98
    assert of(judged, "late_drawn") == 0
    assert of(judged, "r_voice") > 0.3
    assert abs(of(judged, "lag")) < 40
    assert of(judged, "closed") in (0, 0.5, 1)


def test_the_controls_are_told_apart(judged):
    late, other, frozen = CONTROLS
    moved = of(judged, "lag", late) - of(judged, "lag")
    assert moved == pytest.approx(-5 / 30 * 1000, abs=25)
    assert of(judged, "depth", other) < of(judged, "depth")
    assert of(judged, "depth", frozen) < 0.5 * of(judged, "depth")
    assert of(judged, "r_voice", frozen) == pytest.approx(0)
    assert of(judged, "found", frozen) == 1.0


def test_a_film_alone_has_no_other_films_sound_and_perhaps_no_known_motion(judged):
    film = [Film(judged.films[1].path)]
    rows = judge_rows(film, "y", judged.tracker, judged.template, judged.expert, row)
    clips = {r["measure"]: r["clips"] for r in rows}
    assert clips[f"y: {MEASURES['found']}"] == 1
    for key in ("r_drawn", "late_drawn", "still_drawn", "closed", "closed_drawn", "false"):
        assert clips[f"y: {MEASURES[key]}"] == 0
    assert clips[f"y, sound of another film: {MEASURES['depth']}"] == 0


def test_a_film_without_a_face_is_an_error(judged):
    blind = FakeTracker(judged.tracker.points, lost=range(1000))
    with pytest.raises(TrackError, match="No face"):
        look(judged.films[0].path, blind)


def test_without_mediapipe_the_table_says_not_measured(judged):
    def missing(pictures):
        raise NoTracker("mediapipe cannot be imported")

    rows = judge_rows(judged.films, "x", missing, judged.template, judged.expert, row)
    assert len(rows) == 1
    assert "not measured" in rows[0]["measure"]
    assert rows[0]["clips"] == 0


def test_closures_need_phones():
    film = Film(Path("a.mp4"), None, (("P", 0.0, 0.1), ("B", 0.5, 0.6), ("AA", 0.2, 0.4)))
    lips = np.full(30, 0.1)
    lips[:3] = 0.0
    found = closures(film, lips, 30.0, 0.012)
    assert (found.recall, found.false) == (0.5, 0.0)
    assert np.isnan(closures(Film(Path("a.mp4")), lips, 30.0, 0.012).recall)


def test_a_motion_beside_a_film_is_found(tmp_path):
    np.savez(tmp_path / "a.npz", arkit=np.ones((4, 52), np.float32))
    assert known(tmp_path / "a.mp4").arkit.shape == (4, 52)
    assert known(tmp_path / "b.mp4").arkit is None


@pytest.mark.skipif(importlib.util.find_spec("mediapipe") is not None, reason="mediapipe is here")
def test_the_command_says_that_it_measured_nothing(judged, capsys):
    assert main([str(judged.films[0].path)]) == 2
    assert "Not measured: mediapipe is missing" in capsys.readouterr().out
