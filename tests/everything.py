"""Every file that a take can have, made in a process of its own, for `test_same_answer`.

    python tests/everything.py FOLDER RECORDING [THREADS]    # threads that torch is set to first
"""

import contextlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from l2t.avatar.camera import Orbit
from l2t.errors import RenderError
from l2t.jobs import Order
from l2t.manifest import sha256_of
from l2t.receipt import receipt_of
from l2t.render.renderer import Renderer
from l2t.results import make_files
from l2t.speech import load_speech
from l2t.talkingface import TalkingFace

SIZE = 256


def make_everything(folder: Path, recording: Path) -> dict:
    """Name -> sha256; the mesh is drawn in software, and by pyvista where there is GL."""
    folder.mkdir()
    facts = {}
    with TalkingFace.from_pretrained(device="cpu", renderer=Renderer(choice="software")) as face:
        takes = face.animate_each(load_speech(recording), (None,), head=1.0)
        order = Order(recording, size=SIZE, head=1.0, orbit=Orbit(20, 5))
        endings = {"film": "mp4", "motion": "npz", "csv": "csv", "glb": "glb", "sync": "json",
                   "ply": "ply", "splat": "splat"}  # fmt: skip
        files = {name: folder / f"take.{ending}" for name, ending in endings.items()}
        make_files(face, takes, order, files)
        face.render(takes, folder / "software.mp4", size=SIZE)
        receipt = receipt_of(order, takes, files, face.renderer, face.device)
        facts |= {f"receipt: {name}": json.dumps(receipt[name]) for name in ("settings", "results")}
        facts["samples"] = receipt["recording"]["samples_sha256"]
    with Renderer(choice="pyvista") as renderer, contextlib.suppress(RenderError):
        take, film = takes[0], folder / "pyvista.mp4"
        renderer.film(take.motion, take.speech, take.identity, size=SIZE, path=film)
    return facts | {path.name: sha256_of(path) for path in folder.iterdir()}


if __name__ == "__main__":
    if len(sys.argv) > 3:
        torch.set_num_threads(int(sys.argv[3]))
    print(json.dumps(make_everything(Path(sys.argv[1]), Path(sys.argv[2]))))
