"""Chooses how a trained lip reader searches for words, on validation clips.

    python -m training.tune_lipreader --cache CACHE --weights assets/weights/lipreader

Tries shares of the priors, penalties of words and phones and sharpnesses of the confidence on
grid_s1's validation photos (and renders, where CACHE/mouths has them), and writes the best into
the weights' JSON.
"""

import argparse
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from l2t.lipreading import log_probs, read_scores
from l2t.models.lipreader import LipReaderConfig, Search
from training.evaluate_lipreader import load_seen
from training.lip_errors import clip_errors, words_of
from training.train_lipreader import load_reader

log = logging.getLogger(__name__)
Clips = list[tuple[str, np.ndarray]]  # a clip's name and its log probabilities (frames, units)

PRIORS = (0.0, 0.2, 0.4, 0.6)
PENALTIES = (-6.0, -4.0, -3.0, -2.0, -1.0, 0.0)
SHARPNESS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)


def mean_error(clips: Clips, config: LipReaderConfig, search: Search, rule: str) -> float:
    """Mean error of clips under one rule: of words, or of phones under "phones"."""
    config, column = replace(config, search=search), "phone" if rule == "phones" else rule
    return float(np.mean([clip_errors(lp, config, name, (rule,))[column] for name, lp in clips]))


def surprise(clips: Clips, config: LipReaderConfig, search: Search) -> float:
    """Mean -log of what the confidence gave to the truth: of the words of the grammar's reading,
    the confidence where the word is right, the rest where it is wrong."""
    config, lost = replace(config, search=search), []
    for name, scores in clips:
        read = read_scores(scores, config).words
        for word, truth in zip(read, words_of(name).split(), strict=False):
            sure = min(max(word.confidence, 1e-3), 1 - 1e-3)
            lost.append(-np.log(sure if word.text == truth else 1 - sure))
    return float(np.mean(lost)) if lost else float("inf")


def tuned(clips: Clips, config: LipReaderConfig) -> Search:
    """The best search: the priors' share by grammar and open phones together, then the rest."""

    def best(rule: str, search: Search) -> tuple[float, float]:
        """(error, penalty) of words or phones."""
        tries = [(mean_error(clips, config, replace(search, **{rule: p}), rule), p)
                 for p in PENALTIES]  # fmt: skip
        return min(tries)

    shares = []
    for prior in PRIORS:
        search = Search(prior=prior)
        error, phones = best("phones", search)
        shares.append((error + mean_error(clips, config, search, "grid"), prior, phones))
    _, prior, phones = min(shares)
    search = Search(prior=prior, phones=phones)
    search = replace(search, words=best("words", search)[1])
    sharp = min(SHARPNESS, key=lambda s: surprise(clips, config, replace(search, sharpness=s)))
    return replace(search, sharpness=sharp)


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Chooses a lip reader's search.")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/")
    parser.add_argument("--weights", type=Path, required=True, help="path without ending")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    reader, clips = load_reader(options.weights), []
    for part in ("grid_s1", "grid_s1_render"):
        if (options.cache / "mouths" / f"{part}.json").exists():
            seen = load_seen(options.cache, part, "validation")
            clips += [(n, log_probs(reader, m)) for n, m in zip(seen.names, seen.mouths,
                                                               strict=True)]  # fmt: skip
    search = tuned(clips, reader.config)
    log.info("%s", search)
    path = options.weights.with_suffix(".json")
    text = json.loads(path.read_text(encoding="utf-8")) | {"search": asdict(search)}
    path.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
