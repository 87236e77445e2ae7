"""Learn2Talk: speech in, a talking 3D head out, with a read-out of how well lips and voice agree.

Five names are the public surface; each is imported on first use, so that `import l2t` stays
light (no torch, gradio or pyvista).
"""

from importlib import import_module

__version__ = "0.3.0"  # the one place of it: pyproject.toml reads it here

_HOMES = {
    "TalkingFace": "l2t.talkingface",
    "Take": "l2t.talkingface",
    "Speech": "l2t.speech",
    "load_speech": "l2t.speech",
    "Motion": "l2t.motion",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'l2t' has no attribute {name!r}")
