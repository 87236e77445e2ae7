"""Validation of a student while it trains: does the mouth open and close as it should?"""


import numpy as np
import torch

from l2t.metrics import lip_opening
from training.data.packs import Example

MOST_EXAMPLES = 60  # of each source
MOST_FRAMES = 300


@torch.no_grad()
def validation_scores(model, sources, template) -> dict[str, float]:
    """Per source `r_CORPUS`: mean over clips of Pearson's r between the made and the true lip
    opening. `gap_CORPUS`: mean absolute error of the opening; `score`: minus the mean of those,
    each over the mean opening of its corpus; rig curves do not count, they are another's face."""
    model.eval()
    scores, relative = {}, []
    for source, examples in sources:
        rs, errors, sizes = [], [], []
        for example in examples[:: max(1, len(examples) // MOST_EXAMPLES)]:
            made, truth = openings(model, example, template)
            if truth.std() > 1e-4:
                rs.append(np.corrcoef(made, truth)[0, 1] if made.std() > 1e-7 else 0.0)
            errors.append(np.abs(made - truth).mean())
            sizes.append(truth.mean())
        scores[f"r_{source.corpus}"] = float(np.mean(rs))
        scores[f"gap_{source.corpus}"] = float(np.mean(errors))
        if source.kind != "rigged":
            relative.append(np.mean(errors) / max(np.mean(sizes), 1e-6))
    scores["score"] = -float(np.mean(relative)) if relative else 0.0
    return scores


def openings(model, example: Example, template) -> tuple[np.ndarray, np.ndarray]:
    """Made and true lip opening over the valid frames of an example."""
    frames = min(len(example.arkit), MOST_FRAMES)
    device = next(model.parameters()).device
    features = torch.from_numpy(example.features[: frames * 5 // 3 + 1].astype(np.float32))
    style = torch.tensor([example.style], device=device)
    made = model(features[None].to(device), frames, style)[0].cpu().numpy()
    valid = example.valid[:frames]
    return (
        lip_opening(template, made)[valid],
        lip_opening(template, example.arkit[:frames])[valid],
    )
