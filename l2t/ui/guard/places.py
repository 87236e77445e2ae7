"""How many requests may be under way at a time, in all and from one address."""

import contextlib
import ipaddress
from collections import Counter
from collections.abc import Iterator

from l2t.ui.guard.refusal import Refusal


class Places:
    """How many may be inside at a time, and at most half of them from one public address."""

    def __init__(self, most: int, sentence: str):
        self.most, self.sentence = most, sentence
        self._inside: Counter[str] = Counter()

    @contextlib.contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Raises Refusal when there is no place."""
        own = self.most // 2 if _public(address) else self.most
        if self._inside.total() >= self.most or self._inside[address] >= own:
            raise Refusal(503, self.sentence)
        self._inside[address] += 1
        try:
            yield
        finally:
            self._inside[address] -= 1
            self._inside += Counter()  # forgets addresses with none


def _public(address: str) -> bool:
    """A private address may be a proxy that speaks for everybody."""
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
