"""The process that owns models and renderer and does one job at a time.

Started by `supervised.py` as `python -m l2t.worker.main FD`; speaks over the connection FD:
    -> Start              <- Ready, then Warm | Refused
    -> Begin              <- Progress..., then Done | Refused
    -> CANCEL while a job is done
"""

import contextlib
import importlib
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from l2t.errors import L2TError
from l2t.logs import configure, job_context
from l2t.orphan import end_with_parent
from l2t.worker import faults
from l2t.worker.about import About
from l2t.worker.messages import CANCEL, Begin, Done, Ready, Refused, Start, Warm
from l2t.worker.task import Task

log = logging.getLogger("l2t.worker.main")  # run as a program, its name would be another
UNFORESEEN = "Something went wrong on our side; your recording is untouched, try again."
NOT_LOADED = "The models could not be loaded; see the server's log."


def main(argv: list[str]) -> None:
    """Serves jobs until the service closes the connection."""
    connection = Connection(int(argv[0]))
    configure()
    end_with_parent()
    with contextlib.suppress(OSError):  # where memory runs out, the server itself shall stay
        Path("/proc/self/oom_score_adj").write_text("500")
    with contextlib.suppress(EOFError, ConnectionError):  # the service is gone
        serve(connection)


def serve(line: Connection) -> None:
    """Loads, gets warm, answers each job."""
    face = answered(line, partial(load, line.recv()), NOT_LOADED)
    if face is None:
        return
    try:
        line.send(Ready(About.of(face)))
        warm_up(face)
        line.send(Warm(face.renderer))
        while True:
            message = line.recv()
            if message != CANCEL:  # one that came too late for the job before
                with job_context(message.id):
                    do(face, message, line)
    finally:
        face.close()


def load(start: Start):
    """Calls the maker that `start` names."""
    module, _, name = start.make.partition(":")
    return getattr(importlib.import_module(module), name)(**start.arguments)


def do(face, begin: Begin, line: Connection) -> None:
    """One job to its end, whatever end that is; a second try where memory ran out."""
    task = Task(begin, line)
    made = answered(line, partial(make, face, task, begin), UNFORESEEN, again=True)
    if made is not None:
        line.send(Done(made, face.renderer))


def make(face, task: Task, begin: Begin):
    """The job's result. Raises L2TError."""
    from l2t.lipjobs import LipOrder, read_lips
    from l2t.work import work

    if isinstance(begin.order, LipOrder):
        def look(speech, noise, mouths, rules):
            return face.lips.read(speech, noise, mouths, rules, task.report, task.should_stop)

        return read_lips(task, look, begin.limits)

    def infer(speech, style, identity, variants, head, seed):
        return face.animate_each(
            speech, variants, style=style, identity=identity, progress=task.report,
            cancelled=task.should_stop, head=head, seed=seed,
        )  # fmt: skip

    return work(task, face, infer, begin.limits)


def answered(line: Connection, work: Callable, otherwise: str, again: bool = False):
    """What `work` gives, or None after the line was told why there is nothing.

    again: whether to try once more where memory ran out. Ends the process when the card failed.
    """
    try:
        return work()
    except L2TError as error:
        line.send(Refused(type(error).__name__, str(error)))
    except (EOFError, ConnectionError):
        raise
    except Exception as error:  # whatever it is, the visitor gets a sentence
        fault = faults.fault_of(error)
        log.exception("failed%s", f" ({fault})" if fault else "")
        if fault == faults.POISONED:
            sys.stderr.flush()
            os._exit(faults.POISONED_STATUS)  # nothing after this error can be trusted
        if fault == faults.MEMORY:
            traceback.clear_frames(error.__traceback__)  # they hold what has to be freed
        else:
            line.send(Refused("JobFailed", otherwise))
            return None
        faults.free()
        if again:
            return answered(line, work, otherwise)
        line.send(Refused("JobFailed", faults.NO_MEMORY))
    return None


def warm_up(face) -> None:
    """A tiny take that nobody sees, so that the first visitor does not wait for imports."""
    from l2t.work import practise

    try:
        with tempfile.TemporaryDirectory(prefix="learn2talk-practice-") as folder:
            practise(face, Path(folder), cancelled=lambda: False)
    except Exception:  # the first job will meet it again and tell
        log.warning("the practice take failed; the first job will tell", exc_info=True)


if __name__ == "__main__":
    main(sys.argv[1:])
