"""Measures students and baselines on held-out clips: `python -m training.evaluate`.

    clips       what is measured on
    lips, main_tables   the tables of the student that ships
    measures    every figure of the comparison for one clip and one motion, and the controls
    contenders  variants of the student, baselines
    reading     the lip reader as a judge
    comparison  a row a contender; paired differences
    tables      rows, Markdown, the model card
"""

from training.evaluate.clips import Clip, spoken_clips, tracked_clips
from training.evaluate.lips import against_truth, closures, silences
from training.evaluate.tables import into_card, row, table

__all__ = [
    "Clip",
    "against_truth",
    "closures",
    "into_card",
    "row",
    "silences",
    "spoken_clips",
    "table",
    "tracked_clips",
]
