"""What is said in the head of every answer: how a browser may use it."""

import base64
import hashlib
import re

from l2t.ui.guard.routes import Kind

Headers = list[tuple[bytes, bytes]]

# Inside of these a Space's page is shown; every other site is refused to frame it.
FRAMES = "'self' https://huggingface.co https://*.huggingface.co https://*.hf.space"
HUB = "https://huggingface.co"  # a page on a Space shows there whose Space it is
COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}
# A file of a visitor, opened by itself: it is looked at or listened to, and runs nothing.
FILE_POLICY = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'"
MEDIA = re.compile(rb"(audio|video)/|image/(png|jpeg|gif|webp)")
# Gradio answers to a range with the request's own headers; these are the answer's.
FILE_HEADERS = {
    b"accept-ranges", b"content-disposition", b"content-length", b"content-range",
    b"content-type", b"etag", b"last-modified",
}  # fmt: skip
_SCRIPT = re.compile(rb"<script(?P<what>[^>]*)>(?P<text>.*?)</script>", re.DOTALL | re.IGNORECASE)


def page_policy(html: bytes, on_space: bool) -> str:
    """The Content-Security-Policy of the page: its own scripts by their sha256, nothing from afar.

    Scripts that get into it later (by a name, a transcript) have no such hash and do not run.
    Gradio makes functions out of the page's own texts (`js_on_load`), hence 'unsafe-eval', and
    styles elements one by one, hence 'unsafe-inline' there.
    """
    inline = (match for match in _SCRIPT.finditer(html) if b"src=" not in match["what"])
    hashes = (base64.b64encode(hashlib.sha256(match["text"]).digest()) for match in inline)
    scripts = " ".join(f"'sha256-{each.decode()}'" for each in hashes)
    hub = f" {HUB}" if on_space else ""
    rules = (
        "default-src 'self'",
        f"script-src 'self' blob: 'unsafe-eval' {scripts}",
        "style-src 'self' 'unsafe-inline'",
        f"img-src 'self' data: blob:{hub}",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        f"connect-src 'self' data: blob:{hub}",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        f"frame-ancestors {FRAMES}",
    )
    return "; ".join(rules)


def dressed(headers: Headers, kind: Kind) -> Headers:
    """The headers of an answer with ours; those that came with it and are ours are replaced."""
    ours = dict(COMMON)
    if kind is Kind.FILE:
        headers = [(name, value) for name, value in headers if name.lower() in FILE_HEADERS]
        ours |= {"content-security-policy": FILE_POLICY, "cache-control": "private, no-cache"}
        if not MEDIA.match(dict(headers).get(b"content-type", b"")):
            headers = [_attached(name, value) for name, value in headers]
    elif kind is not Kind.PAGE and kind is not Kind.PLAIN:
        ours["cache-control"] = "no-store"
    kept = [(name, value) for name, value in headers if name.lower().decode() not in ours]
    return kept + [(name.encode(), value.encode()) for name, value in ours.items()]


def _attached(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """To be saved instead of shown."""
    if name.lower() == b"content-disposition":
        value = re.sub(rb"^\s*inline", b"attachment", value, flags=re.IGNORECASE)
    return name, value
