"""The pyvista painter: one off-screen plotter, drawn again and again with new points and colours.

What costs time and is left out: MSAA (three times the price of drawing a finer grid once), a
plotter a frame, VTK's own lighting (colours come shaded, see `shade.py`), hidden back faces.
"""

import threading

import numpy as np
import pyvista as pv
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLogger, vtkUnsignedCharArray

from l2t.render.scene import Shot


class PyvistaPainter:
    """Owns one `pyvista.Plotter`. To be used by the thread that made it, and by no other:
    elsewhere the GL context is missing and VTK returns black pictures without a word.
    """

    def __init__(self, faces: np.ndarray, vertices: int):
        """faces: (F, 3) int32 triangles shared by every frame; vertices: how many points."""
        # Without a display VTK warns about it and goes on to EGL, which is what is wanted.
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)
        self._thread = threading.get_ident()
        cells = np.hstack([np.full((len(faces), 1), 3), faces]).ravel()
        self._mesh = pv.PolyData(np.zeros((vertices, 3), np.float32), cells)
        self._mesh.point_data["color"] = np.full((vertices, 3), 255, np.uint8)
        self._plotter = pv.Plotter(off_screen=True, window_size=(64, 64), lighting="none")
        self._plotter.disable_anti_aliasing()
        self._window = self._plotter.render_window
        self._window.SetMultiSamples(0)
        self._window.SetAlphaBitPlanes(1)
        self._plotter.set_background("black")
        self._plotter.renderer.SetBackgroundAlpha(0.0)
        self._plotter.add_mesh(
            self._mesh,
            scalars="color",
            rgb=True,
            lighting=False,
            culling="back",
            copy_mesh=False,
            show_scalar_bar=False,
            reset_camera=False,
        )
        self._pixels = vtkUnsignedCharArray()
        self._window.Render()
        self.info = f"pyvista ({gl_name(self._window)})"

    def aim(self, shot: Shot, pixels: int) -> None:
        """Takes the camera for the next frames and the side of the sample grid."""
        self._check_thread()
        self._side = pixels
        self._plotter.window_size = (pixels, pixels)
        camera = self._plotter.camera
        camera.up = tuple(shot.up)
        camera.position, camera.focal_point = tuple(shot.eye), tuple(shot.target)
        camera.view_angle = shot.angle
        distance = float(np.linalg.norm(shot.eye - shot.target))
        camera.clipping_range = (0.3 * distance, 2.0 * distance)

    def paint(self, points: np.ndarray, colors: np.ndarray) -> np.ndarray:
        """(V, 3) metres and (V, 4) uint8 -> (pixels, pixels, 4) uint8, alpha 0 = background.

        Row 0 is on top (a view with negative strides: nothing is copied).
        """
        self._check_thread()
        self._mesh.points[:] = points
        self._mesh.GetPoints().Modified()
        self._mesh.point_data["color"][:] = colors[:, :3]
        self._mesh.GetPointData().GetScalars().Modified()
        self._window.Render()
        last = self._side - 1
        self._window.GetRGBACharPixelData(0, 0, last, last, 0, self._pixels)
        return vtk_to_numpy(self._pixels).reshape(self._side, self._side, 4)[::-1]

    def close(self) -> None:
        """Hands the plotter and its GL context back."""
        self._plotter.close()

    def _check_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise RuntimeError("a PyvistaPainter belongs to the thread that made it")


def gl_name(window) -> str:
    """What draws, in words, such as "EGL, llvmpipe, LLVM 15.0.6, 256 bits, Mesa 22.3.6".

    Window's kind, GL renderer and its driver: another of these may draw other pixels, so receipts
    name them all.
    """
    kind = type(window).__name__.removeprefix("vtk").removesuffix("RenderWindow")
    return ", ".join([kind, *gl_facts(window.ReportCapabilities())])


def gl_facts(capabilities: str) -> list[str]:
    """The renderer, what it says of itself in brackets, and the driver with its version."""
    said = dict(line.split(":", 1) for line in capabilities.splitlines() if ":" in line)
    renderer = said.get("OpenGL renderer string", "").replace("(", ",").replace(")", "")
    driver = " ".join(said.get("OpenGL version string", "").split()[-2:])
    return [part.strip() for part in [*renderer.split(","), driver] if part.strip()]
