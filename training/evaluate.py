"""The table of the main job: lips against tracked truth, closures, stillness, sync of takes.

    python -m training.evaluate --data ../shared/data --cache cache --weights assets/weights

Mouths come from the whole product path (loudness, windows, silence gate), never from a shortcut.
Means are over clips, with 95 % bootstrap intervals. Splits: grid_s1's test clips, grid_s26 (unseen
face and voice), librispeech's test speakers; none was trained or tuned on.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import CubicSpline

from l2t import metrics, sync
from l2t.animate import mouth_weights
from l2t.face import FaceTemplate
from l2t.loudness import normalise
from l2t.models.loading import Models, load_models
from l2t.motion import FPS, Motion, frame_times
from l2t.speech import Speech
from l2t.voice import SAMPLE_RATE, speech_mask
from l2t.weights import resolve
from training import baselines
from training.data.align import load_alignments
from training.data.corpora import grid_split, load_audio, read_part

BILABIALS = ("P", "B", "M")
OPEN_VOWELS = ("AA", "AE", "AH", "AY", "AW", "EH")
TRACKED_FPS = 25.0


@dataclass(frozen=True)
class Clip:
    """samples (n,) normalised; opening (frames at 25 fps) and arkit (frames, 52) where tracked;
    phones [(name, start s, end s)] where aligned."""

    name: str
    samples: np.ndarray
    opening: np.ndarray | None = None
    arkit: np.ndarray | None = None
    phones: tuple = ()


def tracked_clips(data: Path, cache: Path, part: str, split: str) -> list[Clip]:
    """Clips of grid_s1's split, or all of grid_s26."""
    with np.load(cache / "targets" / f"{part}.npz", allow_pickle=False) as file:
        names, arkit, opening = file["names"].tolist(), file["arkit"], file["opening"]
    at = {u.id: u for u in read_part(data, part)}
    return [
        Clip(name, normalise(load_audio(at[name])), opening[i], arkit[i])
        for i, name in enumerate(names)
        if part == "grid_s26" or grid_split(i) == split
    ]


def spoken_clips(data: Path, cache: Path, part: str, split: str) -> list[Clip]:
    """Aligned utterances of speakers held out from training."""
    at = {u.id: u for u in read_part(data, part)}
    return [
        Clip(a.id, normalise(load_audio(at[a.id])),
             phones=tuple(zip(a.phones, a.starts.tolist(), a.ends.tolist(), strict=True)))
        for a in load_alignments(cache / "align" / f"{part}.npz")
        if a.split == split
    ]  # fmt: skip


def row(name: str, values: list[float]) -> dict:
    mean, low, high = metrics.bootstrap_interval(np.array(values, float))
    count = int(np.isfinite(values).sum())
    return {"measure": name, "mean": mean, "low": low, "high": high, "clips": count}


def against_truth(label: str, clips: list[Clip], openings: list[np.ndarray]) -> list[dict]:
    """r at the best lag within +-0.12 s, that lag, and energy above 8 Hz, against tracked lips."""
    r, lag, high = [], [], []
    for clip, made in zip(clips, openings, strict=True):
        seen = np.isfinite(clip.opening)
        truth = clip.opening[seen]
        made = CubicSpline(frame_times(len(made)), made)(frame_times(len(truth), TRACKED_FPS))
        found = metrics.correlation(made, truth, TRACKED_FPS)
        r.append(found.r)
        lag.append(found.lag * 1000 / TRACKED_FPS)
        high.append(metrics.high_frequency_ratio(made, truth, TRACKED_FPS))
    return [
        row(f"{label}: lip opening r", r),
        row(f"{label}: lag, ms (positive = late)", lag),
        row(f"{label}: energy above 8 Hz over truth's", high),
    ]


def closures(label: str, clips: list[Clip], openings: list, closed: float) -> list[dict]:
    """Share of p b m with closed lips, share of open-vowel frames with closed lips."""
    found = []
    for clip, made in zip(clips, openings, strict=True):
        spans = [[(a, b) for p, a, b in clip.phones if p in kind]
                 for kind in (BILABIALS, OPEN_VOWELS)]  # fmt: skip
        bilabials, vowels = (np.array(s).reshape(-1, 2) for s in spans)
        found.append(metrics.closure(made, bilabials, vowels, FPS, closed))
    return [
        row(f"{label}: closed on p b m (recall)", [f.recall for f in found]),
        row(f"{label}: closed on open vowels (false)", [f.false for f in found]),
    ]


def silences(label: str, clips: list[Clip], openings: list[np.ndarray]) -> list[dict]:
    """Movement in silence over movement in speech."""
    still = [
        metrics.stillness(made, speech_mask(clip.samples, FPS, len(made)), FPS)
        for clip, made in zip(clips, openings, strict=True)
    ]
    return [row(f"{label}: lip movement in silence over speech", still)]


def surrounded(label: str, clips: list[Clip], models: Models, style: int, template) -> list[dict]:
    """Movement in 1.5 s of faint noise (-50 dBFS) put before and after, over that in the clip."""
    rng, still, pad = np.random.default_rng(0), [], int(1.5 * SAMPLE_RATE)
    for clip in clips:
        samples = np.pad(clip.samples, pad)
        samples = samples + 3e-3 * rng.standard_normal(len(samples)).astype(np.float32)
        opening = metrics.lip_opening(template, mouth_weights(models, samples, style))
        spoken, guard = slice(45, len(opening) - 45), 6  # frames: 0.2 s on either side
        quiet = np.concatenate([opening[: 45 - guard], opening[len(opening) - 45 + guard :]])
        still.append(float(quiet.std() / opening[spoken].std()))
    return [row(f"{label}: the same in 1.5 s of noise put around it", still)]


def takes(label: str, clips: list[Clip], motions: list, models: Models, template, truth_c) -> list:
    """Sync of generated takes and of the controls by the measuring expert.

    truth_c: per clip the truth's LSE-C, or one number (the mean of grid_s1's truth).
    """
    made = [report(c, m, models, template) for c, m in zip(clips, motions, strict=True)]
    late = [report(c, np.roll(m, 5, axis=0), models, template)
            for c, m in zip(clips, motions, strict=True)]  # fmt: skip
    swapped = [report(c, _resized(motions[i - 1], len(motions[i])), models, template)
               for i, c in enumerate(clips)]  # fmt: skip
    truths = np.broadcast_to(truth_c, len(clips))
    ok = [r.offset_frames is not None and abs(r.offset_frames) <= 1 for r in made]
    near = [r.lse_c >= 0.85 * t for r, t in zip(made, truths, strict=True)]
    auc = np.mean([a.lse_c > b.lse_c for a in made for b in swapped])
    sure = [[np.nanmean(r.confidence) for r in group] for group in (made, late, swapped)]
    return [
        row(f"{label}: |offset| at most 1 frame", ok),
        row(f"{label}: LSE-C at least 85 % of the truth's", near),
        row(f"{label}: both", [a and b for a, b in zip(ok, near, strict=True)]),
        row(f"{label}: LSE-C", [r.lse_c for r in made]),
        row(f"{label}: LSE-D", [r.lse_d for r in made]),
        row(f"{label}: LSE-C above swapped (AUC)", [auc]),
        row(f"{label}: confidence shown", sure[0]),
        row(f"{label}: confidence, 5 frames late", sure[1]),
        row(f"{label}: confidence, swapped voice", sure[2]),
    ]


def report(clip: Clip, arkit: np.ndarray, models: Models, template) -> sync.SyncReport:
    return sync.score(Speech(clip.samples, clip.name), template, Motion(arkit), models.expert)


def _resized(arkit: np.ndarray, frames: int) -> np.ndarray:
    return np.resize(arkit, (frames, arkit.shape[1]))


def table(title: str, rows: list[dict]) -> str:
    """One table in Markdown."""
    lines = [f"### {title}", "", "| measure | mean | 95 % interval | clips |", "|---|---|---|---|"]
    lines += [
        f"| {r['measure']} | {r['mean']:.3f} | {r['low']:.3f} to {r['high']:.3f} | {r['clips']} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def into_card(card: Path, text: str, command: str = "training.evaluate") -> None:
    """Puts a command's tables between its marks. Raises ValueError when the card lacks them."""
    first, last = f"<!-- tables: {command} -->", "<!-- end of tables -->"
    before, mark, rest = card.read_text(encoding="utf-8").partition(first + "\n")
    _, end, after = rest.partition(last)
    if not mark or not end:
        raise ValueError(f"{card.name} lacks the lines {first} and {last}")
    card.write_text(f"{before}{mark}\n{text}\n{end}{after}", encoding="utf-8")


def evaluate(models: Models, style: int, data: Path, cache: Path, split: str) -> dict[str, list]:
    """All tables by title; split "test", or "val" / "validation" while choosing."""
    template = FaceTemplate.load()
    seen = tracked_clips(data, cache, "grid_s1", split)
    new = tracked_clips(data, cache, "grid_s26", "test") if split == "test" else []
    spoken = spoken_clips(data, cache, "librispeech", split)
    closed = metrics.closed_limit(template)
    tables: dict[str, list] = {"student": [], "controls": [], "takes": []}
    usual = None  # mean LSE-C of the tracked man's truth: the yardstick where no truth is known
    for label, clips in (("grid_s1", seen), ("grid_s26", new), ("librispeech", spoken)):
        if not clips:
            continue
        motions = [mouth_weights(models, c.samples, style) for c in clips]
        openings = [metrics.lip_opening(template, m) for m in motions]
        energy = [baselines.energy_opening(c.samples) for c in clips]
        if clips[0].opening is not None:
            tables["student"] += against_truth(label, clips, openings)
            free = [mouth_weights(models, c.samples, style, gated=False) for c in clips]
            free = [metrics.lip_opening(template, m) for m in free]
            tables["student"] += against_truth(f"{label}, before the silence gate", clips, free)
            tables["controls"] += against_truth(f"{label}, energy", clips, energy)
            half = [0.5 * o for o in openings]
            tables["controls"] += against_truth(f"{label}, half amplitude", clips, half)
            truth = [report(c, c.arkit[: len(m)], models, template)
                     for c, m in zip(clips, motions, strict=True)]  # fmt: skip
            truth_c = [t.lse_c for t in truth]
            usual = float(np.mean(truth_c)) if usual is None else usual
            tables["takes"] += [row(f"{label}: LSE-C of the tracked truth", truth_c)]
        if clips[0].phones:
            tables["student"] += closures(label, clips, openings, closed)
            frozen = [np.full(len(o), o.mean()) for o in openings]
            tables["controls"] += closures(f"{label}, frozen", clips, frozen, closed)
        tables["student"] += silences(label, clips, openings)
        tables["student"] += surrounded(label, clips, models, style, template)
        level = usual if clips[0].opening is None else truth_c
        tables["takes"] += takes(label, clips, motions, models, template, level)
    return tables


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path("cache"))
    parser.add_argument("--weights", default=None)
    parser.add_argument("--style", default=None)
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    parser.add_argument("--json", type=Path, help="also write the tables here")
    parser.add_argument("--card", type=Path, help="model card to put the tables into")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    models = load_models(resolve(args.weights), torch.device("cpu"))
    styles = models.student.config.styles
    style = styles.index(args.style) if args.style else 0
    tables = evaluate(models, style, args.data, args.cache, args.split)
    text = "\n".join(
        table(f"{title.capitalize()} (style {styles[style]}, {args.split})", rows)
        for title, rows in tables.items()
    )
    print(text)
    if args.card:
        into_card(args.card, text)
    if args.json:
        args.json.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
