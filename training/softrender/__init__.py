"""Where the mouth renderer was; it is `l2t.softrender` now."""

from l2t.softrender import MouthRenderer, mouth_pictures, resampled

__all__ = ["MouthRenderer", "mouth_pictures", "resampled"]
