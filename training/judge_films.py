"""Draws films of recordings for the judge, with the software painter: the same on every machine."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from l2t.face import FaceTemplate
from l2t.motion import FPS, Motion, frame_count
from l2t.render.renderer import Renderer
from l2t.speech import Speech
from l2t.voice import SAMPLE_RATE
from training.judge_figures import Film

LONGEST = 4.0  # seconds of a film; the rest of the recording is left out


def make_films(
    clips: Sequence, make: Callable, folder: Path, size: int = 384, seconds: float = LONGEST
) -> list[Film]:
    """One film a clip in `folder`, all of the template's first identity.

    clips: have `name`, `samples` (n,) and `phones` (`training.evaluate.clips.Clip`); make(clip) ->
    (frames, 52) weights at 30 fps. Raises RenderError, OutputError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    identity, films = FaceTemplate.load().identities[0], []
    with Renderer(choice="software") as renderer:
        for clip in clips:
            samples = clip.samples[: round(seconds * SAMPLE_RATE)]
            arkit = np.asarray(make(clip))[: frame_count(len(samples) / SAMPLE_RATE, FPS)]
            path = folder / f"{clip.name}.mp4"
            speech = Speech(samples, clip.name)
            renderer.film(Motion(arkit), speech, identity, "front", size, path)
            end = len(samples) / SAMPLE_RATE
            films.append(Film(path, arkit, tuple(p for p in clip.phones if p[2] <= end)))
    return films
