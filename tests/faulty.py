"""A face that fails in the worst ways, on demand: what is ordered is said in the identity's name.

`make` is called in a worker process, see `l2t.worker.supervised.Supervised(make="faulty:make")`.
"""

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np
from fakes import IDENTITIES, FakeFace

from l2t.errors import WeightsError
from l2t.weights import Weights, resolve


def killed(face) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def segfault(face) -> None:
    ctypes.string_at(0)


def ended(face) -> None:
    os._exit(3)


def stubborn(face) -> None:
    """Does not look at whether it should stop."""
    time.sleep(60)


def frozen(face) -> None:
    """Not even the interpreter runs any more."""
    os.kill(os.getpid(), signal.SIGSTOP)


def greedy(face) -> None:
    """Takes memory and keeps it."""
    face.kept = [np.ones(12_000_000) for _ in range(20)]  # 96 MB each
    time.sleep(60)


def no_memory(face) -> None:
    raise MemoryError


def no_card_memory(face) -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def no_card_memory_once(face) -> None:
    if not face.freed:
        face.freed = True
        no_card_memory(face)


def poisoned(face) -> None:
    if face.device != "cpu":
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


def broken(face) -> None:
    raise ZeroDivisionError("at /secret/place")


def leave_child(face) -> None:
    """Starts a program that would outlive it, and dies."""
    import subprocess

    child = subprocess.Popen(["sleep", "600"])
    Path(os.environ["FAULTY_PID"]).write_text(str(child.pid))
    killed(face)


FAULTS = {each.__name__: each for each in (
    killed, segfault, ended, stubborn, frozen, greedy, no_memory, no_card_memory,
    no_card_memory_once, poisoned, broken, leave_child,
)}  # fmt: skip


class FaultyFace(FakeFace):
    """A `FakeFace` whose identities are faults, beside the harmless ones."""

    identities = (*IDENTITIES, *FAULTS)

    def __init__(self, pause: float, device: str):
        super().__init__(pause)
        self.device, self.freed = device, False

    def animate_each(self, speech, variants, style=None, identity=None, *more, **others):
        if identity in FAULTS:
            FAULTS[identity](self)
            identity = None
        return super().animate_each(speech, variants, style, identity, *more, **others)


def make(pause: float = 0.0, device: str = "card", fail: str = "", fates: str = "") -> FaultyFace:
    """fates: a file whose first line, which is taken, says how this process fares: "well" or one
    of those below. None is left: well.
    """
    fate = next_of(Path(fates)) if fates else fail
    if fate == "weights":
        raise WeightsError("The embedded weights are damaged.")
    if fate == "die":
        killed(None)
    if fate == "hang":
        time.sleep(600)
    return FACES.get(fate, FaultyFace)(pause, device)


def resolved(weights: str | Weights | None = None) -> FaultyFace:
    """One that says which weights it would have loaded."""
    face = FaultyFace(0.0, "cpu")
    face.weights = resolve(weights)
    return face


def next_of(path: Path) -> str:
    first, *rest = path.read_text().split() or ["well"]
    path.write_text(" ".join(rest))
    return first


class DiesInPractice(FaultyFace):
    def animate(self, *_, **__):
        killed(self)


class PractisesLong(FaultyFace):
    def animate(self, *arguments, **more):
        time.sleep(6)
        return super().animate(*arguments, **more)


FACES = {"die-in-practice": DiesInPractice, "practise-long": PractisesLong}
