"""Reads the published .pkl files without running anything that they may hold.

The datasets come as pickles and there is no other form of some of them.  A pickle can name any
function to call; here only those that rebuild arrays and plain containers are known, and the first
other name ends the reading.  Nothing in this project writes pickles.
"""

import pickle  # noqa: S403 (every name is checked below)
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np

from training.paper.layout import DatasetError

# What numpy itself names when it pickles an array and a number; older files use older modules.
_ARRAY = np.zeros(0).__reduce__()[0]
_NUMBER = np.float32(0).__reduce__()[0]
_BUFFER = np.zeros(1).__reduce_ex__(5)[0]
_KNOWN = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): defaultdict,
}
_KNOWN |= {(f"numpy.{c}.multiarray", "_reconstruct"): _ARRAY for c in ("core", "_core")}
_KNOWN |= {(f"numpy.{c}.multiarray", "scalar"): _NUMBER for c in ("core", "_core")}
_KNOWN |= {(f"numpy.{c}.numeric", "_frombuffer"): _BUFFER for c in ("core", "_core")}
for _module in ("builtins", "__builtin__"):
    _KNOWN |= {(_module, kind.__name__): kind for kind in (dict, list, int, float)}


def _bytes(text: str, encoding: str) -> bytes:
    """Stands in for _codecs.encode, which newer pickles of arrays name: latin1 only."""
    if encoding != "latin1":
        raise pickle.UnpicklingError("only latin1 bytes are known")
    return text.encode("latin1")


_KNOWN["_codecs", "encode"] = _bytes


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str):
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None


def read_pickle(path: Path):
    """The arrays, numbers, texts and containers in `path` (also files of Python 2).

    Raises DatasetError when it holds anything else or is damaged.
    """
    try:
        with Path(path).open("rb") as file:
            return _Plain(file, encoding="latin1").load()
    except (
        pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError,
        AttributeError, MemoryError,
    ) as error:  # fmt: skip
        raise DatasetError(
            f"{Path(path).name} cannot be read ({error}); "
            "a pickle of numpy arrays and plain containers, as published, is expected."
        ) from None
