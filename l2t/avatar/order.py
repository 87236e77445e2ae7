"""Nearest first: numbers of Gaussians by their depth, by counting digits, not by comparing."""

import numpy as np

from l2t.render.jit import jit

DIGIT = 11  # bits looked at in one pass; the counts of 2^11 values fit into the fastest cache


@jit
def nearest_first(depth, order, spare):
    """Fills order (n,) int32 with the numbers of depth (n,) float32 > 0, in rising order.

    Equals stay as they were: the result of a stable argsort. spare: (n,) int32 to work in.
    """
    if len(depth) == 0:
        return
    bits = depth.view(np.uint32)  # of positive floats the bits rise with the value
    lowest, highest = bits[0], bits[0]
    for i in range(len(bits)):
        order[i] = i
        lowest, highest = min(lowest, bits[i]), max(highest, bits[i])
    place = np.empty((1 << DIGIT) + 1, np.int64)
    shift = 0
    while (highest - lowest) >> shift:
        place[:] = 0
        for i in range(len(bits)):
            place[((bits[i] - lowest) >> shift & ((1 << DIGIT) - 1)) + 1] += 1
        for digit in range(1 << DIGIT):
            place[digit + 1] += place[digit]
        for i in range(len(bits)):
            digit = (bits[order[i]] - lowest) >> shift & ((1 << DIGIT) - 1)
            spare[place[digit]] = order[i]
            place[digit] += 1
        order[:] = spare
        shift += DIGIT
