"""Head rotations of the tracked faces, for PoseVAE."""

from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import savgol_filter
from scipy.spatial.transform import Rotation

from l2t.motion import frame_count, frame_times
from training.data.clips import fill_gaps

SMOOTH = 9  # frames at 25 fps: the tracker trembles by a third of what the head moves


def angles_of(transforms: np.ndarray) -> np.ndarray:
    """(frames, 4, 4) head to camera -> (frames, 3) pitch, yaw, roll in radians.

    Axes and signs of `l2t.render.pose`: x right of the picture, y up, z to the viewer.
    """
    yaw, pitch, roll = Rotation.from_matrix(transforms[:, :3, :3]).as_euler("YXZ").T
    return np.unwrap(np.stack([pitch, yaw, roll], axis=1), axis=0)


def head_pose(path: Path) -> np.ndarray:
    """Smoothed rotation of one clip at 30 fps about its own mean, (frames, 3) radians."""
    with np.load(path, allow_pickle=False) as file:
        transforms, valid = file["head_transform"].astype(float), file["valid"].astype(bool)
        fps = float(file["fps"])
    if not valid.any():
        return np.zeros((frame_count(len(valid) / fps), 3))
    transforms[~valid] = np.eye(4)
    angles = savgol_filter(fill_gaps(angles_of(transforms), valid), SMOOTH, 2, axis=0)
    count = frame_count(len(angles) / fps)
    times = np.clip(frame_times(count), 0.5 / fps, (len(angles) - 0.5) / fps)
    out = CubicSpline(frame_times(len(angles), fps), angles)(times)
    return out - out.mean(axis=0)
