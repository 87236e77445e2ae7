"""A trained network for inference, from the configuration and the tensors of its weights."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from l2t.errors import WeightsError
from l2t.models.limits import check_fields

# What a configuration with values that a network does not know can end in.
MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError,
           ValueError)  # fmt: skip


def trained(build: Callable[[], nn.Module], tensors: dict[str, Tensor], what: str) -> nn.Module:
    """The network that `build` makes, with its weights, frozen and in inference mode.

    what: names it in messages. Raises WeightsError when configuration and weights do not fit each
    other: the network is first planned without memory and compared, so that a configuration cannot
    ask for more than the file holds. Batch norms may lack their counters, which inference does not
    read.
    """
    try:
        with torch.device("meta"):
            plan = build()
        check_fields(plan.config, what)
        check_fit(plan.state_dict(), tensors, what)
        network = build()
        network.load_state_dict(tensors, strict=False)
    except MISFITS:
        raise misfit(what, "the configuration cannot be used") from None
    return network.float().eval().requires_grad_(False)


def check_fit(plan: Mapping[str, Tensor], tensors: Mapping[str, Tensor], what: str) -> None:
    """Raise WeightsError unless the tensors are those of the plan: names, shapes, floats or not."""
    missing = {name for name in plan.keys() - tensors if not name.endswith("num_batches_tracked")}
    if missing or tensors.keys() - plan.keys():
        raise misfit(what, "they lack tensors or hold unknown ones")
    for name, tensor in tensors.items():
        planned = plan[name]
        if planned.shape != tensor.shape:
            needed = f"{tuple(tensor.shape)} where {tuple(planned.shape)} is needed"
            raise misfit(what, f"{name[:80]} is {needed}")
        if planned.is_floating_point() != tensor.is_floating_point():
            needed = f"{_name(tensor.dtype)} where {_name(planned.dtype)} is needed"
            raise misfit(what, f"{name[:80]} is {needed}")


def misfit(what: str, why: str) -> WeightsError:
    return WeightsError(f"The {what}'s weights do not fit this version's models: {why}.")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
