"""Programs of a test's own in the place of a decoding child."""

import subprocess
import sys

from l2t import decoder

PREAMBLE = """import sys, time, struct
def send(tag, payload):
    sys.stdout.buffer.write(struct.pack('<cI', tag, len(payload)) + payload)
    sys.stdout.flush()
"""


def install(monkeypatch, program: str) -> list[subprocess.Popen]:
    """From now on `program` is what decodes, with `send(tag, payload)`; returns its processes."""
    started = []

    def start(module, file, options):
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", PREAMBLE + program], stdin=file, stdout=subprocess.PIPE
        )
        started.append(process)
        return process

    monkeypatch.setattr(decoder, "start_child", start)
    return started
