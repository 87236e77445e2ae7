"""Which weights are active, from where and why: embedded, a folder, or a Hub repository.

The embedded weights are the floor: a Hub repository that cannot be used (missing, gated, silent,
cut off, damaged, offline) falls back to them, and `Weights.label` says so. A folder named
explicitly is different: its user wants that one, so a bad folder is an error.

Importing this module is cheap: torch comes in with `load_tensors`, the Hub client never.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.errors import WeightsError
from l2t.hub import HubRef, Unavailable, fetch
from l2t.manifest import Entry, Manifest, open_regular, read_json, read_manifest
from l2t.models.limits import check_config
from l2t.tensors import parse_tensors

if TYPE_CHECKING:
    from torch import Tensor

EMBEDDED = Path(__file__).resolve().parents[1] / "assets" / "weights"
REPO_VARIABLE = "L2T_HUB_REPO"
ROLES = ("encoder", "student", "syncnet3d")  # what a talking face cannot do without
MAX_CONFIG_BYTES = 1 << 20


@dataclass(frozen=True)
class Weights:
    """A weights folder that has been chosen and checked.

    folder: where the files lie; None for "debug", whose models are made in memory.
    source: "embedded", "hub", "folder" or "debug".
    label: one human sentence without full stop: which weights, from where, why.
    repo, revision: Hub repository and the commit in use; None unless source is "hub".
    digest: sha256 of the manifest, hexadecimal: the identity of the weights.
    """

    folder: Path | None
    source: str
    label: str
    digest: str
    repo: str | None = None
    revision: str | None = None


def resolve(spec: "str | Path | Weights | None" = None) -> Weights:
    """Choose the weights.

    spec: None or "" = the Hub repository in L2T_HUB_REPO, else the embedded ones; a folder; a Hub
    repository "org/name[@revision]"; "debug" = tiny random models; or what was chosen before, see
    `settled`. Raises WeightsError for a bad folder, or when the embedded weights themselves are
    unusable.
    """
    if isinstance(spec, Weights):
        return _chosen_before(spec)
    text = str(spec or "").strip()
    if text == "debug":
        digest = hashlib.sha256(b"debug").hexdigest()
        return Weights(None, "debug", "Tiny random models for tests, not trained", digest)
    if not text:
        return _from_environment(os.environ.get(REPO_VARIABLE, "").strip())
    ref = HubRef.parse(text)
    if isinstance(spec, Path) or ref is None or Path(text).is_dir():
        return _from_folder(Path(text).expanduser())
    return _from_hub(ref)


def embedded(reason: str | None = None) -> Weights:
    """The weights that travel with the package; `reason`: why not those that were asked for."""
    try:
        digest = _checked(EMBEDDED).digest
    except WeightsError as error:
        because = f" (needed because {reason})" if reason else ""
        raise WeightsError(f"The embedded weights cannot be used{because}: {error}") from None
    label = "Embedded default" + (f" ({reason})" if reason else "")
    return Weights(EMBEDDED, "embedded", label, digest)


def settled(spec: str | Path | None, found: Weights) -> "str | Path | Weights | None":
    """What to resolve to get `found` again, which `spec` gave: where a Hub had a say, it is not
    asked what it says now. A branch moves on, and a Hub that answers again would bring others.
    """
    return found if found.source in ("hub", "embedded") else spec


def _chosen_before(chosen: Weights) -> Weights:
    """The same commit of a Hub, without a request while it is sound in the cache, or the embedded
    ones, for the reason that there was.
    """
    if chosen.source == "hub":
        return _from_hub(HubRef(chosen.repo, chosen.revision))
    return replace(embedded(), label=chosen.label)


def load_tensors(weights: Weights, role: str) -> "tuple[dict, dict[str, Tensor]]":
    """(configuration, tensors by name) of a role such as "student"; floats come as float32.

    Length and sha256 are checked on the very bytes that are parsed, and the configuration's
    numbers against what a model of this project may ask for. Raises WeightsError.
    """
    if weights.folder is None:
        raise WeightsError("Debug weights are made in memory; there are no files to load.")
    manifest = read_manifest(weights.folder)
    if manifest.digest != weights.digest:
        raise WeightsError("The weights changed on disk after they were chosen; start again.")
    config = manifest.entry(role, ".json")
    if config.bytes > MAX_CONFIG_BYTES:
        raise WeightsError(f"{config.name} is longer than {MAX_CONFIG_BYTES} bytes.")
    tensors = manifest.entry(role, ".safetensors")
    values = read_json(_verified_bytes(weights.folder, config), config.name)
    check_config(values, config.name)
    return values, parse_tensors(_verified_bytes(weights.folder, tensors), tensors.name)


def _from_environment(configured: str) -> Weights:
    if not configured:
        return embedded()
    ref = HubRef.parse(configured)
    if ref is None:
        return embedded(f"{REPO_VARIABLE} is {configured[:80]!r}, not org/name[@revision]")
    return _from_hub(ref)


def _from_hub(ref: HubRef) -> Weights:
    try:
        snapshot = fetch(ref)
        digest = _checked(snapshot.folder).digest
    except Unavailable as failure:
        return embedded(f"Hub repository {ref.repo} {failure}")
    except WeightsError as error:
        return embedded(f"Hub repository {ref.repo} cannot be used: {str(error).rstrip('.')}")
    label = f"Hub repository {ref.repo} at {snapshot.commit[:7]} ({snapshot.how})"
    return Weights(snapshot.folder, "hub", label, digest, ref.repo, snapshot.commit)


def _from_folder(folder: Path) -> Weights:
    name = folder.name or "weights"
    if not folder.is_dir():
        raise WeightsError(
            f"There is no weights folder {name!r}; accepted are a folder with a manifest.json, "
            "or a Hub repository as org/name[@revision]."
        )
    try:
        digest = _checked(folder).digest
    except WeightsError as error:
        raise WeightsError(f"The weights folder {name!r} cannot be used: {error}") from None
    return Weights(folder, "folder", f"Folder {name}, as asked for", digest)


def _checked(folder: Path) -> Manifest:
    """The manifest of a folder that holds every role, each file sound; else WeightsError."""
    manifest = read_manifest(folder)
    missing = [role for role in ROLES if role not in manifest.roles]
    if missing:
        raise WeightsError(f"it holds no {', '.join(missing)}; needed are {', '.join(ROLES)}.")
    for name, problem in manifest.problems(folder).items():
        raise WeightsError(f"{name} {problem}.")
    return manifest


def _verified_bytes(folder: Path, entry: Entry) -> bytes:
    """The file's content once its length and sha256 agree with the manifest."""
    try:
        with open_regular(folder / entry.name) as file:
            data = file.read(entry.bytes + 1)
    except OSError:
        raise WeightsError(f"{entry.name} of the weights cannot be read.") from None
    if len(data) != entry.bytes or hashlib.sha256(data).hexdigest() != entry.sha256:
        raise WeightsError(f"{entry.name} of the weights is damaged: fetch or copy it again.")
    return data
