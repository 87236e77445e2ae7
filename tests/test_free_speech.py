"""Free speech: a tiny Whisper in a Hub cache is used; none, or a broken one, costs one sentence."""

import json
import logging
import math
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models

from l2t import free_speech
from l2t.free_speech import LONGEST, available, pieces, transcribe
from l2t.models import whisper
from l2t.models.whisper import END, PLAIN, START, Network, Shape, Whisper, load_whisper
from l2t.ui.lip_texts import free

WORDS = [f"w{i}" for i in range(30)]
MARKS = [END, START, "<|nospeech|>", PLAIN]
SHAPE = Shape(len(WORDS + MARKS) + 2, 16, 1, 2, 32, 2, 2, 32)  # two time stamps come last
RULES = {"suppress_tokens": [0, 1], "begin_suppress_tokens": [2, 30]}
ROOT = Path(free_speech.__file__).resolve().parents[1]


def make_tokenizer(words: list[str] = WORDS) -> Tokenizer:
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="w0"))
    made.decoder = decoders.Fuse()
    made.add_special_tokens(MARKS)
    return made


def make_tensors() -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    network = Network(SHAPE)
    for name, tensor in network.named_parameters():  # else it says the same whatever it hears
        torch.nn.init.normal_(tensor, std=1.0 if "encoder" in name else 0.4)
    return {name: tensor.half() for name, tensor in network.state_dict().items()}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """The files of a repository, as the Hub would have them; half precision."""
    folder = tmp_path_factory.mktemp("whisper")
    shape = vars(SHAPE) | {"model_type": "whisper", "torch_dtype": "float16"}
    (folder / "config.json").write_text(json.dumps(shape))
    (folder / "generation_config.json").write_text(json.dumps(RULES))
    make_tokenizer().save(str(folder / "tokenizer.json"))
    save_file(make_tensors(), folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty Hub cache, and no model remembered from another test."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    remembered = free_speech._loaded
    remembered.cache_clear()
    yield tmp_path / "hub"
    remembered.cache_clear()


@pytest.fixture
def snapshot(cache, files) -> Path:
    """The cache with the tiny model in it, laid out as the Hub's client does: links into blobs."""
    repository = cache / "models--openai--whisper-tiny.en"
    folder = repository / "snapshots" / ("0" * 40)
    folder.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    for path in files.iterdir():
        (repository / "blobs" / path.name).write_bytes(path.read_bytes())
        (folder / path.name).symlink_to(f"../../blobs/{path.name}")
    return folder


def sound(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal(int(16000 * seconds), np.float32)
    return (0.1 * made * np.sin(np.arange(len(made)) / 2000)).astype(np.float32)


def replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def write_config(folder: Path, **changed) -> None:
    config = json.loads((folder / "config.json").read_text())
    replace(folder / "config.json", json.dumps(config | changed).encode())


# -- what works


def naive(folder: Path, samples: np.ndarray) -> list[int]:
    """The same by transformers' own classes, everything computed anew for each token."""
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperForConditionalGeneration

    model = WhisperForConditionalGeneration(WhisperConfig(**vars(SHAPE), pad_token_id=0)).eval()
    tensors = {k: t.float() for k, t in load_file(folder / "model.safetensors").items()}
    model.load_state_dict(tensors, strict=False)
    model.tie_weights()
    mel = WhisperFeatureExtractor()(samples, sampling_rate=16000, return_tensors="pt")
    tokens = [31, 33]  # start of the transcript, no time stamps
    with torch.inference_mode():
        heard = model.model.encoder(mel.input_features)
        while len(tokens) < 2 + 10 + int(10 * len(samples) / 16000):
            inputs = torch.tensor([tokens])
            last = model(encoder_outputs=heard, decoder_input_ids=inputs).logits[0, -1]
            never = [0, 1, *range(31, SHAPE.vocab_size)] + ([2, 30] if len(tokens) == 2 else [])
            last[never] = -torch.inf
            tokens.append(int(last.argmax()))
            if tokens[-1] == 30:
                return tokens[2:-1]
    return tokens[2:]


def test_a_model_in_the_cache_transcribes(snapshot):
    assert available()
    for seed in range(3):
        samples = sound(seed=seed)
        expected = "".join(f"w{token}" for token in naive(snapshot, samples))
        assert transcribe(samples) == expected
        assert expected
    assert free(transcribe(sound())).startswith("Whisper, free speech, of the noisy sound: “w")


def test_the_same_sound_gives_the_same_text(snapshot):
    assert transcribe(sound()) == transcribe(sound())
    assert transcribe(sound(seed=1)) != transcribe(sound(seed=2))


def test_rules_may_be_missing(snapshot):
    (snapshot / "generation_config.json").unlink()
    assert transcribe(sound())


def test_it_is_loaded_once(snapshot, monkeypatch):
    loads = []

    def load(folder):
        loads.append(folder)
        return load_whisper(folder)

    monkeypatch.setattr(whisper, "load_whisper", load)
    assert transcribe(sound())
    assert transcribe(sound(seed=1))
    assert loads == [snapshot]


def test_no_request_is_made(snapshot, cache):
    """In a process whose every connection fails loudly, and that is not told to stay offline."""
    script = """
import sys
def forbid(event, details):
    if event in ("socket.getaddrinfo", "socket.connect", "socket.gethostbyname"):
        print("ASKED", event, details, flush=True)
        raise SystemExit("asked the network")
sys.addaudithook(forbid)
import numpy as np
from l2t.free_speech import transcribe
print(transcribe(np.ones(16000, np.float32) / 9))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_CACHE": str(cache)}
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        environment.pop(name, None)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True,
                          text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("w"), done.stdout
    assert "ASKED" not in done.stdout


# -- what does not


def test_without_a_model_the_page_says_so(cache):
    assert not available()
    assert transcribe(sound()) is None
    assert "the weights of a Whisper decoder (openai/whisper-tiny.en" in free(transcribe(sound()))


@pytest.mark.parametrize("name", free_speech.FILES)
def test_a_file_that_is_missing(snapshot, name):
    (snapshot / name).unlink()
    assert not available()
    assert transcribe(sound()) is None


@pytest.mark.parametrize("name", free_speech.FILES)
def test_a_link_to_nothing(snapshot, name):
    (snapshot / name).resolve().unlink()
    assert transcribe(sound()) is None


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_is_refused(snapshot, tmp_path, caplog):
    mark = tmp_path / "exploded"
    torch.save({"w": Bomb(mark)}, snapshot / "pytorch_model.bin")
    tensors = snapshot / "model.safetensors"
    tensors.unlink()
    assert not available()
    assert transcribe(sound()) is None
    tensors.write_bytes(pickle.dumps(Bomb(mark)))
    assert transcribe(sound()) is None
    assert "is not a safetensors file" in caplog.text
    assert not mark.exists()


def spoilt(change) -> bytes:
    from safetensors.torch import save

    tensors = make_tensors()
    change(tensors)
    return save(tensors)


TENSORS = {
    "empty": lambda: b"",
    "half": lambda: spoilt(lambda t: None)[:2000],
    "garbage": lambda: b"\xff" * 500,
    "NaN": lambda: spoilt(lambda t: t["model.decoder.layer_norm.bias"].fill_(math.nan)),
    "another shape": lambda: spoilt(
        lambda t: t.update({"model.decoder.layer_norm.bias": torch.zeros(9)})
    ),
    "a tensor missing": lambda: spoilt(lambda t: t.pop("model.decoder.layer_norm.bias")),
    "whole numbers": lambda: spoilt(
        lambda t: t.update({k: v.to(torch.int32) for k, v in t.items()})
    ),
}


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_do_not_load(snapshot, case, caplog):
    replace(snapshot / "model.safetensors", TENSORS[case]())
    assert transcribe(sound()) is None
    assert transcribe(sound()) is None
    lines = [r for r in caplog.records if r.name == "l2t.free_speech"]
    assert len(lines) == 1  # said once, and not tried again
    assert "does not load" in lines[0].getMessage()
    assert str(snapshot) not in caplog.text


def test_a_model_that_is_mended_is_used(snapshot, files):
    replace(snapshot / "model.safetensors", b"")
    assert transcribe(sound()) is None
    replace(snapshot / "model.safetensors", (files / "model.safetensors").read_bytes())
    assert transcribe(sound())


@pytest.mark.parametrize(
    "changed",
    [
        {"d_model": 10**9}, {"decoder_layers": 10**6}, {"vocab_size": -1}, {"vocab_size": "36"},
        {"encoder_attention_heads": 0}, {"encoder_attention_heads": 5}, {"d_model": 16.5},
        {"decoder_layers": None}, {"max_target_positions": 10**9}, {"d_model": 65536},
    ],
)  # fmt: skip
def test_configurations_of_another_model(snapshot, changed, caplog):
    write_config(snapshot, **changed)
    assert transcribe(sound()) is None
    assert "does not load" in caplog.text


TOKENIZERS = {
    "empty": b"",
    "no JSON": b"{",
    "no tokenizer": b"{}",
    "a list": b"[]",
    "deep": b'{"a":' * 100_000,
    "no marks": json.dumps({"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0},
                                                        "unk_token": "a"}}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("case", TOKENIZERS)
def test_tokenizers_that_do_not_load(snapshot, case, caplog):
    replace(snapshot / "tokenizer.json", TOKENIZERS[case])
    assert transcribe(sound()) is None
    assert "does not load" in caplog.text


def test_a_tokenizer_of_another_model(snapshot, caplog):
    other = make_tokenizer([f"w{i}" for i in range(60)])
    replace(snapshot / "tokenizer.json", other.to_str().encode())
    assert transcribe(sound()) is None
    assert "does not belong to its model" in caplog.text


def test_a_model_that_gives_no_numbers(snapshot, caplog):
    huge = {k: torch.full_like(t.float(), 3e38) for k, t in make_tensors().items()}
    save_file(huge, snapshot / "huge")
    replace(snapshot / "model.safetensors", (snapshot / "huge").read_bytes())
    assert transcribe(sound()) is None
    assert "does not work: the network gives no numbers" in caplog.text


# -- how a text is found


class Says:
    """Stands for a network: writes these tokens and then END, each with this probability."""

    config = SHAPE

    def __init__(self, tokens: list[int], sure: float = 0.9, quiet: float = 0.0):
        self.tokens, self.sure, self.quiet, self.asked = [*tokens, 30], sure, quiet, 0

    def hear(self, mel):
        return mel

    def writer(self, heard):
        def write(tokens):
            rows = torch.full((len(tokens), SHAPE.vocab_size), 1e-6)
            rows[0, 32] = self.quiet
            rows[-1, self.tokens[min(self.asked, len(self.tokens) - 1)]] = self.sure
            self.asked += 1
            return rows.log()

        return write


def says(*tokens, seconds: float = 1.0, suppressed=(), **options) -> str:
    found = Whisper(Says(list(tokens), **options), make_tokenizer(), list(suppressed), [2])
    return found.text(sound(seconds))


def test_tokens_become_text_up_to_the_end():
    assert says(5, 6, 7) == "w5w6w7"


def test_who_does_not_speak_says_nothing():
    assert says(5, sure=0.2, quiet=0.9) == ""
    assert says(5, sure=0.9, quiet=0.9) == "w5"  # sure of the words
    assert says(5, sure=0.2, quiet=0.1) == "w5"  # sure of the voice


def test_marks_and_suppressed_tokens_are_never_written():
    assert says(5, 35, 4, 6, suppressed=(4,)).count("w4") == 0
    assert "<" not in says(5, 35, 33, 6)
    assert not says(2, 6).startswith("w2")


def test_a_decoder_that_goes_in_circles_is_stopped():
    assert says(*[5] * 1000, seconds=2) == "w5" * 30
    assert says(*[5] * 1000, seconds=30) == "w5" * 310


# -- long sound


def test_short_sound_is_one_piece():
    samples = sound(3)
    assert [len(piece) for piece in pieces(samples)] == [48000]
    assert list(pieces(samples[:0])) == []
    assert [len(p) for p in pieces(np.ones(LONGEST, np.float32))] == [LONGEST]


def test_long_sound_is_cut_where_it_is_quiet():
    samples = np.ones(16000 * 70, np.float32)
    for second in (27.5, 55.0):
        at = int(16000 * second)
        samples[at - 1600 : at + 1600] = 0
    cut = list(pieces(samples))
    assert np.array_equal(np.concatenate(cut), samples)
    ends = np.cumsum([len(piece) for piece in cut])[:-1] / 16000
    assert ends == pytest.approx([27.5, 55.0], abs=0.1)
    assert max(map(len, cut)) <= LONGEST


def test_long_sound_is_transcribed_whole(snapshot, monkeypatch):
    heard = []

    def text(samples):
        heard.append(len(samples))
        return f"part {len(heard)}"

    monkeypatch.setattr(free_speech, "_loaded", lambda *_: SimpleNamespace(text=text))
    assert transcribe(np.ones(16000 * 70, np.float32)) == "part 1 part 2 part 3"
    assert sum(heard) == 16000 * 70


def test_logging_is_quiet_when_all_is_well(snapshot, caplog):
    with caplog.at_level(logging.INFO):
        assert transcribe(sound())
    assert [r for r in caplog.records if r.name.startswith("l2t")] == []
