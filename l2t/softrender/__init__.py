"""A differentiable renderer of the mouth: the face's triangles, softly splatted; pure torch."""

from l2t.softrender.pictures import mouth_pictures, resampled
from l2t.softrender.renderer import MouthRenderer

__all__ = ["MouthRenderer", "mouth_pictures", "resampled"]
