"""One call of the command line: the models, loaded once, and each recording from file to files."""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from l2t.avatar.camera import Orbit
from l2t.jobs import Order
from l2t.outputs import Outputs
from l2t.replay import DIFFERS, Replay
from l2t.results import make_files
from l2t.speech import Limits, Speech, load_speech
from l2t.terminal import Progress, complain, say
from l2t.variants import find_each

MAX_BYTES = 8_000_000_000
DONE, DIFFERENT = 0, 3  # exit status of a recording; different: from what its receipt says


class Session:
    """Loads the models when the first good recording needs them."""

    def __init__(
        self, options: argparse.Namespace, face_factory: Callable, replay: Replay | None = None
    ):
        self.options, self.replay = options, replay
        self.variants = variants_of(options)
        self.limits = Limits(max_seconds=options.max_seconds, max_bytes=MAX_BYTES)
        self._make_face, self._face = face_factory, None

    @property
    def face(self):
        if self._face is None:
            own = {"painter": self.replay.painter} if self.replay and self.replay.painter else {}
            self._face = self._make_face(self.options.weights, self.options.device, **own)
            say(f"weights: {self._face.weights.label}, device: {self._face.device}")
        return self._face

    def close(self) -> None:
        if self._face is not None:
            self._face.close()

    def do(self, path: Path, outputs: tuple[Outputs, ...]) -> int:
        """One recording, from file to files; returns `DONE` or `DIFFERENT`. Raises L2TError."""
        speech = load_speech(path, self.limits)
        if self.replay is None:
            self._make(path, speech, outputs)
            return DONE
        if remark := self.replay.check_recording(path, speech):
            complain(remark)
        self.replay.check_weights(self.face.weights, find_each(self.face.variants, self.variants))
        if any(own.results() for own in outputs):
            return self._compare(self._make(path, speech, outputs))
        with tempfile.TemporaryDirectory(prefix="l2t-replay-") as room:
            return self._compare(self._make(path, speech, outputs, self.replay.files(Path(room))))

    def _make(
        self, path: Path, speech: Speech, outputs: Sequence[Outputs],
        wanted: Mapping[str, Path] | None = None,
    ) -> dict | None:  # fmt: skip
        """Makes the outputs, or instead `wanted`, and the receipt where there is need of one."""
        order, options = self._order(path), self.options
        with closing(Progress(path.name)) as progress:
            takes = self.face.animate_each(
                speech, self.variants, options.style, options.identity, progress,
                head=options.head, seed=options.seed,
            )  # fmt: skip
            wanted = by_name(outputs, takes) if wanted is None else wanted
            make_files(self.face, takes, order, wanted, progress)
        receipt = self._receipt(order, takes, wanted, outputs[0].receipt)
        if made := [str(file) for own in outputs for file in own.wanted()]:
            say(f"{path} -> {', '.join(made)} ({summary(speech, takes)})")
        return receipt

    def _receipt(self, order, takes, files: Mapping[str, Path], path: Path | None) -> dict | None:
        if path is None and self.replay is None:
            return None
        from l2t.receipt import receipt_of, write_receipt

        receipt = receipt_of(order, takes, files, self.face.renderer, self.face.device)
        if path is not None:
            write_receipt(receipt, path)
        return receipt

    def _compare(self, made: dict) -> int:
        """Says of each file whether it is the receipt's, and first what may be the reason."""
        if remark := self.replay.other_versions(made["made_with"]):
            complain(remark)
        status = DONE
        for name, outcome in self.replay.outcomes(made["results"]):
            say(f"{name}: {outcome}")
            status = DIFFERENT if outcome == DIFFERS else status
        return status

    def _order(self, path: Path) -> Order:
        options = self.options
        return Order(
            path, options.identity, options.style, options.view, options.size, self.variants,
            options.head, options.seed, Orbit(*options.orbit) if options.avatar else None,
        )  # fmt: skip


def variants_of(options: argparse.Namespace) -> tuple[str | None, ...]:
    """Who speaks: one variant, or the two that are compared."""
    return tuple(options.compare or (options.variant,))


def by_name(outputs: Sequence[Outputs], takes) -> dict[str, Path]:
    """The wanted results of all takes, as `l2t.receipt_schema.result_names` calls them."""
    files = {"film": outputs[0].film}
    for own, take in zip(outputs, takes, strict=True):
        end = f"-{take.variant.name}" if len(takes) > 1 else ""
        files |= {f"motion{end}": own.motion, f"sync{end}": own.sync}
    return {name: path for name, path in files.items() if path}


def summary(speech: Speech, takes) -> str:
    """A few words on the takes of a recording."""
    words = [found(take.sync.to_json()) for take in takes]
    if len(takes) > 1:
        words = [f"{take.variant.name}: {own}" for take, own in zip(takes, words, strict=True)]
    return "; ".join([f"{speech.seconds:.1f} s, {words[0]}", *words[1:]])


def found(numbers: dict) -> str:
    """What the expert found; numbers: the report as JSON values."""
    if numbers["lse_c"] is None:
        return "no speech found"
    if numbers["offset_ms"] is None:
        return "the mouth is still"
    return f"offset {numbers['offset_ms']:+.0f} ms, LSE-C {numbers['lse_c']:.2f}"
