"""The ears: a pretrained speech encoder that turns sound into features at 50 Hz.

The embedded one is the audio encoder of Whisper (transformers' WhisperEncoder, cut to its first
layers); any speech model of the Hub that gives 50 Hz hidden states (wav2vec 2.0, HuBERT, WavLM)
can take its place by a line in the configuration.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

FEATURE_RATE = 50.0  # features a second; feature j belongs to audio time j / 50 s
SAMPLES_PER_FEATURE = 320  # at 16 kHz


@dataclass(frozen=True)
class EncoderConfig:
    """kind: "whisper" (embedded architecture) or "hub" (transformers' AutoModel).

    layers: transformer layers kept; width, heads, ffn: sizes of the Whisper encoder.
    name: repository of the model on the Hub (kind "hub" only).
    taps: which hidden states are given out, 0 = before the first layer; joined on the channel axis.
    """

    kind: str = "whisper"
    layers: int = 4
    width: int = 384
    heads: int = 6
    ffn: int = 1536
    name: str = ""
    taps: tuple[int, ...] = (3,)

    def __post_init__(self):
        object.__setattr__(self, "taps", tuple(self.taps))

    @property
    def channels(self) -> int:
        return self.width * len(self.taps)


class SpeechEncoder(nn.Module):
    """(samples,) or (batch, samples) at 16 kHz -> (batch, features at 50 Hz, channels)."""

    max_seconds = 30.0  # the positions that Whisper was trained with

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        if config.kind == "whisper":
            self._build_whisper()
        elif config.kind == "hub":
            from transformers import AutoFeatureExtractor, AutoModel

            self.mels = AutoFeatureExtractor.from_pretrained(config.name)
            self.net = AutoModel.from_pretrained(config.name, use_safetensors=True)
        else:
            raise ValueError(f"unknown encoder kind {config.kind!r}; known: whisper, hub")
        self.requires_grad_(False).eval()

    def _build_whisper(self) -> None:
        from transformers import WhisperConfig, WhisperFeatureExtractor
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        self.mels = WhisperFeatureExtractor()
        c = self.config
        self.net = WhisperEncoder(
            WhisperConfig(
                d_model=c.width,
                encoder_layers=c.layers,
                encoder_attention_heads=c.heads,
                encoder_ffn_dim=c.ffn,
            )
        )

    def train(self, mode: bool = True) -> "SpeechEncoder":
        return super().train(False)  # frozen: never in training mode

    @torch.no_grad()
    def forward(self, samples: Tensor) -> Tensor:
        """samples (batch, n) float32, at most 30 s -> (batch, n // 320, channels)."""
        samples = torch.atleast_2d(samples)
        count = max(1, samples.shape[1] // SAMPLES_PER_FEATURE)
        states = self._whisper(samples) if self.config.kind == "whisper" else self._hub(samples)
        picked = [states[tap] for tap in self.config.taps]
        return torch.cat(picked, dim=-1)[:, :count]

    def _hub(self, samples: Tensor) -> list[Tensor]:
        batch = self.mels(
            list(samples.cpu().numpy()), sampling_rate=16000, return_tensors="pt"
        ).to(samples.device)
        states = self.net(**batch, output_hidden_states=True).hidden_states
        # Convolutional front ends without padding lose the last step or two: repeat the last one.
        lack = max(0, samples.shape[1] // SAMPLES_PER_FEATURE - states[0].shape[1])
        return [torch.cat([s, s[:, -1:].expand(-1, lack, -1)], dim=1) for s in states]

    def _whisper(self, samples: Tensor) -> list[Tensor]:
        # A whole number of features, at least two: the log-mel drops its last column.
        lack = -samples.shape[1] % SAMPLES_PER_FEATURE
        samples = nn.functional.pad(samples, (0, max(lack, 640 - samples.shape[1])))
        mel = self.mels(
            list(samples.cpu().numpy()),
            sampling_rate=16000,
            padding="longest",
            truncation=False,
            return_tensors="pt",
        ).input_features.to(samples.device)
        net, act = self.net, nn.functional.gelu
        x = act(net.conv2(act(net.conv1(mel)))).transpose(1, 2)
        # Positions cut to the clip's length: as good as 30 s of padding, at a fraction of the cost.
        x = x + net.embed_positions.weight[: x.shape[1]]
        states = [x]
        for layer in net.layers:
            out = layer(states[-1], None)
            states.append(out[0] if isinstance(out, tuple) else out)
        return states
