"""The answer to a request that is turned away before Gradio sees it: a status and one sentence."""

import json

from l2t.errors import L2TError


class Refusal(L2TError):
    """status: of HTTP, 400 to 507; the message is one sentence for who asked."""

    def __init__(self, status: int, sentence: str):
        super().__init__(sentence)
        self.status = status

    def body(self, as_text: bool) -> tuple[bytes, bytes]:
        """Content type and body; the page shows the text of a refused upload as it is."""
        if as_text:
            return b"text/plain; charset=utf-8", str(self).encode()
        told = {"detail": str(self), "error": str(self)}
        return b"application/json", json.dumps(told).encode()
