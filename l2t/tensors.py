"""Tensors out of safetensors bytes, checked before they reach a model; nothing is unpickled."""

from typing import TYPE_CHECKING

from l2t.errors import WeightsError
from l2t.manifest import read_json

if TYPE_CHECKING:
    from torch import Tensor

MAX_HEADER_BYTES = 1 << 20
FLOATS = ("F16", "BF16", "F32")
WHOLE = ("I64", "I32", "U8", "BOOL")  # counters and tables; kept as they are
MAX_AXES = 8


def parse_tensors(data: bytes, name: str) -> "dict[str, Tensor]":
    """Tensors by name from the bytes of a safetensors file, floats as finite float32.

    Raises WeightsError, naming the file, when it is no safetensors file, has a header longer than
    1 MiB, holds another type than float16, bfloat16, float32 or whole numbers, an empty tensor or
    one of more than 8 axes, or NaN or infinity.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    check_header(data, name)
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, RuntimeError):
        raise WeightsError(f"{name} is not a sound safetensors file.") from None
    for key, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[key] = tensor.to(torch.float32)
            if not bool(torch.isfinite(tensors[key]).all()):
                raise WeightsError(f"{name} holds NaN or infinity in {key[:80]!r}.")
    return tensors


def check_header(data: bytes, name: str) -> None:
    """Raise WeightsError unless names, types and shapes of a safetensors file are acceptable ones.

    Layout: u64 length of the header (little endian), JSON header, then the numbers.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > len(data) - 8:
        raise WeightsError(f"{name} is not a safetensors file.")
    if length > MAX_HEADER_BYTES:
        raise WeightsError(
            f"{name} has a header of {length} bytes; at most {MAX_HEADER_BYTES} are accepted."
        )
    header = read_json(data[8 : 8 + length], f"The header of {name}")
    header.pop("__metadata__", None)
    for key, fields in header.items():
        dtype = fields.get("dtype") if isinstance(fields, dict) else None
        if dtype not in FLOATS + WHOLE:
            raise WeightsError(
                f"{name} holds {key[:80]!r} as {str(dtype)[:20]}; accepted are "
                f"{', '.join(FLOATS + WHOLE)}."
            )
        shape = fields.get("shape")
        if not isinstance(shape, list) or len(shape) > MAX_AXES or not all(
            type(size) is int and size > 0 for size in shape
        ):
            raise WeightsError(
                f"{name} holds {key[:80]!r} in no shape of up to {MAX_AXES} sizes above 0."
            )
