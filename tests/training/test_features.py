"""From corpora to packs to examples, and the encoder out of a foreign file."""

import struct

import numpy as np
import pytest
import soundfile
import torch

from l2t.models.encoder import EncoderConfig, SpeechEncoder
from training.data.facegood import mapping, rig_targets
from training.data.features import pack
from training.data.packs import rigged, tracked
from training.extract_encoder import encoder_state, read_variables


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return SpeechEncoder(EncoderConfig(layers=1, width=16, heads=2, ffn=32, taps=(1,)))


@pytest.fixture
def corpus(tmp_path):
    """Two clips in the layout of grid_s1 and one take in that of facegood."""
    rng = np.random.default_rng(0)
    (tmp_path / "grid_s1").mkdir()
    for name in ("bbaf2n", "lgwm5p"):
        sound = 0.1 * rng.standard_normal(16000).astype(np.float32)
        soundfile.write(tmp_path / "grid_s1" / f"{name}.opus", sound, 16000, format="OGG",
                        subtype="OPUS")  # fmt: skip
        np.savez(tmp_path / "grid_s1" / f"{name}.npz", fps=np.float32(25))
    (tmp_path / "facegood").mkdir()
    sound = 0.1 * rng.standard_normal(48000).astype(np.float32)
    soundfile.write(tmp_path / "facegood" / "2_01.flac", sound, 16000)
    names = np.array(["mouth_stretch_c", "mouth_oh_c", "mouth_oo_c", "mouth_pucker_l"])
    weights = np.tile(np.linspace(0, 1, 90)[:, None], (1, 4)).astype(np.float16)
    np.savez(tmp_path / "facegood" / "2_01.npz", weights=weights, names=names, fps=np.float32(30))
    (tmp_path / "facegood" / "to_arkit.csv").write_text(
        "ARKIT,,Voice2Face,,,,Status\njawOpen,,mouth_stretch_c,,,,valid\n"
        'mouthPucker,,"max(mouth_pucker_l,mouth_pucker_r)",,,,valid\nbrowDownLeft,,x,,,,Invalid\n'
    )
    return tmp_path


def test_a_pack_becomes_examples(corpus, encoder, tmp_path):
    clean, other = (pack("grid_s1", corpus, copy, encoder) for copy in (0, 1))
    assert clean["names"].tolist() == ["bbaf2n", "lgwm5p"]
    assert clean["features"].shape == (100, 16)
    assert clean["speeds"].tolist() == [1.0, 1.0]
    assert not np.array_equal(clean["features"][:40], other["features"][:40])
    np.savez(tmp_path / "pack.npz", **clean)
    np.savez(tmp_path / "targets.npz", names=clean["names"], arkit=np.ones((2, 30, 52)),
             valid=np.ones((2, 30), bool))  # fmt: skip
    examples = tracked(tmp_path / "targets.npz", tmp_path / "pack.npz", lambda i: i == 1, style=2)
    assert [(e.name, e.style, e.arkit.shape) for e in examples] == [("lgwm5p", 2, (30, 52))]
    assert examples[0].valid.all()


def test_only_what_is_wanted_is_packed(corpus, encoder):
    assert pack("grid_s1", corpus, 0, encoder, keep={"lgwm5p"})["names"].tolist() == ["lgwm5p"]


def test_rig_curves_become_arkit_weights(corpus, encoder, tmp_path):
    assert mapping(corpus / "facegood" / "to_arkit.csv") == {
        "jawOpen": ["mouth_stretch_c"],
        "mouthPucker": ["mouth_pucker_l", "mouth_pucker_r"],
    }
    curves = rig_targets(corpus / "facegood" / "2_01.npz", corpus / "facegood" / "to_arkit.csv")
    assert curves.shape == (90, 52)
    assert curves.max() == 1.0
    np.savez(tmp_path / "pack.npz", **pack("facegood", corpus, 0, encoder))
    examples = rigged(corpus / "facegood", tmp_path / "pack.npz", lambda take: True, style=1)
    assert [e.name for e in examples] == ["2_01:0"]
    assert examples[0].arkit.shape == (90, 52)


def ctranslate2_file(path, variables):
    """A model file of the layout that `read_variables` documents."""

    def text(value):
        data = value.encode() + b"\0"
        return struct.pack("<H", len(data)) + data

    out = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    for name, array in variables.items():
        array = np.ascontiguousarray(array, "<f2")
        out += text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += struct.pack("<BI", 4, array.nbytes) + array.tobytes()
    path.write_bytes(out)


def test_the_encoder_is_read_out_of_a_foreign_file(tmp_path, encoder):
    rng = np.random.default_rng(1)
    sizes = {"conv1/weight": (16, 80, 3), "conv1/bias": (16,), "conv2/weight": (16, 16, 3),
             "conv2/bias": (16,), "position_encodings/encodings": (1500, 16),
             "layer_norm/gamma": (16,), "layer_norm/beta": (16,)}  # fmt: skip
    for part, shape in {"ffn/linear_0": (32, 16), "ffn/linear_1": (16, 32),
                        "self_attention/linear_0": (48, 16),
                        "self_attention/linear_1": (16, 16)}.items():  # fmt: skip
        sizes |= {f"layer_0/{part}/weight": shape, f"layer_0/{part}/bias": shape[:1]}
    for part in ("ffn", "self_attention"):
        sizes |= {f"layer_0/{part}/layer_norm/{n}": (16,) for n in ("gamma", "beta")}
    written = {f"encoder/{k}": rng.normal(size=v).astype(np.float16) for k, v in sizes.items()}
    ctranslate2_file(tmp_path / "model.bin", written)
    read = read_variables(tmp_path / "model.bin")
    assert all(np.array_equal(read[name], array) for name, array in written.items())
    state = encoder_state(read, layers=1)
    missing = encoder.net.load_state_dict(
        {k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()}
    )
    assert not missing.missing_keys
    stacked = written["encoder/layer_0/self_attention/linear_0/weight"]
    assert np.array_equal(state["layers.0.self_attn.v_proj.weight"], stacked[32:])
