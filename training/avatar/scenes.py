"""Draws the pictures the default avatar learns from, as a folder like a user's own.

    python -m training.avatar.scenes --out SCENE [--cache CACHE] [--size 384]

CACHE/targets/grid_s1.npz (of training.data.targets) lends tracked speech; without it the faces
are random ones and sounds. Views and faces of the splits train, val (for choices) and test (for
figures) are apart. Of the hair it also writes where it runs, strands.npz: see
`training.avatar.dataset`.
"""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
from PIL import Image

from l2t.avatar.camera import Camera, Orbit
from l2t.face import FaceTemplate
from training.avatar.expressions import expressions, open_mouths
from training.avatar.head import DetailedHead

log = logging.getLogger(__name__)
TRAIN_FACES, TEST_FACES = 48, 8
TRAIN_VIEWS, TEST_VIEWS = 32, 12  # places of cameras
MORE_FACES, MORE_VIEWS, VAL_FACES, VAL_VIEWS = 48, 64, 6, 12
OPEN_FACES, OPEN_VIEWS = 20, 30  # mouths wide open, of which speech shows the inside too seldom
SIZE = 384  # pixels
A_FACE = {"train": 3, "test": 4, "more": 4, "val": 4, "open": 3}  # pictures of each face
KNOWN = 9  # faces at the head of `expressions` that are always the same


def orbits(count: int, random: np.random.Generator, wide_each: int = 4) -> list[Orbit]:
    """One of so many sideways or behind, the rest in front; some near."""
    found = []
    for i in range(count):
        wide = i % wide_each == wide_each - 1
        azimuth = random.uniform(75, 285) if wide else random.uniform(-75, 75)
        zoom = 1.0 if wide or i % 4 == 0 else random.uniform(1.0, 2.0)
        found.append(Orbit(float(azimuth), float(random.uniform(-18, 30)), float(zoom)))
    return found


def frame_of(camera: Camera, name: str, face: int, place: int) -> dict:
    """One entry of transforms_*.json."""
    matrix = np.eye(4)
    matrix[:3, :3] = camera.turn.T * (1, -1, -1)
    matrix[:3, 3] = camera.eye
    return {"file_path": name, "timestep_index": face, "camera_index": place,
            "w": camera.width, "h": camera.height, "fl_x": float(camera.focal[0]),
            "fl_y": float(camera.focal[1]), "cx": float(camera.centre[0]),
            "cy": float(camera.centre[1]), "transform_matrix": matrix.tolist()}  # fmt: skip


def plan(seed: int, open_faces: int = OPEN_FACES) -> list[tuple[str, int, Orbit, int]]:
    """(split, number of the face, orbit, number of the camera) of every picture."""
    # Draws of numbers of their own, so that more pictures to learn from leave the test as it was.
    first, second, third = (np.random.default_rng(s) for s in (seed, [seed, 1], [seed, 2]))
    places = {"train": orbits(TRAIN_VIEWS, first), "test": orbits(TEST_VIEWS, first),
              "more": orbits(MORE_VIEWS, second, 3), "val": orbits(VAL_VIEWS, second),
              "open": orbits(OPEN_VIEWS, third, OPEN_VIEWS + 1)}
    counts = {"train": TRAIN_FACES, "test": TEST_FACES, "more": MORE_FACES, "val": VAL_FACES,
              "open": open_faces}
    draws = {"train": first, "test": first, "more": second, "val": second, "open": third}
    pictures, face, offset = [], 0, 0
    for split, faces in counts.items():
        for _ in range(faces):
            for place in draws[split].choice(len(places[split]), A_FACE[split], replace=False):
                name = "train" if split in ("more", "open") else split
                pictures.append((name, face, places[split][place], offset + int(place)))
            face += 1
        offset += len(places[split])
    return pictures


def all_faces(seed: int, tracked: np.ndarray | None, open_faces: int = OPEN_FACES) -> np.ndarray:
    """(faces, 52) in the order of `plan`."""
    later = expressions(MORE_FACES + VAL_FACES + KNOWN, seed + 2, tracked)[KNOWN:]
    return np.concatenate([expressions(TRAIN_FACES, seed, tracked),
                           expressions(TEST_FACES + 4, seed + 1, tracked)[4:], later,
                           open_mouths(open_faces, seed + 3)])


def draw_scene(out: Path, size: int, tracked: np.ndarray | None, seed: int = 1,
               open_faces: int = OPEN_FACES) -> None:
    """Writes transforms_*.json, motion.npz, strands.npz and images/ to `out`."""
    template = FaceTemplate.load()
    head = DetailedHead(template)
    faces = all_faces(seed, tracked, open_faces)
    (out / "images").mkdir(parents=True, exist_ok=True)
    np.savez(out / "motion.npz", arkit=faces)
    np.savez(out / "strands.npz", lines=head.strands.lines_at(template.neutral(head.identity),
             template.faces), radius=head.strands.radius, triangle=head.strands.triangle)
    frames: dict[str, list[dict]] = {"train": [], "val": [], "test": []}
    for number, (split, face, orbit, place) in enumerate(plan(seed, open_faces)):
        camera = orbit.camera(template.neutral(head.identity), size)
        colour, cover = head.picture(template.vertices(faces[face][None], head.identity)[0], camera)
        name = f"images/{split}_{number:04d}.png"
        straight = colour / np.maximum(cover, 1 / 255)[..., None]
        pixels = np.concatenate([straight, cover[..., None]], axis=2)
        Image.fromarray(np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)).save(out / name)
        frames[split].append(frame_of(camera, name, face, place))
        if number % 20 == 19:
            log.info("%d pictures", number + 1)
    for split, entries in frames.items():
        text = json.dumps({"frames": entries}, indent=1)
        (out / f"transforms_{split}.json").write_text(text + "\n", encoding="utf-8")


def tracked_speech(cache: Path | None) -> np.ndarray | None:
    """(n, 52) frames of speech in which the tracker was sure, or None without a cache."""
    path = cache and cache / "targets" / "grid_s1.npz"
    if path is None or not path.is_file():
        log.info("no tracked speech: the faces are random ones and sounds")
        return None
    with np.load(path, allow_pickle=False) as data:
        return data["arkit"][data["valid"].astype(bool)][::37]


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Draws the default avatar's pictures.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="folder with targets/")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--open", type=int, default=OPEN_FACES, help="faces with wide open mouths")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    draw_scene(options.out, options.size, tracked_speech(options.cache), options.seed,
               options.open)


if __name__ == "__main__":
    main()
