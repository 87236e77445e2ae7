"""BIWI (B3D(AC)2): 14 subjects, 40 sentences, 25 fps, 23,370 vertices.

Facts: EvelynFan/FaceFormer, README.md and biwi/main.py (the six subjects of training and the eight
of test B) and data_loader.py (sentences 1-32, 33-36, 37-40); Doubiiu/CodeTalker, BIWI/README.md,
BIWI/data_preprocess (one vertices_npy/SUBJECT_eNN.npy and wav/SUBJECT_eNN.wav a sentence,
templates.pkl) and BIWI/regions (the two masks).  That preprocessing centres every frame and divides
it by the square root of the mesh's surface area: this is the unit, not metres.
"""

from pathlib import Path

from training.paper.clips import Corpus, open_corpus
from training.paper.layout import Layout, MaskSource, Split

SEEN = ("F2", "F3", "F4", "M3", "M4", "M5")
UNSEEN = ("F1", "F5", "F6", "F7", "F8", "M1", "M2", "M6")
REGIONS = "it is in the folder BIWI/regions of github.com/Doubiiu/CodeTalker."
BIWI = Layout(
    name="biwi",
    title="BIWI",
    vertices=23370,
    stored_fps=25.0,
    fps=25.0,
    unit="square roots of the mesh's surface area",
    train=Split(SEEN, 1, 32),
    validation=Split(SEEN, 33, 36),
    tests={"test A": Split(SEEN, 37, 40), "test B": Split(UNSEEN, 37, 40)},
    lips=MaskSource(("regions/lve.txt", "lve.txt"), 4996, REGIONS),
    upper=MaskSource(("regions/fdd.txt", "fdd.txt"), 7784, REGIONS),
    lve_scale=1e4,
    fdd_scale=1e5,
    origin=(
        "request BIWI on data.vision.ee.ethz.ch/cvl/datasets/b3dac2.en.html and convert it as "
        "BIWI/README.md of github.com/Doubiiu/CodeTalker says; vertices_npy/, wav/ and "
        "templates.pkl are expected."
    ),
)


def open_biwi(folder: Path, layout: Layout = BIWI) -> Corpus:
    """The corpus in `folder`: vertices_npy/F1_e01.npy (or F1_01.npy), wav/, templates.pkl."""
    return open_corpus(Path(folder), layout, r"(?P<subject>[FM]\d)_e?(?P<number>\d\d)")
