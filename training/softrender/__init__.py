"""A differentiable renderer of the mouth: the face's triangles, softly splatted; pure torch."""

from training.softrender.pictures import mouth_pictures, resampled
from training.softrender.renderer import MouthRenderer

__all__ = ["MouthRenderer", "mouth_pictures", "resampled"]
