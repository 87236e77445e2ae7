"""Deaths and hangs in the middle of a job: what its visitor is told, and how soon all is well."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from gradio_client.exceptions import AppError

from reliability.app import DRAWING, WORKER, App, ask

# name: (process, signal)
FAULTS = {
    "worker killed": (WORKER, signal.SIGKILL),
    "worker's memory violated": (WORKER, signal.SIGSEGV),
    "drawing process killed": (DRAWING, signal.SIGKILL),
    "drawing process' memory violated": (DRAWING, signal.SIGSEGV),
}


@dataclass(frozen=True)
class Recovery:
    """told: the sentence of the job that was hit; back: seconds until another visitor's job, in
    line meanwhile, was done; usual: what that job takes."""

    fault: str
    told: str
    back: float
    usual: float


def hit(app: App, long: Path, short: Path, name: str) -> Recovery:
    """One fault in the middle of a long job, with another visitor's job behind it."""
    module, how = FAULTS[name]
    mine, other, told, done = app.client(), app.client(), [], []
    begun = time.monotonic()
    ask(other, short, size=256)
    usual = time.monotonic() - begun

    def order() -> None:
        try:
            ask(mine, long, size=512)
            told.append("")
        except AppError as refusal:
            told.append(str(refusal))

    def order_behind() -> None:
        ask(other, short, size=256)
        done.append(time.monotonic())

    hit_one, waiting = Thread(target=order), Thread(target=order_behind)
    hit_one.start()
    while not app.health()["queue"]["running"]:
        time.sleep(0.02)
    waiting.start()
    while not ((drawing := app.child(DRAWING)) and drawing.children()):
        time.sleep(0.02)  # until its encoder is at work
    app.child(module).send_signal(how)
    then = time.monotonic()
    hit_one.join(), waiting.join()
    return Recovery(name, told[0], done[0] - then, usual)


def cancelled(app: App, long: Path) -> float:
    """Seconds from a cancel to a free worker."""
    client = app.client()
    thread = Thread(target=lambda: _ignored(client, long))
    thread.start()
    while not app.health()["queue"]["running"]:
        time.sleep(0.02)
    time.sleep(1.0)
    then = time.monotonic()
    client.predict(api_name="/cancel")
    while app.health()["queue"]["running"]:
        time.sleep(0.01)
    took = time.monotonic() - then
    thread.join()
    return took


def _ignored(client, recording: Path) -> None:
    try:
        ask(client, recording, size=512)
    except AppError:
        return
