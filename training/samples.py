"""A page to look at while a student trains: its lip openings beside the truth, and its mouths."""

from pathlib import Path

import numpy as np
import torch

from l2t.softrender import MouthRenderer
from training.data.packs import Example
from training.validate import openings

CLIPS, MOUTHS, EVERY = 4, 12, 5  # clips a page, mouths a clip, frames from one to the next


def draw_samples(model, sources, template, path: Path) -> None:
    """Writes a PNG: for a few validation clips the curves, the true mouths and the made ones."""
    from matplotlib.figure import Figure

    model.eval()
    renderer = MouthRenderer(template, size=48)
    clips = [e for _, examples in sources for e in examples[:: max(1, len(examples) // 2)]][:CLIPS]
    figure = Figure(figsize=(9, 2.6 * len(clips)), layout="constrained")
    axes = figure.subplots(2 * len(clips), 1, squeeze=False)[:, 0]
    for example, curve, strip in zip(clips, axes[::2], axes[1::2], strict=True):
        with torch.no_grad():
            made, truth = openings(model, example, template)
        curve.plot(truth, color="0.6", label="truth")
        curve.plot(made, color="C0", label="made")
        curve.set_title(f"{example.name}: lip opening; below: truth, made", fontsize=7)
        curve.tick_params(labelsize=6)
        strip.imshow(_mouths(model, example, renderer), cmap="gray", vmin=0, vmax=1)
        strip.set_axis_off()
    axes[0].legend(fontsize=6)
    figure.savefig(path, dpi=90)


@torch.no_grad()
def _mouths(model, example: Example, renderer: MouthRenderer) -> np.ndarray:
    """Two rows of mouths, the truth's and the model's, (96, 48 * MOUTHS)."""
    frames = min(len(example.arkit), MOUTHS * EVERY)
    device = next(model.parameters()).device
    features = torch.from_numpy(example.features[: frames * 5 // 3 + 1].astype(np.float32))
    made = model(features[None].to(device), frames, torch.tensor([example.style], device=device))
    rows = [torch.from_numpy(example.arkit[:frames:EVERY]), made[0, ::EVERY].cpu()]
    return np.concatenate([np.concatenate(list(renderer(row).numpy()), axis=1) for row in rows])
