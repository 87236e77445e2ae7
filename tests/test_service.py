"""The service: order, queue, cancel, deadline, recovery and clean-up, with a face that is fake."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from fakes import FakeFace
from hostile.children import install
from served import write_voice
from starlette.applications import Starlette
from starlette.testclient import TestClient

from l2t import logs, readiness, self_check
from l2t.avatar.camera import Orbit
from l2t.disk import Quota
from l2t.errors import (
    Busy,
    Cancelled,
    FaceError,
    JobFailed,
    L2TError,
    OutputError,
    RenderError,
    SpeechError,
    WeightsError,
)
from l2t.jobs import Order, remove
from l2t.lipjobs import LipOrder
from l2t.self_check import check_decoder
from l2t.service import Service, Settings
from l2t.ui.health import health_route
from l2t.work import PRACTICE
from l2t.worker.in_process import InProcess

CLIPS = Path(__file__).resolve().parents[1] / "assets" / "lips"
PATIENCE = 20  # s, the longest a test waits for what should take a fraction of one


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return write_voice(tmp_path_factory.mktemp("voice") / "voice.wav", 1.0)


@pytest.fixture
def service_of(tmp_path):
    """Makes a started service of a face and settings; closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(face, gpu=None, grace=10.0, **settings) -> Service:
            load = face if callable(face) else lambda: face
            worker = InProcess(load, gpu=gpu, grace=grace)
            service = Service(worker, Settings(**settings), tmp_path)
            stack.callback(service.close)
            service.start()
            return service

        yield make


def small(voice, **choices) -> Order:
    return Order(voice, size=256, **choices)


def run(service, order):
    job = service.submit(order)
    assert job.wait(PATIENCE)
    return job.outcome()


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


class StubbornFace(FakeFace):
    """Does not look at `cancelled` until released (but for the practice take)."""

    def __init__(self):
        super().__init__()
        self.entered, self.release = threading.Event(), threading.Event()

    def animate_each(self, speech, variants, *_, **__):
        if speech.name != PRACTICE:
            self.entered.set()
            self.release.wait(PATIENCE)
        return super().animate_each(speech, variants)


def practised(face):
    """A face whose practice take is over, so that what it counts is the test's own."""
    wait_until(lambda: face.takes == 1)
    return face


# -- what a job gives


def test_a_job_gives_film_motion_and_scores_in_a_folder_of_its_own(service_of, voice):
    result = run(service_of(FakeFace()), small(voice, identity="old-female", style="lively"))
    (said,) = result.said
    assert (said.take.identity, said.take.style) == ("old-female", "lively")
    assert result.film.stat().st_size > 1000
    with np.load(said.npz) as motion:
        assert motion["arkit"].shape == (30, 52)
    assert len(said.csv.read_text().splitlines()) == 31  # a header and one line a frame
    assert len(said.sync["confidence"]) == 30
    assert {f.parent for f in (said.csv, said.npz, said.glb)} == {result.film.parent}


def test_two_variants_give_one_film_and_files_of_their_own(service_of, voice):
    result = run(service_of(FakeFace()), small(voice, variants=("full", "reconstruction")))
    first, second = result.said
    assert [said.take.variant.name for said in result.said] == ["full", "reconstruction"]
    assert first.npz.name == "learn2talk-full-motion.npz"
    assert second.npz.name == "learn2talk-reconstruction-motion.npz"
    with np.load(first.npz) as one, np.load(second.npz) as other:
        assert one["arkit"].max() == pytest.approx(2 * other["arkit"].max())
    assert imageio_ffmpeg.count_frames_and_secs(str(result.film))[0] == 30


@pytest.mark.parametrize(
    ("variants", "sentence"),
    [
        (("full", "sync"), "no variant 'sync' in these weights; choose one of default, full, rec"),
        (("full", "full"), "cannot be compared with itself"),
    ],
)
def test_variants_that_cannot_be_compared_are_told_and_the_next_job_works(
    service_of, voice, variants, sentence
):
    service = service_of(FakeFace())
    with pytest.raises(FaceError, match=sentence):
        run(service, small(voice, variants=variants))
    assert run(service, small(voice)).film.exists()


def test_an_order_with_an_orbit_gives_a_film_of_the_avatar_and_its_gaussians(service_of, voice):
    seen = []

    class Watched(FakeFace):
        def render_avatar(self, take, path, orbit, *more):
            seen.append(orbit)
            return super().render_avatar(take, path, orbit, *more)

    result = run(service_of(Watched()), small(voice, orbit=Orbit(20, 5), head=1.0, seed=3))
    assert seen == [Orbit(20, 5)]
    assert [path.suffix for path in result.splats] == [".ply", ".splat"]
    assert {path.parent for path in result.splats} == {result.film.parent}
    assert np.allclose(result.said[0].take.motion.head, [0.01, 0.003, 0])
    assert imageio_ffmpeg.count_frames_and_secs(str(result.film))[0] == 30


def test_progress_passes_through_the_stages_in_order(service_of, voice):
    service = service_of(FakeFace(pause=0.01))
    job, seen = service.submit(small(voice)), []
    while not job.wait(0.005):
        if job.stage not in seen:
            seen.append(job.stage)
    order = ["waiting", "listening", "moving", "checking", "drawing"]
    assert seen == [stage for stage in order if stage in seen]
    assert {"moving", "checking", "drawing"} <= set(seen)


def test_only_the_inference_call_is_decorated_for_a_lent_gpu(service_of, voice):
    spans = []

    def gpu(call):
        def timed(*arguments):
            assert all(not callable(a) for a in arguments)  # they travel to another process
            value = call(*arguments)
            spans.append(len(value))
            return value

        return timed

    run(service_of(FakeFace(), gpu=gpu), small(voice, variants=("full", "default")))
    assert spans == [2]  # both takes at once, without the film and without a practice take


def test_four_users_at_once_get_what_each_would_get_alone(service_of, tmp_path):
    voices = [write_voice(tmp_path / f"{p}.wav", 1.0, pitch=p) for p in (110, 140, 180, 220)]

    def digest(result):
        said = result.said[0]
        parts = (said.npz.read_bytes(), result.film.read_bytes(), said.csv.read_bytes())
        return [hashlib.sha256(part).hexdigest() for part in parts]

    service = service_of(FakeFace())
    alone = [digest(run(service, small(v))) for v in voices]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda v: digest(run(service, small(v))), voices))
    assert together == alone
    assert len({d[0] for d in alone}) == 4


# -- the line


def test_more_than_the_line_holds_is_refused_and_the_rest_is_done(service_of, voice):
    face = StubbornFace()
    service = service_of(face, waiting=2)
    first = service.submit(small(voice))
    wait_until(lambda: service.busy)
    line = [service.submit(small(voice)) for _ in range(2)]
    assert [service.place(job)[0] for job in (first, *line)] == [0, 1, 2]
    with pytest.raises(Busy, match="2 jobs are waiting"):
        service.submit(small(voice))
    face.release.set()
    assert all(job.wait(PATIENCE) and job.outcome() for job in (first, *line))


# -- stopping


def test_cancel_frees_the_service_within_a_second_and_the_next_job_works(service_of, voice):
    face = FakeFace(pause=0.05)
    service = service_of(face)
    practised(face)
    job = service.submit(small(voice), owner="me")
    wait_until(lambda: job.stage == "moving")
    begun = time.monotonic()
    assert service.cancel("me") == 1
    wait_until(lambda: not service.busy, 1.0)
    assert time.monotonic() - begun < 1.0
    with pytest.raises(Cancelled):
        job.outcome()
    assert not job.folder.exists()
    assert run(service, small(voice)).film.exists()


def test_cancel_reaches_the_owner_s_jobs_only(service_of, voice):
    face = StubbornFace()
    service = service_of(face)
    mine, other = (service.submit(small(voice), owner=name) for name in ("me", "other"))
    wait_until(lambda: service.busy)
    waiting = service.submit(small(voice), owner="me")
    assert service.cancel("me") == 2
    assert waiting.finished  # never begun, so at its end at once
    face.release.set()
    assert other.wait(PATIENCE)
    assert other.outcome().film.exists()
    with pytest.raises(Cancelled):
        mine.outcome()


def test_who_has_no_name_cancels_nobody_else_without_one(service_of, voice):
    face = StubbornFace()
    service = service_of(face)
    jobs = [service.submit(small(voice)) for _ in range(2)]
    wait_until(lambda: service.busy)
    assert service.cancel("") == 0
    face.release.set()
    assert all(job.wait(PATIENCE) and job.succeeded for job in jobs)


def test_a_job_past_its_deadline_is_stopped_with_a_sentence(service_of, voice):
    service = service_of(FakeFace(pause=0.05), deadline=0.3)
    with pytest.raises(Cancelled, match="too long"):
        run(service, small(voice))


def test_a_worker_that_does_not_come_back_is_replaced(service_of, voice):
    stubborn, fresh = StubbornFace(), FakeFace()
    faces = iter([stubborn, fresh])
    service = service_of(lambda: next(faces), grace=0.2)
    job = service.submit(small(voice), owner="me")
    assert stubborn.entered.wait(PATIENCE)
    service.cancel("me")
    assert job.wait(PATIENCE)
    with pytest.raises(Cancelled):
        job.outcome()
    assert run(service, small(voice)).film.exists()
    assert fresh.takes == 2  # the practice take and the job's
    stubborn.release.set()


# -- failures


@pytest.mark.parametrize(
    ("choices", "error", "sentence"),
    [
        ({"identity": "Zoe"}, FaceError, "no identity 'Zoe'"),
        ({"view": "back"}, RenderError, "no view 'back'"),
        ({"size": 99}, RenderError, "found 99"),
    ],
)
def test_a_wrong_choice_is_told_in_the_error_s_own_words(
    service_of, voice, choices, error, sentence
):
    service = service_of(FakeFace())
    with pytest.raises(error, match=sentence):
        run(service, Order(voice, **({"size": 256} | choices)))
    assert run(service, small(voice)).film.exists()


def test_a_bad_recording_is_refused_and_the_next_job_works(service_of, voice, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("no sound at all\n" * 99)
    service = service_of(FakeFace())
    with pytest.raises(SpeechError) as refusal:
        run(service, small(text))
    assert str(tmp_path) not in str(refusal.value)
    assert run(service, small(voice)).film.exists()


def test_an_unforeseen_failure_is_logged_and_told_without_details(service_of, voice, caplog):
    class Broken(FakeFace):
        def render(self, *_, **__):
            raise ZeroDivisionError("at /secret/place")

    service = service_of(Broken())
    with pytest.raises(JobFailed) as failure:
        run(service, small(voice))
    assert "secret" not in str(failure.value)
    assert "at /secret/place" in caplog.text


def test_models_that_cannot_be_loaded_are_told_to_every_job(service_of, voice):
    def load():
        raise WeightsError("The embedded weights are damaged.")

    service = service_of(load)
    for _ in range(2):
        with pytest.raises(WeightsError, match="damaged"):
            run(service, small(voice))
    with pytest.raises(L2TError, match="damaged"):
        service.about(timeout=1)


class Jobs(logging.Handler):
    """Which job each line belongs to."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def emit(self, record):
        self.seen.append((record.getMessage(), logs._job.get()))

    def of(self, words: str) -> list[str | None]:
        return [job for message, job in self.seen if words in message]


def test_what_is_logged_of_a_job_names_it(service_of, voice):
    class Talkative(FakeFace):
        def animate_each(self, speech, *more, **others):
            logging.getLogger("l2t").warning("takes of %s", speech.name)
            return super().animate_each(speech, *more, **others)

        def render(self, *_, **__):
            logging.getLogger("l2t").warning("film")
            raise ZeroDivisionError

    handler = Jobs()
    logging.getLogger().addHandler(handler)
    try:
        service = service_of(Talkative())
        job = service.submit(small(voice))
        assert job.wait(PATIENCE)
    finally:
        logging.getLogger().removeHandler(handler)
    assert handler.of("takes of voice") == [job.id]
    assert handler.of("film") == [None, job.id]  # the practice take first
    assert handler.of("failed") == [None, job.id]


# -- files


def test_discarded_jobs_leave_no_file_whether_done_or_at_work(service_of, voice):
    service = service_of(FakeFace(pause=0.01))
    done, early = service.submit(small(voice)), service.submit(small(voice))
    assert done.wait(PATIENCE)
    assert done.folder.exists()
    done.discard()
    early.discard()
    assert early.wait(PATIENCE)
    wait_until(lambda: not early.folder.exists())
    assert not done.folder.exists()


def test_files_that_nobody_fetched_go_when_they_are_old(service_of, voice):
    service = service_of(FakeFace(), keep=0.0)
    old = run(service, small(voice))
    time.sleep(0.02)
    run(service, small(voice))
    assert not old.film.exists()


def test_closing_removes_everything_and_takes_no_more_jobs(service_of, voice, tmp_path):
    face = FakeFace()
    service = service_of(face)
    run(service, small(voice))
    service.close()
    assert face.closed
    assert not service.runs.exists()
    with pytest.raises(Busy, match="shutting down"):
        service.submit(small(voice))


def test_importing_the_service_brings_in_neither_page_nor_models():
    heavy = ["gradio", "torch", "transformers", "pyvista", "moviepy"]
    code = f"import sys, l2t.service; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.fixture
def upload(voice, tmp_path):
    """Makes copies of the voice where visitors' files lie."""

    def make(name: str) -> Path:
        (tmp_path / "cache").mkdir(exist_ok=True)
        return Path(shutil.copyfile(voice, tmp_path / "cache" / name))

    return make


@pytest.mark.parametrize("links", [True, False])
def test_recordings_that_are_swept_while_their_jobs_wait_or_run_are_still_there_for_them(
    service_of, upload, tmp_path, monkeypatch, links
):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: os.open("/no/such/place", os.O_RDONLY))
    face = StubbornFace()
    service = service_of(face, keep=0.0)
    mine, film = upload("my voice.wav"), Path(shutil.copy(CLIPS / "lbad6n.mp4", tmp_path / "cache"))
    clip = Path(shutil.copy(CLIPS / "lbad6n.opus", tmp_path / "cache"))
    orders = [small(mine), small(mine), LipOrder(clip, film)]
    running, waiting, reading = (service.submit(order) for order in orders)
    assert face.entered.wait(PATIENCE)
    for path in (mine, film, clip):
        path.unlink()
    face.release.set()
    for job in (running, waiting, reading):
        assert job.wait(PATIENCE)
        assert job.outcome().film.name
        assert not job.inputs.exists()


def test_a_receipt_names_the_upload_and_not_where_it_was_held(service_of, upload):
    result = run(service_of(FakeFace()), small(upload("my voice.wav")))
    text = result.receipt.read_text()
    assert json.loads(text)["recording"]["name"] == result.said[0].take.speech.name == "my voice"
    assert ".in" not in text
    assert "/" not in text


def test_no_quota_takes_the_recording_of_a_job_that_waits(service_of, voice, upload):
    face = StubbornFace()
    service = service_of(face)
    first = service.submit(small(voice))
    assert face.entered.wait(PATIENCE)
    old = upload("old.wav")
    os.utime(old, (0, 0))
    waiting = service.submit(small(old))
    with pytest.raises(Busy):
        Quota(service.quota.folder, most=1, spare=0, young=30).make_room()
    face.release.set()
    assert first.wait(PATIENCE)
    assert waiting.wait(PATIENCE)
    assert waiting.outcome().film.exists()


def test_what_was_held_goes_with_its_job_however_that_ends(service_of, voice, upload, tmp_path):
    face = StubbornFace()
    service = service_of(face, waiting=2)
    text = upload("text.wav")
    text.write_text("no sound at all\n" * 99)
    first, bad = service.submit(small(upload("a.wav")), "me"), service.submit(small(text))
    assert face.entered.wait(PATIENCE)
    waiting = service.submit(small(upload("b.wav")), "you")
    assert waiting.inputs.exists()
    with pytest.raises(Busy):
        service.submit(small(upload("c.wav")))
    service.cancel("you")
    assert not waiting.inputs.exists()
    service.cancel("me")
    face.release.set()
    for job in (first, bad):
        assert job.wait(PATIENCE)
    assert list(service.runs.iterdir()) == []


# -- what is told


def test_status_tells_state_and_counts_and_nothing_of_visitors(service_of, voice, tmp_path):
    service = service_of(FakeFace())
    service.about(PATIENCE)
    run(service, small(voice))
    with pytest.raises(FaceError):
        run(service, small(voice, identity="Zoe"))
    wait_until(lambda: service.status()["queue"]["failed"] == 1)
    status = service.status()
    assert status["status"] == "ok"
    assert status["weights"]["label"] == "Test double, not trained"
    assert (status["device"], status["renderer"]) == ("cpu", "a test renderer")
    queue = {"waiting": 0, "capacity": 32, "running": 0, "finished": 1, "failed": 1}
    assert status["queue"] == queue
    assert status["worker"]["restarts"] == 0
    assert status["worker"]["memory"] > 10e6
    told = json.dumps(status)
    assert str(tmp_path) not in told
    assert "Zoe" not in told
    assert voice.stem not in told


def test_status_says_when_the_models_cannot_be_loaded(service_of):
    def load():
        raise WeightsError("The embedded weights are damaged.")

    service = service_of(load)
    with pytest.raises(WeightsError):
        service.about(PATIENCE)
    assert service.status()["status"] == "failing"


def test_the_wait_is_estimated_from_what_jobs_took(service_of, voice):
    face = StubbornFace()
    service = service_of(face)
    first = service.submit(small(voice), "a")
    wait_until(lambda: service.busy)
    line = [service.submit(small(voice), name) for name in "bcd"]
    waits = [service.place(job)[1] for job in line]
    assert waits == sorted(waits)
    assert waits[2] - waits[1] == pytest.approx(10, abs=0.1)  # the first guess a job
    face.release.set()
    assert all(job.wait(PATIENCE) for job in (first, *line))
    assert service.place(line[0]) == (0, 0.0)


# -- the thread that serves


def test_it_survives_that_old_files_cannot_be_looked_after(service_of, voice, monkeypatch, caplog):
    def sweep(folder, *_, **__):
        if folder == service.runs:  # and not one that another test left running
            raise OSError(errno.EMFILE, "Too many open files", "/secret/place")

    service = service_of(FakeFace())
    monkeypatch.setattr("l2t.tidy.sweep", sweep)
    for _ in range(2):
        assert run(service, small(voice)).film.exists()
    assert service.status()["status"] == "ok"
    told = [line for line in caplog.messages if "Too many open files" in line]
    assert len(told) == 1  # not each time it looks
    assert "secret" not in caplog.text


def test_it_survives_what_nobody_foresaw(service_of, voice, monkeypatch, caplog):
    monkeypatch.setattr("l2t.service.IDLE", 0.05)
    service = service_of(FakeFace())
    service.about(PATIENCE)
    look = service.worker.look
    service.worker.look = lambda: 1 / 0
    wait_until(lambda: "goes on" in caplog.text)
    service.worker.look = look
    assert run(service, small(voice)).film.exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_service_without_its_thread_is_failing(service_of):
    service = service_of(FakeFace())
    service.about(PATIENCE)

    def leave():
        raise SystemExit

    service.worker.look = leave
    wait_until(lambda: service.status()["status"] == "failing")
    assert health_of(service) == 503


def test_a_broken_decoder_is_told_before_a_visitor_meets_it(service_of, monkeypatch, caplog):
    check_decoder.cache_clear()
    for name in ("PAUSE", "RETRY"):
        monkeypatch.setattr(readiness, name, 0.05)
    with monkeypatch.context() as patch:
        install(patch, "raise TypeError('a library has changed')")
        service = service_of(FakeFace())
        with pytest.raises(SpeechError, match="decoder is broken"):
            service.about(PATIENCE)
        assert health_of(service) == 503
        assert "the decoder of a recording is broken" in caplog.text
    wait_until(lambda: service.status()["status"] == "ok")  # it was put right


def test_a_decoder_that_cannot_be_tried_is_no_reason_not_to_serve(service_of, voice, monkeypatch):
    check_decoder.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(self_check, "_silence", lambda _: os.open("/no/such/place", os.O_RDONLY))
        service = service_of(FakeFace())
        assert service.about(PATIENCE)
    assert run(service, small(voice)).film.exists()


def health_of(service) -> int:
    app = Starlette(routes=[health_route(service.status)])
    return TestClient(app).get("/health").status_code


# -- room


def test_a_full_disk_refuses_the_job_and_the_next_one_works(service_of, voice, tmp_path):
    service = service_of(FakeFace(), quota=1_000_000)
    service.about(PATIENCE)
    large = tmp_path / "upload.bin"
    large.write_bytes(bytes(2_000_000))
    with pytest.raises(Busy, match="disk is full"):
        run(service, small(voice))
    large.unlink()
    assert run(service, small(voice)).film.exists()


def test_a_folder_that_cannot_be_written_is_told(service_of, voice):
    service = service_of(FakeFace())
    service.about(PATIENCE)
    remove(service.runs)
    with pytest.raises(OutputError, match="cannot write results"):
        run(service, small(voice))


# -- the end


def test_closing_lets_the_running_job_finish_and_refuses_the_others(service_of, voice):
    face = StubbornFace()
    service = service_of(face)
    running = service.submit(small(voice), "a")
    wait_until(lambda: service.busy)
    waiting = service.submit(small(voice), "b")
    closing = threading.Thread(target=service.close, args=(PATIENCE,))
    closing.start()
    assert waiting.wait(PATIENCE)
    with pytest.raises(Busy, match="shutting down"):
        waiting.outcome()
    assert not running.finished
    face.release.set()
    closing.join(PATIENCE)
    assert running.succeeded
