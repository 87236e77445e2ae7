"""The variants of the student: what each is, and which of them a set of weights holds.

They differ in what trained them, not in how they are asked, so that a table or a visitor can
compare them. A variant is a role in the weights' manifest; one that is not there is not offered.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from l2t.errors import FaceError, WeightsError
from l2t.manifest import read_json, read_manifest
from l2t.values import shown

if TYPE_CHECKING:
    from l2t.weights import Weights


@dataclass(frozen=True)
class Variant:
    """name: what is typed; role: in the manifest; title, line: what people read."""

    name: str
    role: str
    title: str
    line: str


DEFAULT = Variant("default", "student", "Default", "the student that speaks everywhere else.")
COMPARED = (
    Variant("full", "student_full", "Full", "learnt from real faces, the sync expert and the "
            "lip reader."),
    Variant("lipread", "student_lipread", "Without sync loss", "learnt from real faces and the "
            "lip reader, without the sync expert."),
    Variant("sync", "student_sync", "Without lipread loss", "learnt from real faces and the "
            "sync expert, without the lip reader."),
    Variant("reconstruction", "student_reconstruction", "Reconstruction only", "learnt from real "
            "faces alone, without sync expert and lip reader."),
    Variant("faceformer", "student_faceformer", "FaceFormer-style baseline", "one frame after the "
            "other from those before, learnt from real faces alone."),
)  # fmt: skip
EVERY = (DEFAULT, *COMPARED)
DEBUG = ("student", "student_full", "student_reconstruction")  # roles of the random models


def offered(roles: Collection[str], shipped: str = "") -> tuple[Variant, ...]:
    """The variants whose roles are there, the default first.

    shipped: name of the variant that the default is; it then stands for both.
    """
    default = DEFAULT
    for variant in COMPARED:
        if variant.name == shipped:
            default = replace(variant, role=DEFAULT.role, title=f"{variant.title} (default)")
    there = (v for v in COMPARED if v.role in roles and v.name != default.name)
    return (default, *there)


def variants_of(weights: "Weights") -> tuple[Variant, ...]:
    """Those of checked weights; `"variant"` in the student's configuration names the default's.

    Raises WeightsError.
    """
    if weights.folder is None:
        return offered(DEBUG)
    manifest = read_manifest(weights.folder)
    entry = manifest.entry(DEFAULT.role, ".json")
    try:
        config = read_json((weights.folder / entry.name).read_bytes(), entry.name)
    except OSError:
        raise WeightsError(f"{entry.name} of the weights cannot be read.") from None
    return offered(manifest.roles, config.get("variant", ""))


def find(variants: tuple[Variant, ...], name: str | None) -> Variant:
    """By name; None and "default" are the first. Raises FaceError, which lists what there is."""
    by_name = {DEFAULT.name: variants[0]} | {variant.name: variant for variant in variants}
    wanted = DEFAULT.name if name is None else name
    if isinstance(wanted, str) and wanted in by_name:
        return by_name[wanted]
    names = ", ".join(variant.name for variant in variants)
    raise FaceError(f"There is no variant {shown(name)} in these weights; choose one of {names}.")


def find_each(variants: tuple[Variant, ...], names: Sequence[str | None]) -> tuple[Variant, ...]:
    """All by name. Raises FaceError, also when one is named twice or none at all."""
    if not isinstance(names, tuple | list) or not names:
        raise FaceError(f"A list of variants is expected, found {shown(names)}.")
    found = tuple(find(variants, name) for name in names)
    for variant in found:
        if found.count(variant) > 1:
            raise FaceError(
                f"The variant {variant.name!r} cannot be compared with itself; "
                "choose two different ones."
            )
    return found


def opponents(variants: tuple[Variant, ...]) -> tuple[Variant, Variant]:
    """The two to compare at first: the default, and what it is like without the added losses."""
    plain = [variant for variant in variants[1:] if variant.name == "reconstruction"]
    return variants[0], (plain or variants)[0 if plain else -1]
