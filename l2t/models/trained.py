"""A trained network for inference, from the configuration and the tensors of its weights."""

from collections.abc import Callable

from torch import Tensor, nn

from l2t.errors import WeightsError


def trained(build: Callable[[], nn.Module], tensors: dict[str, Tensor], what: str) -> nn.Module:
    """The network that `build` makes, with its weights, frozen and in inference mode.

    what: names it in messages. Raises WeightsError when configuration and weights do not fit each
    other. Batch norms may lack their counters, which inference does not read.
    """
    try:
        network = build()
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except (RuntimeError, TypeError, ValueError):
        raise WeightsError(f"The {what}'s weights do not fit its configuration.") from None
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise WeightsError(f"The {what}'s weights lack tensors or hold unknown ones.")
    return network.float().eval().requires_grad_(False)
