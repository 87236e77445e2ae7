"""The files of takes, by the names they have in a receipt, and how each is made."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from l2t.errors import OutputError
from l2t.export import write_arkit_csv, write_glb, write_npz
from l2t.outputs import write_whole

if TYPE_CHECKING:
    from l2t.jobs import Order
    from l2t.takes import Progress, Take
    from l2t.talkingface import TalkingFace

WRITERS: Mapping[str, Callable[["TalkingFace", "Take", Path], None]] = {
    "motion": lambda face, take, path: write_npz(take.motion, path),
    "csv": lambda face, take, path: write_arkit_csv(take.motion, path),
    "glb": lambda face, take, path: write_glb(take.motion, path, face.template, take.identity),
    "sync": lambda face, take, path: write_sync(take.sync, path),
}


def make_files(
    face: "TalkingFace",
    takes: "Sequence[Take]",
    order: "Order",
    wanted: Mapping[str, Path],
    progress: "Progress | None" = None,
) -> None:
    """Writes each wanted result, named as in `l2t.receipt_schema.result_names`; the film last, as
    it costs the most.

    Raises RenderError, OutputError, WeightsError where there is no Gaussian head.
    """
    for take in takes:
        end = f"-{take.variant.name}" if len(takes) > 1 else ""
        for kind, write in WRITERS.items():
            if path := wanted.get(kind + end):
                write(face, take, path)
    if splats := {kind: wanted[kind] for kind in ("ply", "splat") if kind in wanted}:
        _splats(face, splats)
    if film := wanted.get("film"):
        if order.orbit:
            face.render_avatar(takes[0], film, order.orbit, order.size, progress)
        else:
            face.render(tuple(takes), film, order.view, order.size, progress)


def write_sync(report, path: Path) -> None:
    """Write the report as JSON, null where a number is undefined; raises OutputError."""
    text = json.dumps(report.to_json(), allow_nan=False) + "\n"
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def _splats(face: "TalkingFace", wanted: Mapping[str, Path]) -> None:
    """Both files come at once, under names of their own."""
    for made in face.write_splats(next(iter(wanted.values())).parent):
        try:
            if path := wanted.get(made.suffix[1:]):
                made.replace(path)
            else:
                made.unlink()
        except OSError as error:
            reason = error.strerror or "an unknown reason"
            raise OutputError(f"{made.name} could not be written ({reason}).") from None
