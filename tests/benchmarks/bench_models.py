"""How fast are the models on this CPU, and against a FaceFormer-sized one?

    python tests/benchmarks/bench_models.py [--seconds 10] [--threads 2] [--device cpu]

The peer has FaceFormer's published sizes (wav2vec2-base, one autoregressive decoder layer of width
64 with 4 heads, 5,023 vertices) with random weights: speed does not depend on their values. Both
run in turns in the same process, so that a busy machine slows both.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from l2t import sync
from l2t.animate import mouth_weights
from l2t.face import FaceTemplate
from l2t.models.loading import load_models
from l2t.motion import Motion
from l2t.speech import Speech
from l2t.weights import resolve


class FaceFormerSized(nn.Module):
    """wav2vec2-base and an autoregressive decoder that looks at all earlier frames each step."""

    def __init__(self, vertices: int = 5023, width: int = 64):
        super().__init__()
        from transformers import Wav2Vec2Config, Wav2Vec2Model

        self.ears = Wav2Vec2Model(Wav2Vec2Config())
        self.audio = nn.Linear(768, width)
        layer = nn.TransformerDecoderLayer(width, 4, 2 * width, batch_first=True)
        self.decoder = nn.TransformerDecoder(layer, 1)
        self.to_vertices = nn.Linear(width, vertices * 3)
        self.from_vertices = nn.Linear(vertices * 3, width)

    @torch.inference_mode()
    def forward(self, samples: torch.Tensor, frames: int) -> torch.Tensor:
        heard = self.ears(samples[None]).last_hidden_state.transpose(1, 2)
        heard = nn.functional.interpolate(heard, size=frames, mode="linear", align_corners=True)
        memory = self.audio(heard.transpose(1, 2))
        past = torch.zeros(1, 1, memory.shape[-1], device=memory.device)
        for _ in range(frames):
            count = past.shape[1]
            later = torch.ones(count, count, dtype=torch.bool, device=past.device).triu(1)
            near = ~torch.eye(count, frames, dtype=torch.bool, device=past.device)
            out = self.decoder(past, memory, tgt_mask=later, memory_mask=near)
            face = self.to_vertices(out)
            past = torch.cat([past, self.from_vertices(face[:, -1:])], dim=1)
        return face


def timed(run, repeats: int) -> float:
    """Median seconds of `repeats` runs after one to warm up."""
    run()
    spans = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        spans.append(time.perf_counter() - start)
    return statistics.median(spans)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--weights", default=None)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    models, template = load_models(resolve(args.weights), device), FaceTemplate.load()
    count = int(args.seconds * 16000)
    rng = np.random.default_rng(0)
    loud = np.clip(np.sin(2 * np.pi * 3 * np.arange(count) / 16000), 0, 1)
    samples = (0.1 * loud * rng.standard_normal(count)).astype(np.float32)
    samples[::133] += 0.3 * loud[::133].astype(np.float32)
    speech = Speech(samples)
    motion = Motion(mouth_weights(models, samples, 0))
    peer = FaceFormerSized().eval().to(device)
    sound = torch.from_numpy(samples).to(device)
    rows = {
        "encoder + student": timed(lambda: mouth_weights(models, samples, 0), args.repeats),
        "SyncNet3D": timed(
            lambda: sync.score(speech, template, motion, models.expert), args.repeats
        ),
        "FaceFormer-sized": timed(lambda: peer(sound, len(motion)).cpu(), args.repeats),
    }
    ours = rows["encoder + student"] + rows["SyncNet3D"]
    print(f"{args.seconds:g} s of speech, {args.device}, {args.threads} threads")
    for name, seconds in rows.items():
        print(f"{name:20s} {seconds:8.3f} s  {seconds / args.seconds:7.4f} x real time")
    print(f"{'all of ours':20s} {ours:8.3f} s  {ours / args.seconds:7.4f} x real time")
    print(f"FaceFormer-sized over ours: {rows['FaceFormer-sized'] / ours:.1f} x")


if __name__ == "__main__":
    main()
