"""A glTF 2.0 binary with morph targets: JSON and one buffer, packed with struct.

Written by hand because trimesh writes no morph targets. Layout after the Khronos glTF 2.0
specification: 12-byte header, a JSON chunk, a BIN chunk, each padded to four bytes. Targets are
sparse accessors: most shapes move a small part of the head.
"""

import json
import struct

import numpy as np

from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES, Motion, frame_times

FLOAT, UINT32, UINT16 = 5126, 5125, 5123
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
STILL = 1e-6  # metres: a displacement below this is left out of a target


class _Buffer:
    """Collects arrays as buffer views, four-byte aligned, and the accessors upon them."""

    def __init__(self):
        self.blob = bytearray()
        self.views: list[dict] = []
        self.accessors: list[dict] = []

    def view(self, array: np.ndarray, target: int | None = None) -> int:
        """Append `array`; returns the number of its buffer view."""
        self.blob += b"\0" * (-len(self.blob) % 4)
        view = {"buffer": 0, "byteOffset": len(self.blob), "byteLength": array.nbytes}
        self.views.append(view | ({"target": target} if target else {}))
        self.blob += np.ascontiguousarray(array).tobytes()
        return len(self.views) - 1

    def add(self, array: np.ndarray, component: int, kind: str, **more) -> int:
        """Append `array` with an accessor; returns the accessor's number."""
        accessor = {"bufferView": self.view(array, more.pop("target", None)),
                    "componentType": component, "count": len(array), "type": kind}
        if component == FLOAT and more.pop("bounds", True):
            accessor |= _bounds(array)
        self.accessors.append(accessor | more)
        return len(self.accessors) - 1

    def add_sparse(self, dense: np.ndarray) -> int:
        """Append (n, 3) float32 that is zero nearly everywhere; returns the accessor's number."""
        moving = np.flatnonzero((np.abs(dense) > STILL).any(axis=1))
        kept = np.zeros_like(dense)
        kept[moving] = dense[moving]
        accessor = {"componentType": FLOAT, "count": len(dense), "type": "VEC3"} | _bounds(kept)
        if len(moving):
            accessor["sparse"] = {
                "count": len(moving),
                "indices": {"bufferView": self.view(moving.astype("<u4")), "componentType": UINT32},
                "values": {"bufferView": self.view(dense[moving].astype("<f4"))},
            }
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _bounds(array: np.ndarray) -> dict:
    flat = array.reshape(len(array), -1)
    return {"min": flat.min(axis=0).tolist(), "max": flat.max(axis=0).tolist()}


def glb_bytes(motion: Motion, template: FaceTemplate, identity: str | None = None) -> bytes:
    """The whole file. Raises FaceError for an unknown identity."""
    buffer = _Buffer()
    name = identity or template.identities[0]
    mesh = _mesh(buffer, template, name)
    animation = _animation(buffer, motion)
    document = {
        "asset": {"version": "2.0", "generator": "Learn2Talk",
                  "copyright": "Head CC0 1.0, see assets/face/LICENSE.md"},
        "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0, "name": name}],
        "meshes": [mesh], "animations": [animation],
        "materials": [{"name": "painted", "pbrMetallicRoughness": {"metallicFactor": 0.0,
                                                                   "roughnessFactor": 0.6}}],
        "bufferViews": buffer.views, "accessors": buffer.accessors,
        "buffers": [{"byteLength": len(buffer.blob)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    blob = bytes(buffer.blob) + b"\0" * (-len(buffer.blob) % 4)
    length = 12 + 8 + len(text) + 8 + len(blob)
    return (struct.pack("<4sII", b"glTF", 2, length)
            + struct.pack("<I4s", len(text), b"JSON") + text
            + struct.pack("<I4s", len(blob), b"BIN\0") + blob)


def _mesh(buffer: _Buffer, template: FaceTemplate, identity: str) -> dict:
    neutral = template.neutral(identity)
    attributes = {
        "POSITION": buffer.add(neutral.astype("<f4"), FLOAT, "VEC3", target=ARRAY_BUFFER),
        "COLOR_0": buffer.add(_linear(template.colors_of(identity)), UINT16, "VEC4",
                              normalized=True, target=ARRAY_BUFFER),
    }
    faces = buffer.add(template.faces.ravel().astype("<u4"), UINT32, "SCALAR",
                       target=ELEMENT_ARRAY_BUFFER)
    targets = [{"POSITION": buffer.add_sparse(shape)} for shape in template.basis()]
    return {"name": "head", "weights": [0.0] * len(targets),
            "extras": {"targetNames": list(ARKIT_NAMES)},
            "primitives": [{"attributes": attributes, "indices": faces, "targets": targets,
                            "material": 0, "mode": 4}]}


def _linear(colors: np.ndarray) -> np.ndarray:
    """sRGB (V, 3) uint8 as linear RGBA (V, 4) uint16, which is what COLOR_0 holds."""
    srgb = colors / 255.0
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.round(np.c_[light, np.ones(len(light))] * 65535).astype("<u2")


def _animation(buffer: _Buffer, motion: Motion) -> dict:
    times = buffer.add(frame_times(len(motion), motion.fps).astype("<f4"), FLOAT, "SCALAR")
    weights = buffer.add(motion.arkit.ravel().astype("<f4"), FLOAT, "SCALAR", bounds=False)
    turns = buffer.add(quaternions(motion.head).astype("<f4"), FLOAT, "VEC4", bounds=False)
    samplers = [{"input": times, "output": out, "interpolation": "LINEAR"}
                for out in (weights, turns)]
    return {"name": "speech", "samplers": samplers,
            "channels": [{"sampler": 0, "target": {"node": 0, "path": "weights"}},
                         {"sampler": 1, "target": {"node": 0, "path": "rotation"}}]}


def quaternions(head: np.ndarray) -> np.ndarray:
    """(frames, 4) x, y, z, w of rotations (frames, 3) pitch, yaw, roll: roll, then pitch, then yaw.

    q = q_yaw(y) * q_pitch(x) * q_roll(z), as l2t.render.pose turns the head.
    """
    (sx, sy, sz), (cx, cy, cz) = np.sin(head.T / 2), np.cos(head.T / 2)
    return np.stack([cy * sx * cz + sy * cx * sz,
                     sy * cx * cz - cy * sx * sz,
                     cy * cx * sz - sy * sx * cz,
                     cy * cx * cz + sy * sx * sz], axis=1)
