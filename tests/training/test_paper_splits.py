"""The official splits, against the lists as they are printed in the published code."""

from training.paper.biwi import BIWI
from training.paper.vocaset import VOCASET

# EvelynFan/FaceFormer, README.md: the arguments of main.py for either dataset.
VOCA_TRAIN = (
    "FaceTalk_170728_03272_TA FaceTalk_170904_00128_TA FaceTalk_170725_00137_TA "
    "FaceTalk_170915_00223_TA FaceTalk_170811_03274_TA FaceTalk_170913_03279_TA "
    "FaceTalk_170904_03276_TA FaceTalk_170912_03278_TA"
)
VOCA_VALIDATION = "FaceTalk_170811_03275_TA FaceTalk_170908_03277_TA"
VOCA_TEST = "FaceTalk_170809_00138_TA FaceTalk_170731_00024_TA"
BIWI_TRAIN = "F2 F3 F4 M3 M4 M5"
BIWI_TEST_B = "F1 F5 F6 F7 F8 M1 M2 M6"


def numbers(split) -> list[int]:
    return sorted({number for _, number in split.wanted()})


def test_vocaset_has_the_published_subjects_and_sentences():
    assert " ".join(VOCASET.train.subjects) == VOCA_TRAIN
    assert " ".join(VOCASET.validation.subjects) == VOCA_VALIDATION
    assert list(VOCASET.tests) == ["test"]
    assert " ".join(VOCASET.tests["test"].subjects) == VOCA_TEST
    assert numbers(VOCASET.train) == list(range(1, 41))
    assert numbers(VOCASET.validation) == numbers(VOCASET.tests["test"]) == list(range(21, 41))


def test_biwi_has_the_published_subjects_and_sentences():
    assert " ".join(BIWI.train.subjects) == BIWI_TRAIN
    assert BIWI.validation.subjects == BIWI.tests["test A"].subjects == BIWI.train.subjects
    assert " ".join(BIWI.tests["test B"].subjects) == BIWI_TEST_B
    assert numbers(BIWI.train) == list(range(1, 33))
    assert numbers(BIWI.validation) == list(range(33, 37))
    assert numbers(BIWI.tests["test A"]) == numbers(BIWI.tests["test B"]) == list(range(37, 41))


def test_the_splits_are_as_large_as_the_papers_say():
    def sizes(layout):
        return [len(split.wanted()) for split in layout.splits.values()]

    assert sizes(VOCASET) == [320, 40, 40]
    assert sizes(BIWI) == [192, 24, 24, 32]


def test_no_clip_is_in_two_splits():
    for layout in (VOCASET, BIWI):
        wanted = [key for split in layout.splits.values() for key in split.wanted()]
        assert len(wanted) == len(set(wanted))


def test_sizes_rates_and_masks_are_the_papers():
    assert (VOCASET.vertices, VOCASET.stored_fps, VOCASET.fps) == (5023, 60.0, 30.0)
    assert (BIWI.vertices, BIWI.stored_fps, BIWI.fps) == (23370, 25.0, 25.0)
    assert (VOCASET.lips.entries, VOCASET.upper) == (254, None)
    assert (BIWI.lips.entries, BIWI.upper.entries) == (4996, 7784)
