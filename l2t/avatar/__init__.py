"""The talking Gaussian head. Light to import: numba comes with the first picture."""

from importlib import import_module

_HOMES = {
    "Avatar": "l2t.avatar.avatar",
    "Camera": "l2t.avatar.camera",
    "Orbit": "l2t.avatar.camera",
    "write_avatar_film": "l2t.avatar.film",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'l2t.avatar' has no attribute {name!r}")
