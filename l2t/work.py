"""What is done for one job: recording -> speech -> take -> files -> film."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from l2t.errors import Cancelled
from l2t.export import write_arkit_csv, write_glb, write_npz
from l2t.jobs import Job, Result, Said
from l2t.movement import Movement
from l2t.receipt_schema import NAME as RECEIPT
from l2t.render.scene import check_size, check_view
from l2t.speech import SAMPLE_RATE, Limits, Speech, load_speech

if TYPE_CHECKING:
    from l2t.talkingface import Take, TalkingFace

log = logging.getLogger(__name__)
PRACTICE = "practice"  # name of the recording that warms everything up


def work(job: Job, face: "TalkingFace", infer: Callable, limits: Limits) -> Result:
    """The whole way of one job; the film comes last, as it costs the most.

    infer: (speech, style, identity, variants, head, seed) -> takes, plain values only.
    Raises L2TError.
    """
    begun, order = time.monotonic(), job.order
    job.report("listening", 0.0)
    check_view(order.view), check_size(order.size)  # before the work, not after it
    Movement(order.head, order.seed)
    if order.orbit:
        order.orbit.check()
    speech = load_speech(order.recording, limits, job.should_stop)
    job.check()
    takes = infer(speech, order.style, order.identity, order.variants, order.head, order.seed)
    job.check()
    said = tuple(_export(take, face, job.folder, len(takes) > 1) for take in takes)
    splats = face.write_splats(job.folder) if order.orbit else ()
    film = _film(job, face, takes)
    job.check()
    receipt = _receipt(job, face, takes, result_files(said, film, splats))
    return Result(order, said, film, time.monotonic() - begun, receipt, splats)


def result_files(said: tuple[Said, ...], film: Path, splats: tuple[Path, ...]) -> dict[str, Path]:
    """Every file of a result under its name in a receipt."""
    files = {"film": film} | dict(zip(("ply", "splat"), splats, strict=False))
    for own in said:
        end = f"-{own.take.variant.name}" if len(said) > 1 else ""
        files |= {f"csv{end}": own.csv, f"motion{end}": own.npz, f"glb{end}": own.glb}
    return files


def _receipt(job: Job, face: "TalkingFace", takes: "tuple[Take, ...]", files: dict) -> Path:
    """What made the files, beside them; see `l2t.receipt`."""
    from l2t.receipt import receipt_of, write_receipt

    path = job.folder / RECEIPT
    write_receipt(receipt_of(job.order, takes, files, face.renderer, face.device), path)
    return path


def _film(job: Job, face: "TalkingFace", takes: "tuple[Take, ...]") -> Path:
    order, path = job.order, job.folder / "learn2talk.mp4"
    if order.orbit:
        return face.render_avatar(
            takes[0], path, order.orbit, order.size, job.report, job.should_stop
        )
    return face.render(
        takes, path, view=order.view, size=order.size, progress=job.report,
        cancelled=job.should_stop,
    )  # fmt: skip


def practise(face: "TalkingFace", runs: Path, cancelled: Callable[[], bool]) -> None:
    """A whole take of a third of a second of hum: imports, kernels and the renderer get warm."""
    hum = 0.1 * np.sin(2 * np.pi * 150 * np.arange(SAMPLE_RATE // 3) / SAMPLE_RATE)
    film = runs / "practice.mp4"
    try:
        take = face.animate(Speech(hum, name=PRACTICE), cancelled=cancelled)
        face.render(take, film, size=256, cancelled=cancelled)
    except Cancelled:
        pass  # a real job came in
    finally:
        film.unlink(missing_ok=True)


def _export(take: "Take", face: "TalkingFace", folder: Path, named: bool) -> Said:
    """The motion as files; `named`: after their variant, as there are several."""
    start = f"learn2talk-{take.variant.name}" if named else "learn2talk"
    names = ("arkit.csv", "motion.npz", "head.glb")
    csv, npz, glb = (folder / f"{start}-{name}" for name in names)
    write_arkit_csv(take.motion, csv)
    write_npz(take.motion, npz)
    write_glb(take.motion, glb, face.template, take.identity)
    return Said(take, take.sync.to_json(), csv, npz, glb)
