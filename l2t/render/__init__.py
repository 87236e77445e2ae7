"""Pictures of a talking head: scene, painters, films, and the process that makes them.

Importing this package is light; pyvista, numba and moviepy come with the first use.
"""

from importlib import import_module

_HOMES = {
    "VIEWS": "l2t.render.scene",
    "SIZE_MIN": "l2t.render.scene",
    "SIZE_MAX": "l2t.render.scene",
    "SIZE_DEFAULT": "l2t.render.scene",
    "Renderer": "l2t.render.renderer",
    "Studio": "l2t.render.studio",
    "render_frames": "l2t.render.studio",
    "write_film": "l2t.render.film",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'l2t.render' has no attribute {name!r}")
