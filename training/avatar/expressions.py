"""Faces to learn from: speech as tracked from film, and what speech alone does not show."""

import numpy as np

from l2t.motion import ARKIT_NAMES

# Largest weight drawn for each kind of movement; the weights of a pair are drawn nearly alike.
RANGES = {
    "jawOpen": 0.65, "mouthClose": 0.10, "mouthFunnel": 0.7, "mouthPucker": 0.8,
    "mouthSmile": 0.8, "mouthFrown": 0.5, "mouthStretch": 0.4, "mouthDimple": 0.4,
    "mouthRollLower": 0.5, "mouthRollUpper": 0.5, "mouthShrugLower": 0.5, "mouthShrugUpper": 0.5,
    "mouthPress": 0.5, "mouthLowerDown": 0.7, "mouthUpperUp": 0.7, "mouthLeft": 0.35,
    "mouthRight": 0.35, "jawLeft": 0.3, "jawRight": 0.3, "jawForward": 0.3,
    "browDown": 0.7, "browInnerUp": 0.8, "browOuterUp": 0.7, "eyeBlink": 1.0, "eyeSquint": 0.6,
    "eyeWide": 0.5, "cheekPuff": 0.4, "cheekSquint": 0.6, "noseSneer": 0.5,
}  # fmt: skip
AT_ONCE = 5  # movements in a random face
GAZE = 0.6
VISEMES = ({"jawOpen": 0.55}, {"mouthPucker": 0.75, "jawOpen": 0.1},
           {"mouthFunnel": 0.7, "jawOpen": 0.3}, {"mouthPress": 0.4, "mouthRollLower": 0.25},
           {"mouthLowerDown": 0.6, "mouthUpperUp": 0.5, "jawOpen": 0.12},
           {"mouthSmile": 0.7, "jawOpen": 0.2}, {"eyeBlink": 1.0},
           {"jawOpen": 0.25, "tongueOut": 0.25})  # fmt: skip


def columns(name: str) -> list[int]:
    """Numbers of the ARKit weights of a movement: one, or those of both sides."""
    return [i for i, n in enumerate(ARKIT_NAMES)
            if n == name or n in (f"{name}Left", f"{name}Right")]


def random_face(random: np.random.Generator) -> np.ndarray:
    """(52,) a few movements at once."""
    face = np.zeros(len(ARKIT_NAMES), np.float32)
    for name in random.choice(list(RANGES), AT_ONCE, replace=False):
        height = RANGES[name] * random.beta(1.2, 1.6)
        for column in columns(name):
            face[column] = height * random.uniform(0.7, 1.0)
    return face


def gaze(face: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The face with both eyes turned somewhere."""
    across, up = random.uniform(-GAZE, GAZE, 2)
    turned = {"eyeLookOutLeft": across, "eyeLookInRight": across, "eyeLookInLeft": -across,
              "eyeLookOutRight": -across, "eyeLookUpLeft": up, "eyeLookUpRight": up,
              "eyeLookDownLeft": -up, "eyeLookDownRight": -up}  # fmt: skip
    face = face.copy()
    for name, weight in turned.items():
        face[ARKIT_NAMES.index(name)] = max(weight, 0)
    return face


def viseme(weights: dict[str, float]) -> np.ndarray:
    """(52,) of named movements."""
    face = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, weight in weights.items():
        face[columns(name)] = weight
    return face


def expressions(count: int, seed: int, tracked: np.ndarray | None = None) -> np.ndarray:
    """(count, 52): rest, sounds, random faces, and speech where tracked (n, 52) is given."""
    random = np.random.default_rng(seed)
    faces = [viseme({})] + [viseme(v) for v in VISEMES]
    while len(faces) < count:
        if tracked is not None and len(faces) % 2:
            face = np.clip(tracked[random.integers(len(tracked))], 0, 1).astype(np.float32)
            if random.random() < 0.3:
                face[columns("eyeBlink")] = random.uniform(0.3, 1)
        else:
            face = random_face(random)
        faces.append(gaze(face, random) if random.random() < 0.5 else face)
    return np.stack(faces[:count])


def open_mouths(count: int, seed: int) -> np.ndarray:
    """(count, 52): jaws far down, with a few other movements."""
    random = np.random.default_rng(seed)
    faces = np.zeros((count, len(ARKIT_NAMES)), np.float32)
    for face in faces:
        face[:] = random_face(random)
    faces *= random.uniform(0.2, 1.0, (count, 1)).astype(np.float32)
    faces[:, columns("mouthClose")] = 0
    faces[:, columns("jawOpen")] = random.uniform(0.2, 0.8, (count, 1))
    return faces
