"""A receipt taken at its word: the same settings again, and which files come out the same.

The receipt is checked by `l2t.receipt_schema`, but what it says is still somebody's claim: weights
are never fetched on its account, and nothing is written but what the caller asks for.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.receipt_schema import ReceiptError, read_receipt, result_names
from l2t.render.choice import VARIABLE

if TYPE_CHECKING:
    from l2t.speech import Speech
    from l2t.variants import Variant
    from l2t.weights import Weights

# Options that a receipt holds, so that none of them may be given beside it.
HELD = ("identity", "style", "variant", "compare", "head", "seed", "avatar", "orbit", "view",
        "size")  # fmt: skip
SAME, DIFFERS, UNKNOWN = "same", "differs", "not in the receipt"


class Replay:
    """What a receipt asks of the command line, before and after the work."""

    def __init__(self, path: Path):
        """Raises ReceiptError."""
        self.receipt = read_receipt(path)

    def settle(self, options: argparse.Namespace, usual: argparse.Namespace) -> None:
        """Puts the receipt's settings in the place of the options.

        usual: the options when none is given. Raises ReceiptError when one of `HELD` was, or for
        several recordings.
        """
        given = [name for name in HELD if getattr(options, name) != getattr(usual, name)]
        if given:
            raise ReceiptError(f"--replay takes the settings from the receipt; leave out "
                               f"--{given[0]}.")  # fmt: skip
        if len(options.speech) != 1:
            raise ReceiptError(
                f"A receipt is of one recording, found {len(options.speech)} to replay it with."
            )
        settings = self.receipt["settings"]
        for name in ("identity", "style", "head", "seed", "view", "size"):
            setattr(options, name, settings[name])
        variants, orbit = settings["variants"], settings["orbit"]
        options.variant = variants[0]
        options.compare = variants if len(variants) == 2 else None
        options.avatar = orbit is not None
        if orbit:
            options.orbit = (orbit["azimuth"], orbit["elevation"], orbit["zoom"])
        if options.device == "auto" and self.receipt["made_with"]["device"] == "cpu":
            options.device = "cpu"

    @property
    def painter(self) -> str | None:
        """What should draw: "software" if it drew then; None leaves it to the machine."""
        asked = os.environ.get(VARIABLE, "").strip()
        drew = self.receipt["made_with"]["renderer"]
        return "software" if drew == "software" and not asked else None

    def files(self, room: Path) -> dict[str, Path]:
        """Where each result of the receipt is made when the caller wants none of them.

        Raises ReceiptError when it has none either.
        """
        if not self.receipt["results"]:
            raise ReceiptError("The receipt lists no results; say what to make, with -o say.")
        endings = result_names(self.receipt["settings"]["variants"])
        return {name: room / f"{name}{endings[name]}" for name in self.receipt["results"]}

    def check_recording(self, path: Path, speech: "Speech") -> str | None:
        """Whether this is the receipt's recording; a remark where it is so only in part.

        Raises ReceiptError for another one.
        """
        from l2t.receipt import recording_facts

        then, now = self.receipt["recording"], recording_facts(path, speech)
        same_file = now["sha256"] == then["sha256"]
        same_sound = now["samples_sha256"] == then["samples_sha256"]
        if same_sound:
            return None if same_file else "Another file than the receipt's, with the same sound."
        if same_file:
            return "The receipt's recording, but it was decoded to other samples then."
        raise ReceiptError(
            f"This is not the recording of the receipt ({then['seconds']:.2f} seconds, sha256 "
            f"{then['sha256'][:12]}...), but one of {now['seconds']:.2f} seconds with the sha256 "
            f"{now['sha256'][:12]}..."
        )

    def check_weights(self, weights: "Weights", variants: "Sequence[Variant]") -> None:
        """Raises ReceiptError where weights, face or Gaussian head are not the receipt's."""
        from l2t.receipt import asset_facts, weight_facts

        then, settings = self.receipt["weights"], self.receipt["settings"]
        now = weight_facts(weights, variants, settings["head"] != 0)
        if now["files"] != then["files"] or not (now["files"] or _one_list(now, then)):
            raise ReceiptError(
                f"The receipt was made with other weights than these ({weights.label}): with "
                f"{_described(then)}; name those with --weights."
            )
        assets = asset_facts(settings["orbit"] is not None)
        if assets != self.receipt["assets"]:
            raise ReceiptError(
                "The receipt was made with another face template or Gaussian head than this "
                "version's."
            )

    def other_versions(self, now: Mapping) -> str | None:
        """One sentence on what differs between the receipt's "made_with" and that of now."""
        then, here = _flat(self.receipt["made_with"]), _flat(now)
        if not here["renderer"]:  # nothing was drawn
            here["renderer"] = then["renderer"]
        names = [name for name in {**then, **here} if then.get(name) != here.get(name)]
        changes = [f"{name} {then.get(name)} (here {here.get(name)})" for name in names]
        if not changes:
            return None
        return f"The receipt was made with {', '.join(changes)}; the files may differ."

    def outcomes(self, results: Mapping[str, Mapping]) -> Iterator[tuple[str, str]]:
        """(name, `SAME`, `DIFFERS` or `UNKNOWN`) of each result that was made now."""
        for name, facts in results.items():
            then = self.receipt["results"].get(name)
            yield name, UNKNOWN if then is None else SAME if then == facts else DIFFERS


def _one_list(now: Mapping, then: Mapping) -> bool:
    """Weights without files, which are made in memory, are known by source and digest."""
    return (now["source"], now["manifest"]) == (then["source"], then["manifest"])


def _described(weights: Mapping) -> str:
    where = weights["source"]
    if weights["repo"]:
        where = f"{where} {weights['repo']}@{weights['revision']}"
    return f"{where}, manifest {weights['manifest'][:12]}..."


def _flat(made_with: Mapping) -> dict:
    rest = {name: value for name, value in made_with.items() if name != "packages"}
    return {"learn2talk": None, **made_with["packages"], **rest}
