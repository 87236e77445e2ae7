"""Checkpoints that let a run go on as if it had never stopped; plain tensors and numbers only."""

from pathlib import Path

import numpy as np
import torch

# What may differ between the run that wrote a checkpoint and the one that goes on from it.
FREE = {"stop"}


def write_checkpoint(path: Path, parts: dict, rng: np.random.Generator, extra: dict) -> None:
    """State of every part (anything with state_dict), of the random generators, and `extra`."""
    state = {
        "parts": {name: part.state_dict() for name, part in parts.items()},
        "torch": torch.get_rng_state(),
        "numpy": rng.bit_generator.state,
        "extra": extra,
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)  # a machine that stops meanwhile leaves the older checkpoint


def read_checkpoint(path: Path, parts: dict, rng: np.random.Generator, config: dict) -> dict:
    """Puts everything back and returns `extra`.

    Raises ValueError when the checkpoint belongs to other settings.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    then = state["extra"]["config"]
    changed = sorted(k for k in config if k not in FREE and then.get(k) != config[k])
    if changed:
        raise ValueError(f"{path.name} was written with other settings: {', '.join(changed)}.")
    for name, part in parts.items():
        part.load_state_dict(state["parts"][name])
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
    rng.bit_generator.state = state["numpy"]
    return state["extra"]
