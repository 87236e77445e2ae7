"""Turns tracked clips into training targets: 52 ARKit weights at 30 fps per clip.

    python -m training.data.targets data/grid_s1 --out cache/targets/grid_s1.npz
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from l2t.face import FaceTemplate
from l2t.metrics import INNER_LIP_PAIRS
from l2t.motion import FPS, frame_count, frame_times
from training.data.clips import TrackedClip, load_clip, names_of, opening
from training.data.fit_weights import WeightFitter, lip_index
from training.data.stabilise import rigid_align, stabilise

CLOSED = 0.012  # inner-lip gap over eye distance below which tracked lips count as closed


def lip_gaps(points: np.ndarray, index: np.ndarray) -> np.ndarray:
    """The three middle gaps between the lips in the picture plane, (frames, 3)."""
    pairs = [(lip_index(index, a), lip_index(index, b)) for a, b in INNER_LIP_PAIRS]
    return np.stack(
        [np.linalg.norm(points[:, a, :2] - points[:, b, :2], axis=-1) for a, b in pairs], axis=1
    )


def speaker_rest(stable: list[np.ndarray], openings: list[np.ndarray]) -> np.ndarray:
    """Mean landmarks (80, 3) of a speaker's closed mouth: the tightest twentieth of all frames."""
    limit = max(CLOSED / 2, np.percentile(np.concatenate(openings), 5))
    closed = [s[o <= limit] for s, o in zip(stable, openings, strict=True)]
    return np.median(np.concatenate(closed), axis=0)


def clip_rest(stable: np.ndarray, openings: np.ndarray, speaker: np.ndarray) -> np.ndarray:
    """The clip's own closed mouth where it shows one for long enough, else the speaker's."""
    closed = openings <= CLOSED / 2
    if closed.sum() < 12:
        return speaker
    return np.median(stable[closed], axis=0)


def to_thirty(weights: np.ndarray, closed: np.ndarray, fps: float) -> np.ndarray:
    """Weights resampled to 30 fps by time stamps, (frames, 52).

    Cubic splines: straight lines would halve what moves faster than 8 Hz. Any interpolation would
    prise a closure of one frame open: the new frame nearest to each closed frame takes that
    frame's weights as they are.
    """
    own = frame_times(len(weights), fps)
    times = frame_times(frame_count(len(weights) / fps), FPS)
    out = np.clip(CubicSpline(own, weights)(np.clip(times, own[0], own[-1])), 0.0, 1.0)
    for source in np.flatnonzero(closed):
        out[np.argmin(np.abs(times - own[source]))] = weights[source]
    return out.astype(np.float32)


def speaker_weights(clips: list[TrackedClip], template) -> tuple[list, list]:
    """Weights (frames, 52) and lip opening (frames,) of each clip, at the clips' own frame rate.

    clips: all of one speaker, of whose closed mouths the resting face is made.
    """
    index = clips[0].index
    stable = [stabilise(clip.landmarks, index) for clip in clips]
    reference = np.median([s.mean(axis=0) for s in stable], axis=0)
    centred = reference - reference.mean(axis=0)
    for i, points in enumerate(stable):  # one common frame for all clips of the speaker
        rotation, centre = rigid_align(points.mean(axis=0)[None], centred)
        stable[i] = (points - centre) @ rotation[0]
    openings = [opening(clip.landmarks, index) for clip in clips]
    rest = speaker_rest(stable, openings)
    fitter = WeightFitter(template, index)
    weights = []
    for points, gap in zip(stable, openings, strict=True):
        base = clip_rest(points, gap, rest)
        gaps = lip_gaps(points, index)
        gaps = np.maximum(gaps - CLOSED / 2, 0) * (1 + CLOSED / 2)  # tracked closed lips: 2e-3
        weights.append(fitter.fit(points - base, gaps))
    return weights, openings


def fit_speaker(clips: list[TrackedClip], template) -> dict[str, np.ndarray]:
    """All clips of one speaker -> arrays `names`, `arkit` (clips, frames, 52), `valid`, `opening`.

    `opening` (clips, frames at the clip's own rate) is the tracked truth that evaluation reads.
    """
    arkit, valid = [], []
    fitted, openings = speaker_weights(clips, template)
    for clip, weights, gap in zip(clips, fitted, openings, strict=True):
        arkit.append(to_thirty(weights, gap < CLOSED, clip.fps))
        times = frame_times(len(arkit[-1]), FPS) * clip.fps
        valid.append(clip.valid[np.clip(times.astype(int), 0, len(clip.valid) - 1)])
    return {
        "names": np.array([clip.name for clip in clips]),
        "arkit": padded(arkit),
        "valid": padded(valid),
        "opening": padded([o.astype(np.float32) for o in openings], np.nan),
        "fps": np.float32(clips[0].fps),
    }


def padded(rows: list[np.ndarray], fill=0) -> np.ndarray:
    """Clips of unequal length stacked, the short ones filled up at the end."""
    out = np.full((len(rows), max(map(len, rows)), *rows[0].shape[1:]), fill, rows[0].dtype)
    for slot, row in zip(out, rows, strict=True):
        slot[: len(row)] = row
    return out


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--template", type=Path, default=None)
    args = parser.parse_args(argv)
    clips = [load_clip(args.folder / f"{name}.npz") for name in names_of(args.folder)]
    result = fit_speaker(clips, FaceTemplate.load(args.template))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **result)
    print(f"{len(clips)} clips, {result['arkit'].shape[1]} frames each -> {args.out}")


if __name__ == "__main__":
    main()
