"""What the Hub client's requests may do: where they go, how much they bring, what they may claim.

huggingface_hub trusts the server that it asks: it follows a redirect anywhere, takes a body of any
length, unpacks what was compressed, and makes file names out of the headers. Here each request and
each answer is looked at first; what is not accepted ends the exchange with `Refused`.
Imports huggingface_hub: used by the child process only.
"""

import ipaddress
import re
import socket
import sys
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

import httpx2
from huggingface_hub import constants, set_client_factory
from huggingface_hub.utils._http import default_client_factory

from l2t.manifest import MAX_MANIFEST_BYTES

MAX_REDIRECTS = 5
MAX_ASIDE_BYTES = 1 << 16  # of a body that is no file: an error's, a redirect's
PORTS = {"http": 80, "https": 443}
COMMIT = re.compile(r"[0-9a-f]{40}")
HUBS = ("huggingface.co", "hf.co")  # a mirror may send the client there
_SUM = re.compile(r'(W/)?"?[0-9a-f]{40}([0-9a-f]{24})?"?')  # git's or Git LFS's, as an ETag
_START = re.compile(r"bytes=(\d{1,12})-")


class Refused(httpx2.HTTPError):
    """The Hub's answer is not accepted; the message ends "Hub repository org/name ..."."""


class Guard:
    """Looks at every request and answer of this process' Hub client.

    expect: file name and its length in bytes, before a file is asked for.
    """

    def __init__(self):
        self.home = _origin(constants.ENDPOINT)
        self.at_home = False  # whether the request that is under way goes to the Hub itself
        self.expect("manifest.json", MAX_MANIFEST_BYTES)

    @cached_property
    def own(self) -> set[tuple]:
        """Addresses and ports that the operator's settings name: those may be private ones, as may
        a file store beside the Hub."""
        proxies = [url for scheme, url in getproxies().items() if scheme != "no"]
        return set().union(*map(_addresses, [constants.ENDPOINT, *proxies]))

    def expect(self, name: str, most: int, commit: str | None = None) -> None:
        """The next answers are about this file, of so many bytes or fewer, at this commit."""
        self.name, self.most, self.commit = name, most, commit

    def install(self) -> None:
        """Guard all requests and connections of this process from now on."""
        set_client_factory(self._client)
        sys.addaudithook(self._on_event)

    def _client(self) -> httpx2.Client:
        client = default_client_factory()
        client.max_redirects = MAX_REDIRECTS
        hooks = client.event_hooks
        client.event_hooks = {
            "request": [*hooks["request"], self.check_request],
            "response": [*hooks["response"], self.check_answer],
        }
        return client

    def check_request(self, request: httpx2.Request) -> None:
        """Raise Refused unless the request goes to the Hub, or without a token to a public host."""
        request.headers["Accept-Encoding"] = "identity"
        origin = _origin(str(request.url))
        self.at_home = origin == self.home
        if self.at_home:
            return
        scheme, host, _ = origin
        if scheme not in PORTS or (scheme == "http" and self.home[0] == "https"):
            raise Refused("sends its visitors on to an address that is not accepted")
        self._check_place(host, origin[2])
        request.headers.pop("authorization", None)
        request.headers.pop("cookie", None)

    def check_answer(self, answer: httpx2.Response) -> None:
        """Raise Refused for headers that are not a Hub's; bounds the body."""
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(f"sent {self.name} compressed, though it was not asked to")
        if answer.request.method == "HEAD":
            self._check_names(answer)
        most = self.most if answer.is_success else MAX_ASIDE_BYTES
        size = answer.headers.get("x-linked-size") or answer.headers.get("content-length") or "0"
        if answer.is_success or "x-linked-size" in answer.headers:
            if not (size.isascii() and size.isdigit() and len(size) < 16):
                raise Refused(f"gives {self.name} a length that is no number")
            if int(size) > self.most:
                raise Refused(f"has {self.name} with {int(size)} bytes, {self.most} are expected")
        start = _START.match(answer.request.headers.get("range", ""))
        if start and answer.status_code == 206:
            most -= int(start[1])
        answer.stream = _Bounded(answer.stream, most, self.name)

    def _check_names(self, answer: httpx2.Response) -> None:
        """Commit and sum, of which the client makes names of folders and files."""
        commit = answer.headers.get("x-repo-commit")
        if commit is not None and not (COMMIT.fullmatch(commit) and self.commit in (None, commit)):
            raise Refused("does not answer like a Hub")
        linked = answer.headers.get("x-linked-etag")
        if answer.has_redirect_location and linked is None:
            target = urljoin(str(answer.request.url), answer.headers["location"])
            fine = _origin(target)[1] in (self.home[1], *HUBS)  # the client asks again there
        else:
            fine = answer.is_error or _SUM.fullmatch(linked or answer.headers.get("etag", ""))
        if not fine:
            raise Refused("does not answer like a Hub")

    def _on_event(self, event: str, details: tuple) -> None:
        """Keep connections out of private networks, whatever a name stood for."""
        if event == "socket.connect" and not self.at_home and isinstance(details[1], tuple):
            self._check_place(*details[1][:2])

    def _check_place(self, host: str, port: int) -> None:
        try:
            address = _address(host)
        except ValueError:
            return  # a name: it is looked at again as an address
        public = address.is_global and not address.is_multicast
        if not public and (address, port) not in self.own:
            raise Refused("sends its visitors on into a private network")


class _Bounded(httpx2.SyncByteStream):
    """A body that may not be longer than expected."""

    def __init__(self, stream: httpx2.SyncByteStream, most: int, name: str):
        self.stream, self.most, self.name = stream, most, name

    def __iter__(self) -> Iterator[bytes]:
        left = self.most
        for block in self.stream:
            left -= len(block)
            if left < 0:
                raise Refused(f"sent more of {self.name} than the {self.most} bytes expected")
            yield block

    def close(self) -> None:
        self.stream.close()


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises Refused for a url that has none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise Refused("sends its visitors on to an address that is not accepted") from None


def _addresses(url: str) -> set[tuple]:
    """(address, port) of each machine that a url stands for; none where it cannot be found."""
    _, host, port = _origin(url if "://" in url else f"http://{url}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {(_address(where[0]), port) for *_, where in found}


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """All names that a machine has for itself count as one. ValueError for what is no address."""
    address = ipaddress.ip_address(host.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return ipaddress.ip_address("127.0.0.1") if address.is_loopback else address
