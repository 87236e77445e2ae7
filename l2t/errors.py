"""The project's own exceptions: each message is one sentence fit for a visitor's eyes."""


class L2TError(Exception):
    """Base of every error that Learn2Talk raises on purpose.

    The message says what was wrong, what was found and what is accepted; it holds no
    file-system path of the server and no traceback.
    """


class SpeechError(L2TError):
    """The recording cannot be read, or is outside what is accepted."""


class FaceError(L2TError):
    """A face template is broken, or a name of identity, region or view is unknown."""


class WeightsError(L2TError):
    """Weights are missing, damaged or do not fit the models."""


class RenderError(L2TError):
    """A picture or a film could not be made."""


class OutputError(L2TError):
    """A result could not be written."""


class Cancelled(L2TError):
    """The job was cancelled by its owner or ran past its deadline."""


class Busy(L2TError):
    """Too many jobs are waiting, or there is no room for another; nothing was started."""


class JobFailed(L2TError):
    """The job met an error that nobody foresaw; the log holds the details."""


class WorkerError(L2TError):
    """The process that does the work ended, or could not be started."""


def named(name: str, message: str) -> L2TError:
    """The error of that class name, as it comes over a line between two of our processes."""
    found = globals().get(name)
    known = isinstance(found, type) and issubclass(found, L2TError)
    return (found if known else JobFailed)(message)
