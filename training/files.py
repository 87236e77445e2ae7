"""Reads and writes a model's pair of files: NAME.json (its configuration) and NAME.safetensors."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def save_module(module: nn.Module, folder: Path, role: str, half: bool = True) -> None:
    """Writes `role`.json from `module.config` and `role`.safetensors; floats in half precision."""
    folder.mkdir(parents=True, exist_ok=True)

    def packed(tensor: Tensor) -> Tensor:
        tensor = tensor.detach().cpu().contiguous()
        return tensor.half() if half and tensor.is_floating_point() else tensor

    tensors = {name: packed(tensor) for name, tensor in module.state_dict().items()}
    save_file(tensors, folder / f"{role}.safetensors")
    text = json.dumps(asdict(module.config), indent=1)
    (folder / f"{role}.json").write_text(text + "\n", encoding="utf-8")


def load_parts(folder: Path, role: str) -> tuple[dict, dict[str, Tensor]]:
    """(configuration, float32 tensors) of a folder that need not hold a manifest yet."""
    config = json.loads((folder / f"{role}.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / f"{role}.safetensors")
    floats = {k: v.to(torch.float32) if v.is_floating_point() else v for k, v in tensors.items()}
    return config, floats
