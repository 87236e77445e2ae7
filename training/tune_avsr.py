"""Chooses how sure the recogniser may sound, on noisy validation clips.

    python -m training.tune_avsr --cache CACHE --weights assets/weights/avsr

Tries sharpnesses of the confidence on what is heard, and on sound and real lips together, in
CACHE/avsr (of training.avsr_data), and writes the best into the weights' JSON.  The words that are
found do not depend on it.
"""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from l2t.models.avsr import AVSR, avsr_from
from training.avsr_data import load_rows
from training.files import load_parts
from training.tune_lipreader import SHARPNESS, Clips, surprise

log = logging.getLogger(__name__)


@torch.inference_mode()
def heard_and_both(model: AVSR, cache: Path, every: int) -> Clips:
    """Log probabilities of every so many validation rows, by sound, and by sound and photos."""
    rows, packed = load_rows(cache / "avsr" / "validation")
    with np.load(cache / "avsr" / "seen.npz", allow_pickle=False) as file:
        photo = dict(zip(file["names"].tolist(), file["photo"], strict=True))
    found = []
    for (name, *_), features in list(zip(rows, packed, strict=True))[::every]:
        sound = torch.from_numpy(features[None].astype(np.float32))
        scores = model(sound, torch.from_numpy(photo[name][None]))
        found += [(name, one[0].numpy()) for one in scores]
    return found


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Chooses the sharpness of the confidence.")
    parser.add_argument("--cache", type=Path, required=True, help="folder with avsr/")
    parser.add_argument("--weights", type=Path, required=True, help="path without ending")
    parser.add_argument("--every", type=int, default=2, help="use one in so many rows")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = avsr_from(*load_parts(options.weights.parent, options.weights.name))
    clips, search = heard_and_both(model, options.cache, options.every), model.config.search
    lost = {s: surprise(clips, model.config, replace(search, sharpness=s)) for s in SHARPNESS}
    log.info(" ".join(f"{s}: {value:.3f}" for s, value in lost.items()))
    path = options.weights.with_suffix(".json")
    text = json.loads(path.read_text(encoding="utf-8"))
    text["search"]["sharpness"] = min(lost, key=lost.get)
    path.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
