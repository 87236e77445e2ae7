"""What a failure of the Hub client means, as the end of "Hub repository org/name ...".

Imports huggingface_hub: used by the child process only.
"""

import errno

import httpx2
from huggingface_hub import errors as hub

from l2t.hub_guard import Refused

# Everything that huggingface_hub 2 raises for a request or for its cache.
FAILURES = (hub.EntryNotFoundError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError)

_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def reason(error: BaseException, name: str, revision: str, seconds: float) -> str:
    """Predicate for a failed request for the file `name`; `seconds`: the time-out for an answer."""
    if isinstance(error, hub.LocalEntryNotFoundError) and error.__cause__:
        error = error.__cause__  # a wrapper around what really happened
    if isinstance(error, Refused):
        return str(error)
    for kind, text in (
        (hub.GatedRepoError, "is gated: its conditions must be accepted and HF_TOKEN be set"),
        (hub.DisabledRepoError, "is disabled"),
        (hub.RepositoryNotFoundError, "was not found, or is private"),
        (hub.RevisionNotFoundError, f"has no revision {revision}"),
        (hub.RemoteEntryNotFoundError, f"does not hold {name}"),
        (hub.OfflineModeIsEnabled, "was not asked, for HF_HUB_OFFLINE is set"),
        (hub.FileMetadataError, "does not answer like a Hub"),
        (httpx2.TooManyRedirects, "sends its visitors round in circles"),
        (httpx2.UnsupportedProtocol, "sends its visitors on to an address that is not accepted"),
        (httpx2.TimeoutException, f"did not answer within {seconds:g} s"),
        (httpx2.RemoteProtocolError, f"broke off while sending {name}"),
        (httpx2.ReadError, f"broke off while sending {name}"),
    ):
        if isinstance(error, kind):
            return text
    if isinstance(error, hub.HfHubHTTPError):
        return f"answered with error {error.response.status_code}"
    if isinstance(error, httpx2.HTTPError | httpx2.InvalidURL):
        return "could not be reached"
    return _local_reason(error, name)


def _local_reason(error: BaseException, name: str) -> str:
    code = getattr(error, "errno", None)
    if code in _NOT_WRITABLE:
        return f"could not be saved: the cache cannot be written ({name})"
    if code in _FULL:
        return f"could not be saved: the disk is full ({name})"
    if "Consistency check" in str(error):  # huggingface_hub's words for a wrong length
        return f"sent {name} with a wrong length"
    return f"could not be fetched ({type(error).__name__} at {name})"
