"""Cutting triangles into pieces, each small enough to be drawn as one point in its middle."""

import numpy as np


def cut(corners: np.ndarray, longest: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Halve every piece at its longest side until no side is longer than its face's `longest` (F,).

    corners: (poses, F, 3, 2) places of the triangles' corners; a side is as long as in the pose
    where it is longest.
    Returns the face of each piece (N,), where its middle lies as shares of the face's corners
    (N, 3), and its share of the face's area (N,), sorted by face.
    """
    count = corners.shape[1]
    face, piece, share = np.arange(count), np.tile(np.eye(3), (count, 1, 1)), np.ones(count)
    done: list[tuple] = []
    while len(face):
        places = np.einsum("nks,pnsd->pnkd", piece, corners[:, face])
        sides = np.linalg.norm(places - np.roll(places, -1, axis=2), axis=3).max(axis=0)
        long = sides.max(axis=1) > longest[face]
        done.append((face[~long], piece[~long].mean(axis=1), share[~long]))
        face, share = np.repeat(face[long], 2), np.repeat(share[long] / 2, 2)
        piece = _halves(piece[long], sides[long].argmax(axis=1))
    face, middle, share = (np.concatenate(column) for column in zip(*done, strict=True))
    order = np.argsort(face, kind="stable")
    return face[order], middle[order], share[order]


def _halves(piece: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(2n, 3, 3): both halves of each piece (n, 3, 3), cut in the middle of the side `side`."""
    rows = np.arange(len(piece))
    a, b, c = (piece[rows, (side + k) % 3] for k in range(3))
    middle = (a + b) / 2
    halves = np.stack([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)], axis=1)
    return halves.reshape(-1, 3, 3)
