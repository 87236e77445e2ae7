"""The colours of each identity, sRGB 0..255, and how strongly details are drawn."""

from dataclasses import dataclass

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """sRGB colours of one identity and the strength (0..1) of its details."""

    skin: RGB
    lips: RGB
    hair: RGB
    iris: RGB
    shirt: RGB = (52, 74, 92)
    brow: float = 1.0
    beard: float = 0.0  # shadow of a shaved beard
    lash: float = 0.75
    blush: float = 1.0


LOOKS = {
    "caucasian-female-young": Look(
        (236, 196, 176), (190, 98, 96), (74, 50, 36), (96, 130, 150), (58, 92, 104)),
    "caucasian-male-young": Look(
        (226, 184, 160), (184, 112, 102), (58, 43, 33), (92, 112, 88), (50, 70, 94),
        beard=0.7, lash=0.6, blush=0.6),
    "asian-female-young": Look(
        (238, 202, 172), (192, 96, 92), (30, 26, 26), (66, 44, 30), (116, 62, 70)),
    "asian-male-young": Look(
        (222, 182, 148), (176, 108, 96), (26, 24, 24), (58, 40, 28), (60, 64, 70),
        beard=0.45, lash=0.6, blush=0.6),
    "african-female-young": Look(
        (128, 82, 58), (122, 62, 58), (24, 20, 20), (50, 32, 22), (168, 120, 52)),
    "african-male-young": Look(
        (104, 68, 48), (104, 60, 54), (22, 19, 18), (44, 30, 22), (70, 92, 76),
        beard=0.8, lash=0.6, blush=0.5),
    "old-female": Look(
        (230, 194, 178), (180, 112, 108), (196, 192, 188), (108, 128, 140), (92, 76, 108),
        brow=0.6, lash=0.6),
    "old-male": Look(
        (220, 180, 160), (172, 116, 106), (172, 168, 164), (96, 110, 120), (84, 78, 70),
        brow=0.8, beard=0.5, lash=0.4, blush=0.8),
}
DEFAULT_LOOK = LOOKS["caucasian-female-young"]
