"""How fast a film is made: python tests/benchmarks/bench_render.py [--seconds 10] [--size 512].

The same motion is drawn and encoded in four ways, one after the other, each in a process of its
own: by Learn2Talk (pyvista, software), by one pyvista plotter with its defaults (MSAA, VTK's
lights, `screenshot`), and by a new plotter for each frame (a part of the frames, scaled up).
CPU seconds, the encoder's included, tell more than the clock on a machine that others use.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from l2t.face import FaceTemplate  # noqa: E402
from l2t.motion import ARKIT_NAMES, FPS, Motion, frame_times  # noqa: E402
from l2t.render.film import write_film  # noqa: E402
from l2t.render.painters import make_painter  # noqa: E402
from l2t.render.scene import Shot, frame_shot  # noqa: E402
from l2t.render.studio import Studio  # noqa: E402

CASES = ("learn2talk pyvista", "learn2talk software", "pyvista defaults", "plotter per frame")
SLOW_SHARE = 10  # the plotter per frame draws one frame in ten


def babble(seconds: float) -> Motion:
    """A jaw that opens about four times a second under a slowly swaying head."""
    time_ = frame_times(round(seconds * FPS))
    arkit = np.zeros((len(time_), 52), np.float32)
    arkit[:, ARKIT_NAMES.index("jawOpen")] = 0.2 - 0.2 * np.cos(2 * np.pi * 4 * time_)
    arkit[:, ARKIT_NAMES.index("mouthPucker")] = 0.2 + 0.2 * np.sin(2 * np.pi * 1.7 * time_)
    arkit[:, ARKIT_NAMES.index("browInnerUp")] = 0.2 + 0.2 * np.sin(2 * np.pi * 0.5 * time_)
    sway = [np.sin(2 * np.pi * f * time_) for f in (0.31, 0.23, 0.17)]
    return Motion(arkit, head=0.05 * np.stack(sway, axis=1))


def ours(face: FaceTemplate, painter: str):
    """Learn2Talk's own frames: a function of (motion, size), kept warm between films."""
    studio = Studio(face, make_painter(face, painter))
    return lambda motion, size: studio.frames(motion, face.identities[0], "front", size)


def default_plotter(face: FaceTemplate, size: int, shot: Shot):
    """A pyvista plotter as its documentation makes one, and its mesh."""
    import pyvista as pv

    cells = np.hstack([np.full((len(face.faces), 1), 3), face.faces]).ravel()
    mesh = pv.PolyData(face.neutral(face.identities[0]).copy(), cells)
    mesh.point_data["color"] = face.colors_of(face.identities[0])
    plotter = pv.Plotter(off_screen=True, window_size=(size, size))
    actor = plotter.add_mesh(mesh, scalars="color", rgb=True, smooth_shading=True)
    plotter.camera.position, plotter.camera.focal_point = tuple(shot.eye), tuple(shot.target)
    plotter.camera.up, plotter.camera.view_angle = (0, 1, 0), shot.angle
    return plotter, actor.mapper.dataset


def defaults(face: FaceTemplate, fresh: bool):
    """Frames of plain pyvista: one plotter, or a `fresh` one for each frame."""

    def frames(motion: Motion, size: int) -> Iterator[np.ndarray]:
        shot = frame_shot(face.neutral(face.identities[0]), "front", size)
        plotter, mesh = default_plotter(face, size, shot)
        for weights in motion.arkit:
            if fresh:
                plotter.close()
                plotter, mesh = default_plotter(face, size, shot)
            mesh.points = face.vertices(weights[None], face.identities[0])[0]
            mesh.compute_normals(cell_normals=False, split_vertices=False, inplace=True,
                                 consistent_normals=False, auto_orient_normals=False)
            plotter.render()
            yield np.ascontiguousarray(plotter.screenshot(return_img=True)[:, :, :3])
        plotter.close()

    return frames


def measure(case: str, seconds: float, size: int) -> dict:
    """Wall and CPU seconds of the second film that this process makes."""
    face = FaceTemplate.load()
    make = ours(face, case.split()[1]) if case in CASES[:2] else defaults(face, case == CASES[3])
    share = SLOW_SHARE if case == CASES[3] else 1
    film(make, 0.5, size)
    wall, cpu = time.perf_counter(), sum(os.times()[:4])
    film(make, seconds / share, size)
    wall, cpu = time.perf_counter() - wall, sum(os.times()[:4]) - cpu
    return {"wall": wall * share, "cpu": cpu * share}


def film(make, seconds: float, size: int) -> None:
    """Draws and encodes one film and throws it away."""
    motion = babble(seconds)
    noise = np.random.default_rng(0).normal(0, 0.05, round(seconds * 16000)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        write_film(Path(folder) / "film.mp4", make(motion, size), FPS,
                   SimpleNamespace(samples=noise), len(motion))


def main() -> None:
    """Prints a table of the four ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--case", choices=CASES, help="measure one way and print JSON")
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(options.case, options.seconds, options.size)))
        return
    print(f"{options.seconds:g} s of speech to a finished {options.size} px mp4, warm, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':22}{'seconds':>9}{'frames/s':>10}{'CPU s':>8}{'ratio':>7}{'CPU ratio':>11}")
    first = None
    for case in CASES:
        words = [f"--{k}={v}" for k, v in (("seconds", options.seconds), ("size", options.size))]
        done = subprocess.run([sys.executable, __file__, "--case", case, *words],
                              capture_output=True, text=True, check=True, timeout=1800)
        row = json.loads(done.stdout.splitlines()[-1])
        first = first or row
        print(f"{case:22}{row['wall']:9.1f}{options.seconds * FPS / row['wall']:10.1f}"
              f"{row['cpu']:8.1f}{row['wall'] / first['wall']:7.1f}"
              f"{row['cpu'] / first['cpu']:11.1f}", flush=True)


if __name__ == "__main__":
    main()
