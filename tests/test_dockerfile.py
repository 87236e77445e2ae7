"""The Dockerfile: its lint, and its steps run here with only the files that the image would hold.

What is not run is the installation: system and Python packages are those of this machine, and the
command has no init above it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from dockerfile import LISTS, complaints, parse
from dockerignore import Ignored
from served import free_port

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PATIENCE = 120  # s for the page to answer, and then for its worker


def test_nothing_is_wrong_with_ours():
    assert complaints(TEXT, ROOT) == []


WRONG = {
    "latest tag": ("python:3.12-slim", "python:latest", "FROM must name a tag"),
    "no tag": ("python:3.12-slim", "registry:5000/python", "FROM must name a tag"),
    "root": ("USER 1000\n", "USER 1000\nUSER root\n", "must not run as root"),
    "no user": ("USER 1000\n", "", "must not run as root"),
    "ADD": ("COPY --chown=user l2t", "ADD --chown=user l2t", "COPY must be used"),
    "update apart": ("update \\\n    &&", "update\nRUN", "follow apt-get update in the same RUN"),
    "recommends": ("--no-install-recommends ", "", "must have --no-install-recommends"),
    "lists": (f"&& {LISTS}", "&& true", "must end with rm -rf"),
    "package more": ("libegl1", "libegl1 curl", "and those of packages.txt"),
    "package less": ("libegl1 ", "", "and those of packages.txt"),
    "no init's package": ("libgl1-mesa-dri tini", "libgl1-mesa-dri", "must be tini and those"),
    "no init": ('ENTRYPOINT ["tini", "--"]\n', "", "ENTRYPOINT must be"),
    "init in a shell": ('ENTRYPOINT ["tini", "--"]', "ENTRYPOINT tini --", "ENTRYPOINT must be"),
    "shell": ('CMD ["python", "app.py"]', "CMD python app.py", "CMD must be a JSON list"),
    "no such file": ("COPY --chown=user app.py", "COPY main.py", "main.py, which does not exist"),
    "ignored": ("user assets assets", "user tests tests", "which .dockerignore leaves out"),
    "secret": ("EXPOSE", "ENV HF_TOKEN=hf_x\nEXPOSE", "HF_TOKEN looks like a secret"),
    "port": ("EXPOSE 7860", "EXPOSE 8000", "EXPOSE must be the port"),
    "no health": ("HEALTHCHECK", "LABEL", "HEALTHCHECK must have"),
}


@pytest.mark.parametrize(("good", "bad", "complaint"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(good, bad, complaint):
    assert good in TEXT
    found = complaints(TEXT.replace(good, bad, 1), ROOT)
    assert any(complaint in each for each in found), found


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        ("tests", "tests/a/b.py", True),
        ("tests", "l2t/tests/b.py", False),  # other than in .gitignore
        ("/runs/", "runs/1", True),
        ("**/__pycache__", "__pycache__/a.pyc", True),
        ("**/__pycache__", "l2t/ui/__pycache__/a.pyc", True),
        ("*.md", "README.md", True),
        ("*.md", "assets/LICENSE.md", False),
        ("*.md\n!README.md", "README.md", False),
        ("# tests\n\n.git", "tests/a", False),
        (".git", ".gitignore", False),
    ],
)
def test_ignored_as_docker_ignores(patterns, path, ignored):
    assert Ignored(patterns)(path) is ignored


def copied(root: Path, image: Path) -> None:
    """The COPY lines, as a build does them, into the folder `image`."""
    ignored = Ignored((root / ".dockerignore").read_text(encoding="utf-8"))
    for sources, destination in parse(TEXT).copies:
        for source in sources:
            inner = root / source if (root / source).is_dir() else root
            for name in ignored.files(root, source):
                target = image / destination / (root / name).relative_to(inner)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, target)


def here(words: list[str]) -> list[str]:
    """A command of the image with this Python."""
    assert words[0] == "python"
    return [sys.executable, *words[1:]]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image") / "app"
    copied(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def environment(image):
    """The image's, but for a free port on this machine only, its own home, and debug weights."""
    other = image.parent / "tmp"
    other.mkdir()
    return parse(TEXT).env | {
        "PATH": os.environ["PATH"], "HOME": str(other), "TMPDIR": str(other),
        "GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(free_port()),
        "L2T_WEIGHTS": "debug", "L2T_RENDERER": "software", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip


@pytest.fixture(scope="module")
def container(image, environment):
    """The image's command, running among the image's files and in its environment."""
    command = here(parse(TEXT).command)
    with (image.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=image, env=environment, stdout=log, stderr=log)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait(20)


def said(image) -> str:
    """The end of what the command has printed, for a test that fails."""
    return (image.parent / "log").read_text(encoding="utf-8", errors="replace")[-3000:]


def healthy(image, environment) -> bool:
    command = here(parse(TEXT).health)
    done = subprocess.run(command, cwd=image, env=environment, capture_output=True, timeout=60)
    return done.returncode == 0


def test_the_image_holds_no_more_than_the_page_needs(image):
    names = {each.name for each in image.iterdir()}
    assert names == {"app.py", "l2t", "assets", "requirements.txt", "LICENSE", "MODEL_CARD.md"}
    assert not list(image.rglob("__pycache__"))


def test_before_the_page_runs_the_health_check_fails(image, environment):
    assert not healthy(image, environment)


def test_with_the_files_of_the_image_the_page_becomes_healthy(image, environment, container):
    end = time.monotonic() + PATIENCE
    while not healthy(image, environment):
        assert container.poll() is None, said(image)
        assert time.monotonic() < end, said(image)
        time.sleep(0.5)
    # Healthy while it loads, too: its worker must come up as well.
    address = f"http://127.0.0.1:{environment['GRADIO_SERVER_PORT']}/health"
    while (status := httpx.get(address, timeout=20).json()["status"]) != "ok":
        assert status == "loading", said(image)
        assert time.monotonic() < end, said(image)
        time.sleep(0.5)


def test_told_to_stop_as_docker_does_it_ends_by_itself(image, container):
    assert container.poll() is None, said(image)
    container.send_signal(signal.SIGTERM)
    assert container.wait(60) == 0, said(image)
