"""What a visitor can choose, known before the models are loaded."""

from dataclasses import dataclass, field

from l2t.render.scene import SIZE_DEFAULT, SIZE_MAX, SIZE_MIN, VIEWS
from l2t.speech import Limits


@dataclass(frozen=True)
class Catalogue:
    """Names and bounds that the page offers; the first name of each is the default.

    Speaking styles are not among them: they come with the weights.
    """

    identities: tuple[str, ...]
    views: tuple[str, ...] = VIEWS
    smallest: int = SIZE_MIN  # px, side of the square film
    usual: int = SIZE_DEFAULT
    largest: int = SIZE_MAX
    limits: Limits = field(default_factory=Limits)
