"""The receipt of a take: what made it, from what, and the sha256 of every file that came out.

    receipt = receipt_of(order, takes, {"film": path, "motion": other}, renderer, device)
    write_receipt(receipt, folder / "learn2talk.json")

It holds no path, no user and no time, so that the same work gives the same receipt.
`python -m l2t --replay learn2talk.json speech.wav` makes the files again and compares them
(`l2t.replay`); `l2t.receipt_schema` reads a receipt that somebody else wrote.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l2t.avatar.avatar import FOLDER as AVATAR
from l2t.blinks import seed_of
from l2t.errors import OutputError, SpeechError, WeightsError
from l2t.face import ASSET as FACE
from l2t.manifest import read_manifest, sha256_of
from l2t.outputs import write_whole
from l2t.receipt_schema import SCHEMA, result_names
from l2t.speech import Speech
from l2t.variants import Variant
from l2t.versions import made_with
from l2t.weights import ROLES, Weights

if TYPE_CHECKING:
    from l2t.jobs import Order
    from l2t.takes import Take

SPLATTER = "Gaussian rasteriser"  # what draws the Gaussian head, whatever draws the others


def receipt_of(
    order: "Order",
    takes: "Sequence[Take]",
    files: Mapping[str, Path],
    renderer: str = "",
    device: str = "cpu",
) -> dict:
    """The receipt as JSON values.

    order: what was wanted; its recording is read again. takes: what was made, one a variant.
    files: by the names of `result_names`. renderer: what drew the film, `TalkingFace.renderer`;
    device: where the networks ran. Raises SpeechError, WeightsError or OutputError when a file
    cannot be read, ValueError for a name that is not known.
    """
    variants = [take.variant for take in takes]
    if unknown := files.keys() - result_names([variant.name for variant in variants]):
        raise ValueError(f"there are no results called {', '.join(sorted(unknown))}")
    painter = SPLATTER if order.orbit else renderer
    if "film" not in files or not painter:
        painter = None
    return {
        "schema": SCHEMA,
        "made_with": made_with(device) | {"renderer": painter},
        "weights": weight_facts(takes[0].weights, variants, moves=order.head != 0),
        "assets": asset_facts(avatar=order.orbit is not None),
        "settings": setting_facts(order, takes),
        "recording": recording_facts(order.recording, takes[0].speech),
        "results": {name: file_facts(path) for name, path in files.items()},
    }


def write_receipt(receipt: Mapping, path: Path) -> None:
    """As JSON with sorted keys, whole or not at all. Raises OutputError."""
    text = json.dumps(receipt, indent=1, sort_keys=True, allow_nan=False) + "\n"
    write_whole(Path(path), lambda part: part.write_text(text, encoding="ascii"))


def weight_facts(weights: Weights, variants: Iterable[Variant], moves: bool) -> dict:
    """Which weights, and the sha256 of each of their files that took part.

    moves: whether the head does. Raises WeightsError.
    """
    facts = {
        "source": weights.source,
        "repo": weights.repo,
        "revision": weights.revision,
        "manifest": weights.digest,
        "files": {},
    }
    if weights.folder is not None:
        roles = {*ROLES} - {"student"} | {variant.role for variant in variants}
        roles |= {"posevae"} if moves else set()
        manifest = read_manifest(weights.folder)
        if manifest.digest != weights.digest:
            raise WeightsError("The weights changed on disk after they were chosen; start again.")
        used = (entry for entry in manifest.entries if entry.role in roles)
        facts["files"] = {entry.name: entry.sha256 for entry in used}
    return facts


def asset_facts(avatar: bool) -> dict[str, str]:
    """Name -> sha256 of the face template, and of the Gaussian head where it took part."""
    names = ("avatar.json", "avatar.safetensors") if avatar else ()
    return {path.name: _sha256(path) for path in (FACE, *(AVATAR / name for name in names))}


def setting_facts(order: "Order", takes: "Sequence[Take]") -> dict:
    """The order's settings as they were used: names and seed in place of "the default"."""
    styles = {take.style for take in takes}
    orbit = order.orbit
    return {
        "identity": takes[0].identity,
        "style": styles.pop() if len(styles) == 1 else None,  # None: each variant's own first
        "variants": [take.variant.name for take in takes],
        "head": float(order.head),
        "seed": seed_of(takes[0].speech.samples) if order.seed is None else int(order.seed),
        "view": order.view,
        "size": int(order.size),
        "orbit": orbit and {"azimuth": float(orbit.azimuth), "elevation": float(orbit.elevation),
                            "zoom": float(orbit.zoom)},
    }  # fmt: skip


def recording_facts(path: Path, speech: Speech) -> dict:
    """What was said: the file's sha256, and that of the samples the networks heard.

    The samples are float32, little-endian, mono, 16 kHz, loudness normalised. Raises SpeechError.
    """
    try:
        size, digest = Path(path).stat().st_size, sha256_of(Path(path))
    except OSError:
        raise SpeechError("The recording cannot be read again for the receipt.") from None
    return {
        "name": speech.name,
        "seconds": speech.seconds,
        "bytes": size,
        "sha256": digest,
        "samples_sha256": samples_sha256(speech.samples),
    }


def samples_sha256(samples: np.ndarray) -> str:
    """Hexadecimal, of samples as little-endian float32."""
    return hashlib.sha256(np.ascontiguousarray(samples, "<f4").tobytes()).hexdigest()


def file_facts(path: Path) -> dict:
    """Length in bytes and sha256 of a result. Raises OutputError."""
    try:
        return {"bytes": Path(path).stat().st_size, "sha256": sha256_of(Path(path))}
    except OSError:
        raise OutputError(f"{Path(path).name} cannot be read for the receipt.") from None


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        raise OutputError(f"{path.name} cannot be read for the receipt.") from None
