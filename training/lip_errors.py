"""How wrong a lip reader is on GRID clips, whose names spell what is said."""

from collections.abc import Sequence

import numpy as np

from l2t.error_rates import error_rate, viseme_error
from l2t.grid_grammar import said
from l2t.lipreading import RULES, read_scores
from l2t.models.lipreader import LipReaderConfig
from training.data.corpora import grid_sentence

COLUMNS = ("grid", "words", "phone", "viseme")


def words_of(name: str) -> str:
    """'bbaf2n' -> 'bin blue at f two now', in the words of `l2t.grid_grammar`."""
    return grid_sentence(name).replace(".", "").lower()


def clip_errors(
    log_probs: np.ndarray, config: LipReaderConfig, name: str, rules: Sequence[str] = RULES
) -> dict[str, float]:
    """Errors of one clip's reading, by COLUMNS; only those that `rules` give.

    grid, words: word error under the grammar and with any words in any order.  phone, viseme: of
    open phones against the dictionary's.
    """
    sentence, errors = words_of(name), {}
    for rule in rules:
        read = read_scores(log_probs, config, rule).text.split()
        if rule == "phones":
            errors["phone"] = error_rate(said(sentence), read)
            errors["viseme"] = viseme_error(said(sentence), read)
        else:
            errors[rule] = error_rate(sentence.split(), read)
    return errors
