"""How much a head moves while it speaks, and which of the many ways that fit the voice."""

from dataclasses import dataclass

from l2t.errors import FaceError
from l2t.values import is_whole, is_within, shown

STRONGEST = 3.0
USUAL = 1.0  # where somebody may turn it off by a control
SEEDS = 2**32  # seeds are below it
# The man that the movement was learnt from read single sentences at a screen and turned his head
# by half a degree; a strength of 1 is this many times as far, as people do who talk to somebody.
NATURAL = 2.0


@dataclass(frozen=True)
class Movement:
    """strength: 0 = still, 1 = looks natural, up to `STRONGEST`; seed: None = the recording's own.

    Raises FaceError for values out of range.
    """

    strength: float = 0.0
    seed: int | None = None

    def __post_init__(self):
        if not is_within(self.strength, 0, STRONGEST):
            raise FaceError(
                f"The head movement must be from 0 to {STRONGEST:g}, found {shown(self.strength)}."
            )
        if self.seed is not None and not is_whole(self.seed, 0, SEEDS - 1):
            raise FaceError(
                f"The seed must be a whole number from 0 to {SEEDS - 1}, found {shown(self.seed)}."
            )

    @property
    def still(self) -> bool:
        return self.strength == 0
