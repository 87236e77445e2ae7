"""What a talking face gives back; light to import, as page and service show it without models."""

from dataclasses import dataclass

from l2t.motion import Motion
from l2t.speech import Speech
from l2t.sync_report import SyncReport
from l2t.variants import Variant
from l2t.weights import Weights


@dataclass(frozen=True)
class Take:
    """One recording, said by the head.

    motion: 30 fps; sync: how well it fits the voice; weights, variant: which ones spoke.
    """

    speech: Speech
    motion: Motion
    sync: SyncReport
    identity: str
    style: str
    weights: Weights
    variant: Variant
