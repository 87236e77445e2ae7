"""Which painter draws: pyvista where GL works, the software rasteriser elsewhere."""

import logging

from l2t.errors import RenderError
from l2t.render import probe
from l2t.render.choice import wanted
from l2t.render.raster import SoftwarePainter

log = logging.getLogger(__name__)


def make_painter(template, choice: str | None = None):
    """A painter for the template's mesh, for use in this thread.

    choice: "auto", "pyvista" or "software"; None asks the environment. Without a working GL,
    pyvista would end the whole process, so it is tried in a child first (see `probe.py`).
    Raises RenderError when pyvista is insisted on and does not work.
    """
    choice = wanted() if choice is None else choice
    if choice == "software":
        return SoftwarePainter(template.faces)
    answer = probe.gl()
    if answer.works:
        return pyvista_painter(template)
    if choice == "pyvista":
        raise RenderError(f"pyvista cannot draw on this machine: {answer.reason}.")
    log.warning("pyvista cannot draw here (%s): the software rasteriser does", answer.reason)
    return SoftwarePainter(template.faces)


def pyvista_painter(template):
    """A `PyvistaPainter` for the template's mesh; only where GL is known to work."""
    from l2t.render.mesh import PyvistaPainter

    return PyvistaPainter(template.faces, len(template.neutral(template.identities[0])))
