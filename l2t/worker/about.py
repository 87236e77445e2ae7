"""What a page has to know of the models, without having them in its own process."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from l2t.variants import Variant
from l2t.weights import Weights

if TYPE_CHECKING:
    from l2t.talkingface import TalkingFace


@dataclass(frozen=True)
class About:
    """Names that may be chosen, and what does the work; as the attributes of `TalkingFace`.

    moves: whether the weights hold head movement; device: such as "cpu"; renderer: what draws,
    "" until the drawing process has started.
    """

    styles: tuple[str, ...]
    identities: tuple[str, ...]
    variants: tuple[Variant, ...]
    moves: bool
    weights: Weights
    device: str
    renderer: str

    @staticmethod
    def of(face: "TalkingFace") -> "About":
        names = About.__dataclass_fields__
        return About(**{name: getattr(face, name) for name in names})
