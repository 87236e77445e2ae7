"""The receipt of a take: complete, the same every time, silent about who and where."""

import contextlib
import copy
import getpass
import json
import platform
import re
from dataclasses import replace

import numpy as np
import pytest
from hostile.files import pcm, wav

from l2t import blinks, face, weights
from l2t.avatar.camera import Orbit
from l2t.errors import OutputError, SpeechError, WeightsError
from l2t.export import write_npz
from l2t.jobs import Order
from l2t.manifest import read_manifest, sha256_of
from l2t.receipt import receipt_of, samples_sha256, write_receipt
from l2t.receipt_schema import MAX_BYTES, ReceiptError, check, read_receipt, result_names
from l2t.speech import load_speech
from l2t.talkingface import TalkingFace
from l2t.variants import EVERY


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return tmp_path_factory.mktemp("secret-room")


@pytest.fixture(scope="module")
def talking():
    with TalkingFace.from_pretrained("debug", device="cpu") as made:
        yield made


@pytest.fixture(scope="module")
def order(room):
    (room / "hello.wav").write_bytes(wav(pcm(0.5)))
    return Order(room / "hello.wav", head=1.0)


@pytest.fixture(scope="module")
def takes(talking, order):
    return talking.animate_each(load_speech(order.recording), order.variants, head=order.head)


@pytest.fixture(scope="module")
def files(takes, room):
    write_npz(takes[0].motion, room / "m.npz")
    (room / "f.mp4").write_bytes(b"a film")
    return {"motion": room / "m.npz", "film": room / "f.mp4"}


@pytest.fixture(scope="module")
def receipt(order, takes, files):
    return receipt_of(order, takes, files, "software", "cpu")


def test_it_says_what_went_in_and_what_came_out(receipt, order, takes, files):
    samples = takes[0].speech.samples
    assert receipt["results"] == {
        name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for name, path in files.items()
    }
    assert receipt["recording"] == {
        "name": "hello",
        "seconds": 0.5,
        "bytes": order.recording.stat().st_size,
        "sha256": sha256_of(order.recording),
        "samples_sha256": samples_sha256(samples),
    }
    assert receipt["settings"] == {
        "identity": takes[0].identity, "style": takes[0].style, "variants": ["default"],
        "head": 1.0, "seed": blinks.seed_of(samples), "view": "front", "size": 512, "orbit": None,
    }  # fmt: skip
    assert receipt["assets"] == {"head.npz": sha256_of(face.ASSET)}
    assert receipt["weights"]["source"] == "debug"
    made = receipt["made_with"]
    assert (made["renderer"], made["device"], made["threads"]) == ("software", "cpu", 1)
    assert made["python"] == platform.python_version()
    assert made["packages"]["numpy"] == np.__version__
    assert re.search(r"\d", made["ffmpeg"])


def test_a_seed_and_an_orbit_are_kept_and_the_gaussian_head_takes_part(order, takes, files):
    wished = replace(order, seed=7, orbit=Orbit(20, 5))
    made = receipt_of(wished, takes, files)
    assert made["settings"]["seed"] == 7
    assert made["settings"]["orbit"] == {"azimuth": 20.0, "elevation": 5.0, "zoom": 1.0}
    assert sorted(made["assets"]) == ["avatar.json", "avatar.safetensors", "head.npz"]
    assert made["made_with"]["renderer"] == "Gaussian rasteriser"
    check(made)


def test_without_a_film_nothing_drew(order, takes, files):
    made = receipt_of(order, takes, {"motion": files["motion"]}, "software")
    assert made["made_with"]["renderer"] is None


def test_the_weights_that_took_part_are_named_by_their_sha256(order, takes):
    chosen = weights.embedded()
    variant = next(variant for variant in EVERY if variant.name == "reconstruction")
    spoken = tuple(replace(take, weights=chosen, variant=variant) for take in takes)
    listed = {entry.name: entry.sha256 for entry in read_manifest(chosen.folder).entries}
    still = receipt_of(replace(order, head=0.0), spoken, {})["weights"]["files"]
    used = ("encoder", "student_reconstruction", "syncnet3d")
    names = sorted(f"{name}.{end}" for name in used for end in ("json", "safetensors"))
    assert still == {name: listed[name] for name in names}
    moved = receipt_of(order, spoken, {})["weights"]["files"]
    assert moved.keys() - still.keys() == {"posevae.json", "posevae.safetensors"}
    with pytest.raises(WeightsError, match="changed on disk"):
        receipt_of(order, [replace(spoken[0], weights=replace(chosen, digest="0" * 64))], {})


def test_results_of_a_comparison_have_their_variant_in_their_names(takes, order, files):
    assert list(result_names(["full"])) == ["film", "ply", "splat", "motion", "sync", "csv", "glb"]
    two = [replace(takes[0], variant=variant) for variant in EVERY[1:3]]
    each = {f"motion-{name}": files["motion"] for name in ("full", "lipread")}
    made = receipt_of(order, two, each)
    assert made["settings"]["variants"] == ["full", "lipread"]
    check(made)
    with pytest.raises(ValueError, match="no results called motion"):
        receipt_of(order, two, files)


def test_the_same_work_gives_the_same_bytes_without_place_user_or_time(
    receipt, order, takes, files, room, tmp_path
):
    write_receipt(receipt, tmp_path / "one.json")
    backwards = dict(reversed(receipt_of(order, takes, files, "software", "cpu").items()))
    write_receipt(backwards, tmp_path / "two.json")
    text = (tmp_path / "one.json").read_text()
    assert text == (tmp_path / "two.json").read_text()
    assert read_receipt(tmp_path / "one.json") == receipt
    for private in (room.name, str(room.parent), platform.node(), "/"):
        assert private not in text
    if getpass.getuser() != "root":
        assert getpass.getuser() not in text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.json", "two.json"]


def test_a_file_that_is_gone_costs_one_sentence_without_its_folder(order, takes, room):
    with pytest.raises(OutputError, match=r"^gone\.npz cannot be read for the receipt\.$"):
        receipt_of(order, takes, {"motion": room / "gone.npz"})
    with pytest.raises(SpeechError, match="cannot be read again"):
        receipt_of(replace(order, recording=room / "gone.wav"), takes, {})


def wrong(receipt: dict, path: str, value: object) -> dict:
    """A copy with one field changed, or taken away for `KeyError`."""
    made = copy.deepcopy(receipt)
    *way, last = path.split("/")
    part = made
    for name in way:
        part = part[name]
    if value is KeyError:
        del part[last]
    else:
        part[last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", 2), ("schema", True), ("schema", 1.0), ("settings", []), ("settings", KeyError),
        ("more", 1), ("settings/more", 1), ("settings/head", KeyError), ("settings/head", "1"),
        ("settings/head", -0.1), ("settings/head", True), ("settings/head", 10**400),
        ("settings/seed", 2**32), ("settings/seed", 1.5), ("settings/size", 255),
        ("settings/size", 10**9), ("settings/view", "above"), ("settings/view", ["front"]),
        ("settings/identity", ""), ("settings/identity", "a\n"), ("settings/identity", "a\x1b[2J"),
        ("settings/identity", "a" * 201), ("settings/style", 3), ("settings/variants", []),
        ("settings/variants", ["full"] * 3), ("settings/variants", [["full"]]),
        ("settings/variants", "full"), ("settings/variants", ["../full"]),
        ("settings/orbit", {}), ("settings/orbit", {"azimuth": 0, "elevation": 90, "zoom": 1}),
        ("weights/source", "https"), ("weights/repo", "a/../b"), ("weights/repo", "/etc/passwd"),
        ("weights/revision", "main"), ("weights/manifest", "A" * 64),
        ("weights/files", {"a/b": "0" * 64}),
        ("weights/files", {"a": 0}), ("weights/files", {f"f{i}": "0" * 64 for i in range(65)}),
        ("recording/sha256", "0" * 63), ("recording/sha256", None), ("recording/bytes", -1),
        ("made_with/packages", {"torch": ["2"]}), ("made_with/device", "cuda:0"),
        ("results", []), ("results/passwd", {"bytes": 1, "sha256": "0" * 64}),
        ("results", {"../x": {"bytes": 1, "sha256": "0" * 64}}), ("results/motion", {"bytes": 1}),
        ("results/motion-full", {"bytes": 1, "sha256": "0" * 64}), ("assets", None),
    ],
)  # fmt: skip
def test_a_field_that_is_not_as_it_must_be_is_named_in_one_sentence(receipt, path, value):
    with pytest.raises(ReceiptError, match="its field '") as caught:
        check(wrong(receipt, path, value))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b'{"schema": NaN}', "not valid JSON"),
        (b"[" * 50_000, "not valid JSON"),
        (b"[]", "no JSON object"),
        (b"null", "no JSON object"),
        (b"{}", "'schema'"),
        (b'{"schema": ' + b"1" * 5000 + b"}", "not valid JSON"),
        (b" " * (MAX_BYTES + 1), "longer than 65536 bytes"),
    ],
)
def test_what_is_no_receipt_is_refused(tmp_path, content, says):
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(ReceiptError, match=says):
        read_receipt(tmp_path / "r.json")


def test_a_receipt_that_cannot_be_read_is_named_without_its_folder(tmp_path):
    with pytest.raises(ReceiptError, match=r"The receipt 'r.json' cannot be read \(No such file"):
        read_receipt(tmp_path / "r.json")
    with pytest.raises(ReceiptError, match="cannot be read"):
        read_receipt(tmp_path)


def test_a_spoilt_receipt_is_read_or_refused_and_nothing_else(receipt, tmp_path):
    good = json.dumps(receipt, sort_keys=True).encode()
    chance = np.random.default_rng(5)
    path = tmp_path / "r.json"
    for _ in range(300):
        spoilt = bytearray(good)
        for at in chance.integers(0, len(good), chance.integers(1, 4)):
            spoilt[at] = chance.integers(256)
        path.write_bytes(spoilt[: chance.integers(1, 2 * len(good))])
        with contextlib.suppress(ReceiptError):  # any other error fails the test
            read_receipt(path)
