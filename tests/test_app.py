"""The named API of the page, through gradio_client, and the rules under which it is served."""

import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import imageio_ffmpeg
import numpy as np
import psutil
import pytest
from served import free_port, write_voice

gradio_client = pytest.importorskip("gradio_client")

APP = Path(__file__).resolve().parents[1] / "app.py"
CHOICES = {"identity": "old-female", "style": "lively", "view": "side", "size": 256}


@pytest.fixture(scope="module")
def client(served):
    return gradio_client.Client(served.address, verbose=False)


def ask(client, recording, **choices):
    file = gradio_client.handle_file(str(recording))
    return client.predict(file, api_name="/animate", **(CHOICES | choices))


def frames(film) -> list[bytes]:
    """sha256 of every decoded frame."""
    reader = imageio_ffmpeg.read_frames(str(film))
    next(reader)
    return [hashlib.sha256(frame).digest() for frame in reader]


def test_animate_gives_film_scores_and_motion(client, voice):
    film, sync, csv, npz = ask(client, voice)
    assert len(frames(film)) == 60
    assert {"fps", "offset_frames", "offset_ms", "lse_d", "lse_c", "confidence"} <= set(sync)
    assert len(sync["confidence"]) == 60
    assert sync["confidence"][-1] is None  # the voice ends in silence
    assert len(Path(csv).read_text().splitlines()) == 61
    with np.load(npz) as motion:
        assert motion["arkit"].shape == (60, 52)


def test_defaults_do_for_everything_but_the_recording(client, voice):
    file = gradio_client.handle_file(str(voice))
    film, *_ = client.predict(file, size=256, api_name="/animate")
    assert frames(film)


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"identity": "Zoe"}, "There is no identity 'Zoe'"),
        ({"view": "back"}, "There is no view 'back'"),
        ({"size": 99}, "found 99"),
    ],
)
def test_a_wrong_choice_is_answered_with_one_sentence(client, voice, choices, sentence):
    with pytest.raises(gradio_client.exceptions.AppError, match=sentence):
        ask(client, voice, **choices)


def test_a_text_renamed_wav_is_answered_with_one_sentence(client, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("no sound at all\n" * 99)
    with pytest.raises(gradio_client.exceptions.AppError) as refusal:
        ask(client, text)
    assert "accepted" in str(refusal.value)
    assert "/" not in str(refusal.value)


def test_an_upload_beyond_the_limit_is_refused(client, tmp_path):
    large = tmp_path / "large.wav"
    large.write_bytes(b"\0" * 2_100_000)
    with pytest.raises(Exception, match="(?i)large|size|413"):
        ask(client, large)


def test_a_file_of_the_server_cannot_be_named_as_a_recording(served):
    sneaky = {"path": str(APP), "meta": {"_type": "gradio.FileData"}}
    call = f"{served.address}/gradio_api/call/animate"
    asked = httpx.post(call, json={"data": [sneaky, "", "", "front", 256]}, timeout=20)
    answer = httpx.get(f"{call}/{asked.json()['event_id']}", timeout=20).text
    assert "event: error" in answer
    assert "recording" not in answer  # refused before it was opened, and without a word about it


def test_only_the_named_endpoints_are_public(client):
    named = set(client.view_api(return_format="dict")["named_endpoints"])
    assert named == {"/animate", "/animate_head", "/avatar", "/compare", "/compare_head", "/cancel",
                     "/read_lips"}  # fmt: skip


def test_a_head_moves_by_strength_and_seed_and_the_lips_stay(client, voice):
    file = gradio_client.handle_file(str(voice))
    made = client.predict(file, head=2, seed=7, api_name="/animate_head", **CHOICES)
    with np.load(made[3]) as moving, np.load(ask(client, voice)[3]) as still:
        assert np.allclose(moving["head"], [0.02, 0.007, 0])
        assert not still["head"].any()
        assert np.array_equal(moving["arkit"], still["arkit"])
    with pytest.raises(gradio_client.exceptions.AppError, match="from 0 to 3, found 9"):
        client.predict(file, head=9, api_name="/animate_head", **CHOICES)


def test_avatar_gives_film_scores_motion_and_gaussians(client, voice):
    file = gradio_client.handle_file(str(voice))
    asked = {"azimuth": 20, "elevation": 5, "size": 256, "head": 1, "seed": 4}
    film, sync, npz, ply, splat = client.predict(file, api_name="/avatar", **asked)
    assert len(frames(film)) == len(sync["confidence"]) == 60
    with np.load(npz) as motion:
        assert np.allclose(motion["head"], [0.01, 0.004, 0])
    assert Path(ply).read_bytes().startswith(b"ply")
    assert Path(splat).stat().st_size % 32 == 0


def test_compare_gives_one_film_of_both_and_scores_and_motion_of_each(client, voice):
    file = gradio_client.handle_file(str(voice))
    film, scores, *motions = client.predict(file, "full", size=256, api_name="/compare")
    assert len(frames(film)) == 60
    assert imageio_ffmpeg.read_frames(film).__next__()["size"] == (512, 256)
    assert [row["variant"] for row in scores["variants"]] == ["full", "reconstruction"]
    assert scores["weights"] == "Test double, not trained"
    first, second = (row["sync"]["confidence"][0] for row in scores["variants"])
    assert second == pytest.approx(first / 2)
    with np.load(motions[0]) as one, np.load(motions[1]) as other:
        assert np.allclose(one["arkit"], 2 * other["arkit"])


def test_a_head_moves_alike_in_both_that_are_compared(client, voice):
    file = gradio_client.handle_file(str(voice))
    asked = {"size": 256, "head": 2, "seed": 7}
    _, scores, *motions = client.predict(file, "full", api_name="/compare_head", **asked)
    assert [row["variant"] for row in scores["variants"]] == ["full", "reconstruction"]
    for motion in motions:
        with np.load(motion) as moving:
            assert np.allclose(moving["head"], [0.02, 0.007, 0])


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (("full", "sync"), "no variant 'sync' in these weights; choose one of default, full, rec"),
        (("full", "full"), "cannot be compared with itself"),
    ],
)
def test_variants_that_cannot_be_compared_are_told_in_one_sentence(client, voice, pair, sentence):
    file = gradio_client.handle_file(str(voice))
    with pytest.raises(gradio_client.exceptions.AppError, match=sentence):
        client.predict(file, *pair, size=256, api_name="/compare")


def test_cancel_stops_what_this_client_ordered(served, client, voice):
    served.face.pause = 0.1
    try:
        file = gradio_client.handle_file(str(voice))
        job = client.submit(file, api_name="/animate", **CHOICES)
        wait_until(lambda: served.service.busy)
        assert client.predict(api_name="/cancel") == 1
        with pytest.raises(gradio_client.exceptions.AppError, match="cancelled"):
            job.result(timeout=20)
        assert not served.service.busy
    finally:
        served.face.pause = 0.0


@pytest.mark.parametrize(("name", "more"), [("/animate", {}), ("/read_lips", {"film": None})])
def test_a_call_that_its_client_cancels_ends_its_job_and_leaves_nothing(
    served, client, voice, name, more
):
    before, served.face.pause = set(served.service.runs.iterdir()), 1.0  # half a minute in all
    try:
        file = gradio_client.handle_file(str(voice))
        job = client.submit(file, api_name=name, **more)
        wait_until(lambda: served.service.busy)
        running = served.service._running
        job.cancel()
        wait_until(lambda: running.finished)
        assert running.cancelled
        wait_until(lambda: not served.service.busy)
        assert set(served.service.runs.iterdir()) == before
    finally:
        served.face.pause = 0.0


def wait_until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_four_users_at_once_get_what_each_would_get_alone(served, tmp_path):
    voices = [write_voice(tmp_path / f"{p}.wav", 1.0, pitch=p) for p in (110, 140, 180, 220)]

    def take(recording):
        own = gradio_client.Client(served.address, verbose=False)
        film, sync, csv, npz = ask(own, recording)
        written = [hashlib.sha256(Path(path).read_bytes()).digest() for path in (npz, csv)]
        return written, frames(film), sync

    def traffic(stop):
        while not stop:
            assert httpx.get(served.address + "/config", timeout=20).status_code == 200

    alone, stop = [take(v) for v in voices], []
    with ThreadPoolExecutor(5) as pool:
        noise = pool.submit(traffic, stop)
        together = list(pool.map(take, voices))
        stop.append(True)
        noise.result()
    assert together == alone
    assert len({row[0][0] for row in alone}) == 4


@pytest.fixture(scope="module")
def real_app(tmp_path_factory):
    """`python app.py` with tiny random models: its address, process and temporary folder."""
    home, port = tmp_path_factory.mktemp("app"), free_port()
    command = [sys.executable, APP, "--port", str(port), "--weights", "debug"]
    surroundings = os.environ | {"TMPDIR": str(home), "L2T_RENDERER": "software"}
    with subprocess.Popen(command, cwd=home, env=surroundings, stdout=subprocess.PIPE) as process:
        assert b"Learn2Talk is at" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}", process, home
        process.kill()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="maps of a process are Linux's")
def test_the_page_s_own_process_holds_no_models(real_app, voice):
    """What may run out of memory or crash lives elsewhere."""
    address, process, _ = real_app
    file = gradio_client.handle_file(str(voice))
    gradio_client.Client(address, verbose=False).predict(file, size=256, api_name="/animate")

    def libraries(pid: int) -> str:
        return Path(f"/proc/{pid}/maps").read_text()

    workers = [child.pid for child in psutil.Process(process.pid).children()]
    assert any("libtorch" in libraries(pid) for pid in workers)
    assert not any(name in libraries(process.pid) for name in ("libtorch", "libvtk", "libavcodec"))


def test_the_real_app_makes_a_film_and_leaves_nothing_behind(real_app, voice):
    address, process, home = real_app
    client = gradio_client.Client(address, verbose=False)
    file = gradio_client.handle_file(str(voice))
    film, sync, *_ = client.predict(file, size=256, api_name="/animate")
    assert len(frames(film)) == len(sync["confidence"]) == 60
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.wait(20) == 0
    assert not list(home.glob("learn2talk-run-*"))
    assert psutil.wait_procs(children, timeout=5)[1] == []


def test_the_help_of_the_command_names_the_options():
    done = subprocess.run(
        [sys.executable, APP, "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    for option in ("--host", "--port", "--weights", "--device"):
        assert option in done.stdout
