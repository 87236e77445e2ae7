"""Transcripts of any English speech, by Whisper's own decoder, where its weights already are.

The embedded encoder is only Whisper's first layers; words outside the GRID corpus need the whole
model.  It is used when it lies in the Hub's local cache, and never fetched from here.
"""

import logging
from functools import cache

import numpy as np

log = logging.getLogger(__name__)
MODEL = "openai/whisper-tiny.en"
FILES = ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json")


def available() -> bool:
    """Whether every file of MODEL is in the Hub's local cache."""
    from huggingface_hub import try_to_load_from_cache

    return all(isinstance(try_to_load_from_cache(MODEL, name), str) for name in FILES)


def transcribe(samples: np.ndarray) -> str | None:
    """What is said in sound (n,) at 16 kHz; None where MODEL is not there or does not load."""
    if not available():
        return None
    try:
        processor, model = _loaded()
    except (OSError, ValueError) as error:
        log.warning("Whisper is there but does not load: %s", error)
        return None
    features = processor(samples, sampling_rate=16000, return_tensors="pt").input_features
    return processor.batch_decode(model.generate(features), skip_special_tokens=True)[0].strip()


@cache
def _loaded():
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    processor = WhisperProcessor.from_pretrained(MODEL, local_files_only=True)
    model = WhisperForConditionalGeneration.from_pretrained(MODEL, local_files_only=True)
    return processor, model.eval()
