"""Reads lips: pictures of a mouth in, words with times and confidence out.

    reading = read_lips(reader, mouths)              # the best sentence of the GRID corpus
    reading = read_lips(reader, mouths, "words")     # any of its 51 words, in any order
    reading = read_lips(reader, mouths, "phones")    # no words at all: phones

The looser the rules, the less a language model fills in for the lips: quote a word error with
its rules and with `grid_grammar.chance_error()`.
"""

from functools import cache

import numpy as np
import torch

from l2t.grid_grammar import SLOTS
from l2t.lip_limits import RULES
from l2t.lip_take import Reading, ReadWord
from l2t.models.lipreader import FPS, PHONES, SIDE, LipReader, LipReaderConfig, Search
from l2t.word_search import Found, Net


def read_lips(reader: LipReader, mouths, rules: str = "grid") -> Reading:
    """What the mouths say: array or tensor (frames, 96, 96), uint8 or floats in 0..1, at 25 fps.

    rules: "grid" (six words, the corpus' grammar), "words" (its words in any order) or "phones".
    Raises ValueError for other rules or pictures.
    """
    return read_scores(log_probs(reader, mouths), reader.config, rules)


def log_probs(reader: LipReader, mouths) -> np.ndarray:
    """Log probability of each unit in each frame, (frames, units) float32; see `read_lips`."""
    if mouths.ndim != 3 or mouths.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"mouths are {tuple(mouths.shape)}; need (frames, {SIDE}, {SIDE})")
    if isinstance(mouths, np.ndarray):
        mouths = torch.from_numpy(np.array(mouths))
    if not mouths.is_floating_point():
        mouths = mouths.float() / 255
    device = next(reader.parameters()).device
    with torch.inference_mode():
        return reader(mouths[None].float().to(device))[1][0].cpu().numpy()


def read_scores(log_probs: np.ndarray, config: LipReaderConfig, rules: str = "grid") -> Reading:
    """As `read_lips`, from log probabilities (frames, units) and the reader's configuration."""
    if rules not in RULES:
        raise ValueError(f"rules are {rules!r}; accepted are {', '.join(RULES)}")
    search = config.search
    scores = log_probs
    if config.priors:
        scores = log_probs - search.prior * np.asarray(config.priors, np.float32)
    penalty = {"grid": 0.0, "words": search.words, "phones": search.phones}[rules]
    found = net(rules).search(scores, penalty)
    return Reading(tuple(_word(one, scores, rules, search) for one in found), scores)


def _word(one: Found, scores: np.ndarray, rules: str, search: Search) -> ReadWord:
    rivals, texts = _rivals(rules, one.slot)
    score = rivals.word_scores(scores[one.first : one.last + 1]) * search.sharpness
    share = np.exp(score - score.max())
    mine = np.array([text == one.word for text in texts])
    confidence = float(share[mine].max() / (share[~mine].sum() + share[mine].max()))
    return ReadWord(one.word, one.first / FPS, (one.last + 1) / FPS, confidence)


@cache
def net(rules: str) -> Net:
    """What may be said under these rules."""
    slots = [[(w, way) for w, ways in words.items() for way in ways] for _, words in SLOTS]
    if rules == "grid":
        return Net(slots)
    if rules == "words":
        return Net([[pair for slot in slots for pair in slot]], loop=True)
    return Net([[(phone, phone) for phone in PHONES]], loop=True)


@cache
def _rivals(rules: str, slot: int) -> tuple[Net, tuple[str, ...]]:
    """All words that may stand in a slot, as a net of their own, and their texts."""
    words = net(rules).slots[slot]
    return Net([words]), tuple(word for word, _ in words)
