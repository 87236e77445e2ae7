"""The whole Whisper: English speech in, text out, one token after the other.

Made from three plain files that are checked before they are used; transformers' own loader would
look for newer ones on the Hub even when it is told not to, and takes pickles.

Model, tokens and thresholds: Radford et al., "Robust speech recognition via large-scale weak
supervision" (2022) and its code; the architecture is transformers' WhisperModel.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from inspect import signature
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from l2t.errors import WeightsError
from l2t.manifest import open_regular, read_json
from l2t.models.limits import check_config, check_fields
from l2t.models.trained import trained
from l2t.tensors import parse_tensors
from l2t.voice import SAMPLE_RATE

FILES = {"config.json": 1 << 16, "tokenizer.json": 1 << 23, "model.safetensors": 1 << 29}  # bytes
RULES, MAX_RULES = "generation_config.json", 1 << 16  # which tokens are never written; optional
SECONDS = 30  # of sound at a time, which is padded to that
START, END, PLAIN = "<|startoftranscript|>", "<|endoftext|>", "<|notimestamps|>"
QUIET = ("<|nospeech|>", "<|nocaptions|>")  # how the token for "nobody speaks" was called
SURELY_QUIET, UNSURE = 0.6, -1.0  # its probability; mean log probability of the text
TOKENS_A_SECOND = 10  # nobody speaks faster: a decoder that writes more goes in circles
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shape:
    """What is read of a configuration; the rest is alike in all of OpenAI's models."""

    vocab_size: int
    d_model: int
    encoder_layers: int
    encoder_attention_heads: int
    encoder_ffn_dim: int
    decoder_layers: int
    decoder_attention_heads: int
    decoder_ffn_dim: int
    num_mel_bins: int = 80
    max_source_positions: int = 1500
    max_target_positions: int = 448


class Network(nn.Module):
    """transformers' WhisperModel; the output layer is the table of token vectors."""

    def __init__(self, shape: Shape):
        super().__init__()
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperModel

        self.config = shape
        unused = dict.fromkeys(
            ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 0
        )
        self.model = WhisperModel(WhisperConfig(**asdict(shape), **unused))

    def hear(self, mel: Tensor) -> Tensor:
        """Log-mel (1, bands, 3000) -> what the decoder listens to, (1, 1500, width)."""
        return self.model.encoder(mel).last_hidden_state

    def writer(self, heard: Tensor) -> Callable[[list[int]], Tensor]:
        """A function of the next tokens (n) to log probabilities (n, vocabulary) of what follows
        each; it remembers the tokens before."""
        from transformers import DynamicCache, EncoderDecoderCache

        decoder = self.model.decoder
        past = EncoderDecoderCache(DynamicCache(), DynamicCache())
        # Renamed within transformers 5.
        name = "cache" if "cache" in signature(decoder.forward).parameters else "past_key_values"

        def write(tokens: list[int]) -> Tensor:
            out = decoder(input_ids=torch.tensor([tokens]), encoder_hidden_states=heard,
                          use_cache=True, **{name: past})  # fmt: skip
            return (out.last_hidden_state[0] @ decoder.embed_tokens.weight.T).log_softmax(-1)

        return write


class Whisper:
    """network and tokenizer; suppressed: tokens never written, at_first: nor as the first one."""

    def __init__(self, network: Network, tokenizer, suppressed: list[int], at_first: list[int]):
        self.network, self.tokenizer = network, tokenizer
        self.start, self.end, self.plain = (self._id(name) for name in (START, END, PLAIN))
        self.quiet = next((i for name in QUIET if (i := tokenizer.token_to_id(name))), self.plain)
        size = network.config.vocab_size
        if max(self.start, self.end, self.plain, self.quiet) >= size:
            raise WeightsError("The Whisper tokenizer does not belong to its model.")
        marks = range(self.start, size)  # tasks, languages and time stamps come last
        self.never = [i for i in {*suppressed, *marks} if 0 <= i < size and i != self.end]
        self.at_first = [i for i in {*at_first, self.end} if 0 <= i < size]

    @cached_property
    def _mels(self) -> Callable:
        from transformers import WhisperFeatureExtractor

        return WhisperFeatureExtractor(feature_size=self.network.config.num_mel_bins)

    @torch.inference_mode()
    def text(self, samples: np.ndarray) -> str:
        """What is said in sound (n,) at 16 kHz of up to 30 s; "" where nobody seems to speak.

        The likeliest token at each step, so the same sound gives the same text. Raises
        RuntimeError where the network gives no numbers.
        """
        mel = self._mels(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt").input_features
        write = self.network.writer(self.network.hear(mel))
        scores = write([self.start, self.plain])
        quiet = float(scores[0, self.quiet].exp())
        most = self.network.config.max_target_positions - 2
        tokens, total, last = [], 0.0, scores[-1]
        for count in range(min(most, 10 + int(TOKENS_A_SECOND * len(samples) / SAMPLE_RATE))):
            last[self.never] = -torch.inf
            if count == 0:
                last[self.at_first] = -torch.inf
            token = int(last.argmax())
            if not bool(torch.isfinite(last[token])):
                raise RuntimeError("the network gives no numbers")
            total += float(last[token])
            if token == self.end:
                break
            tokens.append(token)
            last = write([token])[-1]
        if quiet > SURELY_QUIET and total / (len(tokens) + 1) < UNSURE:
            return ""
        return " ".join(self.tokenizer.decode(tokens, skip_special_tokens=True).split())

    def _id(self, name: str) -> int:
        found = self.tokenizer.token_to_id(name)
        if found is None:
            raise WeightsError(f"The Whisper tokenizer has no {name}.")
        return found


def load_whisper(folder: Path) -> Whisper:
    """The model of a folder that holds `FILES`. Raises WeightsError; makes no request."""
    config = read_json(_content(folder, "config.json", FILES["config.json"]), "config.json")
    known = {field.name for field in fields(Shape)}
    values = {name: value for name, value in config.items() if name in known}
    check_config(values, "config.json")
    data = _content(folder, "model.safetensors", FILES["model.safetensors"])
    tensors = parse_tensors(data, "model.safetensors")
    tensors.pop("proj_out.weight", None)  # the table of token vectors once more
    network = trained(lambda: _network(values), tensors, "Whisper model")
    rules = {}
    if (folder / RULES).exists():
        rules = read_json(_content(folder, RULES, MAX_RULES), RULES)
    lists = (_numbers(rules.get(name)) for name in ("suppress_tokens", "begin_suppress_tokens"))
    return Whisper(network, _tokenizer(folder), *lists)


def _network(values: dict) -> Network:
    shape = Shape(**values)
    check_fields(shape, "Whisper model")  # transformers has errors of its own for these
    return Network(shape)


def _tokenizer(folder: Path):
    from tokenizers import Tokenizer

    name = "tokenizer.json"
    text = _content(folder, name, FILES[name])
    read_json(text, name)
    try:
        return Tokenizer.from_buffer(text)
    except Exception as error:  # noqa: BLE001 (tokenizers raises nothing more precise)
        log.warning("%s: %s", name, error)
        raise WeightsError(f"{name} is no tokenizer.") from None


def _content(folder: Path, name: str, most: int) -> bytes:
    try:
        with open_regular(folder / name) as file:
            data = file.read(most + 1)
    except OSError:
        raise WeightsError(f"{name} of Whisper cannot be read.") from None
    if len(data) > most:
        raise WeightsError(f"{name} of Whisper is longer than {most} bytes.")
    return data


def _numbers(found: object) -> list[int]:
    return [i for i in found if type(i) is int] if isinstance(found, list) else []
