"""Compiles the drawing loops: machine code that releases the GIL and is kept between runs."""

from collections.abc import Callable

from numba import njit


def jit(function: Callable) -> Callable:
    """`numba.njit` with a disk cache where a folder for it can be written, without one elsewhere.

    No `parallel=`: numba's default threading layer is not safe to enter from two threads.
    """
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # a read-only installation without a home folder
        return njit(nogil=True, error_model="numpy")(function)
