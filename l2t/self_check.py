"""Whether recordings can be decoded here at all: found out at the start, not by a visitor."""

import functools
import logging
import tempfile
import wave
from pathlib import Path

from l2t.speech import SAMPLE_RATE, load_speech

log = logging.getLogger(__name__)


@functools.cache
def check_decoder() -> None:
    """Decodes half a second of silence, unless that worked before. Raises SpeechError."""
    try:
        with tempfile.TemporaryDirectory(prefix="learn2talk-check-") as folder:
            load_speech(_silence(Path(folder)))
    except OSError as error:  # such as a full disk, which says nothing of the decoder
        log.warning("the decoder was not tried: %s", error.strerror)


def _silence(folder: Path) -> Path:
    path = folder / "silence.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        out.writeframes(bytes(SAMPLE_RATE))
    return path
