"""Take the motion along: Live Link Face CSV for animators, npz for code, GLB for anything 3D.

Every file is written beside its place and moved there whole; what fails raises OutputError.
"""

import csv
from pathlib import Path

import numpy as np

from l2t.errors import FaceError, OutputError
from l2t.face import FaceTemplate
from l2t.motion import ARKIT_NAMES, FPS, Motion
from l2t.outputs import write_whole

# Live Link Face writes 52 shapes, then the head and both eyes; the count covers all of them.
LIVE_LINK_POSE = ("HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll",
                  "RightEyeYaw", "RightEyePitch", "RightEyeRoll")
LIVE_LINK_COLUMNS = tuple(n[0].upper() + n[1:] for n in ARKIT_NAMES) + LIVE_LINK_POSE


def write_arkit_csv(motion: Motion, path: Path) -> None:
    """The layout of Apple's Live Link Face at 30 fps, as Unreal and Blender add-ons read it.

    Time codes count from 00:00:00:00.000. Head angles are radians; gaze stands in the EyeLook
    columns, so the eyes' own angles are zero. Raises OutputError.
    """
    motion = motion if motion.fps == FPS else motion.resampled(FPS)

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="ascii") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("Timecode", "BlendShapeCount", *LIVE_LINK_COLUMNS))
            for frame, (weights, pose) in enumerate(zip(motion.arkit, motion.head, strict=True)):
                pitch, yaw, roll = pose
                values = (*weights, yaw, pitch, roll, *np.zeros(6))
                rows.writerow((timecode(frame), len(LIVE_LINK_COLUMNS),
                               *(f"{value:.6f}" for value in values)))

    write_whole(Path(path), write)


def timecode(frame: int, fps: int = int(FPS)) -> str:
    """"HH:MM:SS:FF.000" of a frame number."""
    seconds, rest = divmod(frame, fps)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}:{rest:02d}.000"


def write_npz(motion: Motion, path: Path) -> None:
    """arkit (frames, 52) float32, names (52,), fps, head (frames, 3) radians. OutputError.

    Not compressed: every build of zlib would give other bytes.
    """

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez(file, arkit=motion.arkit, names=np.array(ARKIT_NAMES),
                     fps=np.float32(motion.fps), head=motion.head)

    write_whole(Path(path), write)


def write_glb(motion: Motion, path: Path, template: FaceTemplate | None = None,
              identity: str | None = None) -> None:
    """The head with 52 named morph targets and the animation, glTF 2.0 binary.

    Raises FaceError (unknown identity), OutputError.
    """
    from l2t.glb import glb_bytes

    content = glb_bytes(motion, template or FaceTemplate.load(), identity)
    write_whole(Path(path), lambda part: part.write_bytes(content))


MESH_SUFFIXES = (".obj", ".ply", ".glb", ".stl", ".off")


def write_mesh(path: Path, template: FaceTemplate, arkit: np.ndarray,
               identity: str | None = None) -> None:
    """One frame, weights (52,), as a coloured mesh by trimesh. Raises FaceError, OutputError."""
    import trimesh

    path = Path(path)
    kind = path.suffix.lower()
    if kind not in MESH_SUFFIXES:
        raise OutputError(f"A mesh cannot be written as {path.name!r}; the endings "
                          f"{', '.join(MESH_SUFFIXES)} are accepted.")
    mesh = trimesh.Trimesh(template.vertices(np.asarray(arkit)[None], identity)[0],
                           template.faces, process=False,
                           vertex_colors=template.colors_of(identity or template.identities[0]))
    write_whole(path, lambda part: mesh.export(part, file_type=kind[1:]))


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) float32 and triangles (F, 3) int32 of any mesh trimesh reads. FaceError."""
    import trimesh

    path = Path(path)
    try:
        mesh = trimesh.load_mesh(path, process=False)
        if hasattr(mesh, "to_mesh"):
            mesh = mesh.to_mesh()
        vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ImportError,
            NotImplementedError) as error:
        raise FaceError(f"The mesh {path.name!r} cannot be read; obj, ply, glb, stl and off files "
                        "are accepted.") from error
    if not len(vertices) or not len(faces) or not np.isfinite(vertices).all():
        raise FaceError(f"The mesh {path.name!r} has no triangles or a vertex that is not finite.")
    return vertices.astype(np.float32), faces.astype(np.int32)
