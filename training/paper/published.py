"""Figures that papers print for these datasets, to stand beside our own.

Learn2Talk: arXiv 2404.12888 (its ablation); the others as quoted by their own papers and successors
(FaceFormer, CodeTalker, FaceDiffuser, SelfTalk, KMTalk, UniTalker).  LVE and FDD in the scale of
`Layout.lve_scale` and `fdd_scale`, signed FDD; LSE by the second expert of Learn2Talk's authors.
"""

from dataclasses import dataclass

NAN = float("nan")
# The test set of LVE and FDD; test B has no truth in these subjects' styles.
PUBLISHED_SET = {"biwi": "test A", "vocaset": "test"}


@dataclass(frozen=True)
class Published:
    """One line of a paper's table; nan = not given."""

    name: str
    lve: float
    fdd: float = NAN
    lse_d: float = NAN
    lse_c: float = NAN


PUBLISHED = {
    "biwi": (
        Published("Learn2Talk w/o sync loss", 4.6971, 3.4083, 9.434, 8.933),
        Published("Learn2Talk w/o lipread loss", 5.0375, 5.1844, 8.563, 9.652),
        Published("Learn2Talk full", 5.0003, 3.7756, 8.897, 9.449),
        Published("FaceFormer", 5.31),
        Published("CodeTalker", 4.79),
        Published("FaceDiffuser", 4.30),
        Published("SelfTalk", 4.25),
        Published("KMTalk", 3.97),
        Published("UniTalker-L", 3.86),
    ),
    "vocaset": (
        Published("Learn2Talk w/o sync loss", 2.3581, NAN, 11.717, 6.286),
        Published("Learn2Talk w/o lipread loss", 2.8233, NAN, 10.956, 9.926),
        Published("Learn2Talk full", 2.5148, NAN, 10.593, 9.838),
        Published("FaceFormer", 4.11),
        Published("CodeTalker", 3.94),
        Published("FaceDiffuser", 3.79),
        Published("SelfTalk", 3.22),
        Published("KMTalk", 2.26),
    ),
}
