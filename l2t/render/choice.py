"""Which painter is asked for: a setting read from the environment."""

import os

from l2t.errors import RenderError

VARIABLE = "L2T_RENDERER"
CHOICES = ("auto", "pyvista", "software")


def wanted() -> str:
    """What the environment asks for, one of `CHOICES`. Raises RenderError for anything else."""
    choice = os.environ.get(VARIABLE, "").strip().lower() or "auto"
    if choice not in CHOICES:
        raise RenderError(f"{VARIABLE} must be one of {', '.join(CHOICES)}, found {choice!r}.")
    return choice
