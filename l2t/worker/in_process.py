"""The work in this process: where a GPU is lent by the call, and for tests.

There is nothing to kill here: a job that does not stop is left behind with its models, and others
are loaded.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from l2t.errors import Cancelled, JobFailed, L2TError
from l2t.family import held_by
from l2t.lipjobs import LipOrder, read_lips
from l2t.logs import job_context
from l2t.speech import Limits
from l2t.work import practise, work
from l2t.worker.about import About

if TYPE_CHECKING:
    from l2t.jobs import Job, Result
    from l2t.lipjobs import LipResult
    from l2t.talkingface import TalkingFace

log = logging.getLogger(__name__)
LOOK = 0.02  # s between two looks at a job that is being done


class InProcess:
    """The same calls as `supervised.Supervised`.

    load: makes the `TalkingFace`; gpu: decorator of the inference calls and of nothing else
    (`spaces.GPU` where one is lent); grace: seconds that a stopped job has to notice it.
    """

    def __init__(
        self, load: "Callable[[], TalkingFace]", limits: Limits | None = None,
        gpu: Callable[[Callable], Callable] | None = None, grace: float = 10.0,
    ):  # fmt: skip
        self._load, self._limits, self._grace = load, limits or Limits(), grace
        self._lent = gpu is not None
        self._infer = gpu(self._animate) if gpu else self._animate
        self._look = gpu(self._read) if gpu else self._read
        self._face: TalkingFace | None = None
        self._job: Job | None = None
        self._closing, self._warm = threading.Event(), False
        self.about: About | None = None
        self.starts = 0

    def begin(self) -> None:
        """Nothing can be started ahead."""

    def start(self) -> About:
        """Loads the models unless they are there. Raises what loading met."""
        if self._face is None:
            self.starts += 1
            try:
                self._face = self._load()
            except L2TError:
                raise
            except Exception as error:
                log.exception("the models cannot be loaded")
                sentence = "The models could not be loaded; see the server's log."
                raise JobFailed(sentence) from error
            self.about, self._warm = About.of(self._face), False
        return self.about

    def warm_up(self) -> None:
        """A tiny take that nobody sees; left out where a GPU is lent by the call."""
        if not self._warm and not self._lent:
            try:
                with TemporaryDirectory(prefix="learn2talk-practice-") as folder:
                    practise(self._face, Path(folder), cancelled=self._closing.is_set)
            except Exception:
                log.warning("the practice take failed; the first job will tell", exc_info=True)
        self._warm = True

    def do(self, job: "Job") -> "Result | LipResult":
        """Has one job done, in a thread that is left behind if it does not stop. L2TError."""
        found: dict = {}
        thread = threading.Thread(target=self._try, args=(job, found), name=job.id, daemon=True)
        thread.start()
        stopping = None
        while thread.is_alive():
            thread.join(LOOK)
            if job.should_stop():
                stopping = stopping or time.monotonic()
                if time.monotonic() - stopping > self._grace:
                    log.error("job %s does not stop; its models are left behind", job.id)
                    self._face = None
                    raise Cancelled("The job was cancelled.")
        self.about = replace(self.about, renderer=self._face.renderer)
        if "error" in found:
            raise found["error"]
        return found["result"]

    @property
    def ready(self) -> bool:
        """Whether a job can be taken."""
        return self._face is not None and self._warm

    def look(self) -> None:
        """There is nobody to listen to."""

    def memory(self) -> int:
        """Bytes that this process and all it started hold."""
        return held_by(os.getpid())

    def close(self) -> None:
        """Ends the drawing process."""
        self._closing.set()
        if self._face is not None:
            self._face.close()

    def _try(self, job: "Job", found: dict) -> None:
        """The job's result or error, in `found`; what is logged meanwhile names the job."""
        self._job = job
        try:
            with job_context(job.id):
                if isinstance(job.order, LipOrder):
                    found["result"] = read_lips(job, in_context(job, self._look), self._limits)
                else:
                    infer = in_context(job, self._infer)
                    found["result"] = work(job, self._face, infer, self._limits)
        except Exception as error:  # noqa: BLE001 (raised again in the thread that waits)
            found["error"] = error

    def _animate(self, speech, style, identity, variants, head, seed):
        """The inference call: plain values in and out, as it may run in a process of its own.

        Progress and cancel belong to the running job; in a forked GPU process they are idle.
        """
        job = self._job
        return self._face.animate_each(
            speech, variants, style=style, identity=identity, progress=job.report,
            cancelled=job.should_stop, head=head, seed=seed,
        )  # fmt: skip

    def _read(self, speech, noise, mouths, rules):
        """As `_animate`, for the lip reading tab."""
        job = self._job
        return self._face.lips.read(speech, noise, mouths, rules, job.report, job.should_stop)


def in_context(job: "Job", call: Callable) -> Callable:
    """The call in the context in which its job was ordered, which a lent GPU is charged to."""

    def named(*arguments):
        with job_context(job.id):
            return call(*arguments)

    return partial(job.context.run, named)
