"""What made a result: the versions of Learn2Talk, of the packages and of the platform."""

import os
import platform
import subprocess
from functools import cache
from importlib import metadata

import torch

import l2t

# Those whose version may show in a result's bytes.
PACKAGES = ("torch", "numpy", "scipy", "numba", "transformers", "safetensors", "pillow", "pyvista",
            "vtk", "av", "moviepy", "imageio-ffmpeg")  # fmt: skip
FFMPEG_SECONDS = 20.0  # for ffmpeg to say its version


def made_with(device: str) -> dict:
    """Names and versions as JSON values, without the machine's name, its user or the time.

    device: what the networks ran on, as torch names it ("cpu", "cuda:0").
    """
    kind = device.partition(":")[0]
    return {
        "learn2talk": l2t.__version__,
        "python": platform.python_version(),
        "packages": package_versions(),
        "ffmpeg": ffmpeg_version(),
        "system": platform.system() or None,
        "machine": platform.machine() or None,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": 1,  # of the networks: `l2t.same_answer`
        "device": kind,
        "gpu": torch.cuda.get_device_name(device) if kind == "cuda" else None,
    }


def package_versions() -> dict[str, str]:
    """Of `PACKAGES` those that are installed, with their versions."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def ffmpeg_version() -> str | None:
    """Of the encoder that films are made with; None when it does not say."""
    import imageio_ffmpeg

    try:
        program = os.environ.get("FFMPEG_BINARY") or imageio_ffmpeg.get_ffmpeg_exe()
        said = subprocess.run(
            [program, "-version"], capture_output=True, timeout=FFMPEG_SECONDS, check=True
        ).stdout.decode(errors="replace")
    except (OSError, RuntimeError, subprocess.SubprocessError):
        return None
    words = said.partition("\n")[0].removeprefix("ffmpeg version ").split()
    return words[0][:80] if words else None
