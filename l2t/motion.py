"""Motion: what the face does, as ARKit weights on a regular time grid."""

from dataclasses import dataclass, field

import numpy as np

FPS = 30.0  # frames a second of every Motion the project makes

# The 52 ARKit blend shapes in the order of Live Link Face's CSV.
ARKIT_NAMES: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip


def frame_count(seconds: float, fps: float = FPS) -> int:
    """Number of frames that cover `seconds` of sound (at least one)."""
    return max(1, int(np.ceil(seconds * fps - 1e-6)))


def frame_times(frames: int, fps: float = FPS) -> np.ndarray:
    """Middle of each frame in seconds, (frames,): frame i belongs to audio time (i + 0.5) / fps."""
    return (np.arange(frames) + 0.5) / fps


@dataclass(frozen=True)
class Motion:
    """ARKit weights at a fixed frame rate.

    arkit: (frames, 52) float32 in 0..1, columns in the order of `ARKIT_NAMES`.
    head:  (frames, 3) float32 rotation of the head in radians (pitch, yaw, roll); zeros = still.
    fps:   frames a second.
    """

    arkit: np.ndarray
    fps: float = FPS
    head: np.ndarray = field(default=None)  # type: ignore[assignment]

    def __post_init__(self):
        arkit = np.ascontiguousarray(self.arkit, dtype=np.float32)
        if arkit.ndim != 2 or arkit.shape[1] != len(ARKIT_NAMES):
            raise ValueError(f"arkit must be (frames, {len(ARKIT_NAMES)}), got {arkit.shape}")
        if not np.isfinite(arkit).all():
            raise ValueError("arkit weights must be finite")
        head = np.zeros((len(arkit), 3), np.float32) if self.head is None else self.head
        head = np.ascontiguousarray(head, dtype=np.float32)
        if head.shape != (len(arkit), 3):
            raise ValueError(f"head must be ({len(arkit)}, 3), got {head.shape}")
        object.__setattr__(self, "arkit", arkit)
        object.__setattr__(self, "head", head)

    def __len__(self) -> int:
        return len(self.arkit)

    @property
    def seconds(self) -> float:
        return len(self.arkit) / self.fps

    def curve(self, name: str) -> np.ndarray:
        """One weight over time, (frames,)."""
        return self.arkit[:, ARKIT_NAMES.index(name)]

    def resampled(self, fps: float) -> "Motion":
        """The same motion at another frame rate, by time stamps and linear interpolation."""
        count = frame_count(self.seconds, fps)
        times, own = frame_times(count, fps), frame_times(len(self), self.fps)

        def at(columns: np.ndarray) -> np.ndarray:
            return np.stack([np.interp(times, own, c) for c in columns.T], axis=1)

        return Motion(at(self.arkit), fps, at(self.head))
