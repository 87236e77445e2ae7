"""What is known of phones that the tracked speech lacks or shows too little of.

GRID's 51 words have no SH ZH HH NG OY UH ER, AA only before R, and CH JH M OW only in names of
letters. Missing phones borrow targets and dominance from relatives (`RELATIVES`); rounding, the
lower lip under the teeth and the tongue, which a tracker of lip landmarks hardly sees, are raised
to what phonetics teaches and rig curves of FACEGOOD show (`AT_LEAST`; in its 10 minutes funnel and
pucker reach 0.2 to 0.6 on rounded vowels).
"""

import numpy as np

from training.data.closures import with_gap
from training.data.coarticulation import SPREAD, STATES, UNITS

# State -> the states whose mean it takes.
RELATIVES = {
    "SH": ("CH", "JH"), "ZH": ("JH",), "NG": ("G", "K"), "UH": ("UW", "AH"), "ER": ("R", "AH"),
    "OY": ("AO",), "OY>": ("IH",), "HH": ("AH",),
}  # fmt: skip
# HH has no mouth of its own: it takes that of its neighbours, so it pulls weakly.
WEAK = {"HH": 0.1}
_ROUNDED_HISS = {"mouthFunnel": 0.25, "mouthPucker": 0.2}
_TUCKED = {"mouthRollLower": 0.3, "mouthUpperUp": 0.15}
AT_LEAST = {
    "SH": _ROUNDED_HISS, "ZH": _ROUNDED_HISS, "CH": _ROUNDED_HISS, "JH": _ROUNDED_HISS,
    "UW": {"mouthPucker": 0.45, "mouthFunnel": 0.1}, "UH": {"mouthPucker": 0.25},
    "OW": {"mouthPucker": 0.3, "mouthFunnel": 0.15}, "OW>": {"mouthPucker": 0.45},
    "OY": {"mouthPucker": 0.25, "mouthFunnel": 0.2}, "AO": {"mouthPucker": 0.15},
    "AW>": {"mouthPucker": 0.3}, "W": {"mouthPucker": 0.55}, "R": {"mouthPucker": 0.25},
    "ER": {"mouthPucker": 0.2}, "F": _TUCKED, "V": _TUCKED,
    "TH": {"tongueOut": 0.25}, "DH": {"tongueOut": 0.2},
    "P": {"mouthPress": 0.15}, "B": {"mouthPress": 0.15}, "M": {"mouthPress": 0.12},
}  # fmt: skip
# Eye distances between the lips at least: GRID says AA only in "R", half closed for what follows.
OPEN_AT_LEAST = {"AA": 0.15, "OY": 0.1}
GAPS = {"F": 0.012, "V": 0.014}  # eye distances between the lips with the lower lip at the teeth


def complete(targets: np.ndarray, seen: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Targets (S, K) with the missing states filled and the known facts added.

    seen: (S,) how often the fit saw each state; gap: (52,) gap between the lips per full weight.
    Raising a unit does not open or close the lips: the opening stays the fitted one (or `GAPS`).
    """
    out = np.array(targets, float)
    for state, relatives in RELATIVES.items():
        if not seen[STATES.index(state)]:
            out[STATES.index(state)] = out[[STATES.index(name) for name in relatives]].mean(axis=0)
    opening = (out @ SPREAD) @ gap
    for state, minima in AT_LEAST.items():
        for unit, least in minima.items():
            at = STATES.index(state), UNITS.index(unit)
            out[at] = max(out[at], least)
    for state, wanted in GAPS.items():
        opening[STATES.index(state)] = min(opening[STATES.index(state)], wanted)
    for state, least in OPEN_AT_LEAST.items():
        opening[STATES.index(state)] = max(opening[STATES.index(state)], least)
    opening[STATES.index("SIL")] = 0.0
    weights = with_gap(out @ SPREAD, opening, gap)
    return weights @ SPREAD.T / SPREAD.sum(axis=1)


def relatives_of(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Dominance values (S, ...) with those of missing states taken from their relatives."""
    out = np.array(values, float)
    for state, relatives in RELATIVES.items():
        if not seen[STATES.index(state)]:
            out[STATES.index(state)] = out[[STATES.index(name) for name in relatives]].mean(axis=0)
    return out
