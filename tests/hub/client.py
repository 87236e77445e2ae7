"""Settings under which the project's Hub client asks a loopback Hub, and nothing else."""

from pathlib import Path

from hub.loopback import LoopbackHub

_UNSET = ("HF_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "L2T_HUB_REPO")


def use_hub(monkeypatch, hub: LoopbackHub, home: Path, seconds: float = 20.0) -> None:
    """Point the environment at `hub`, with the cache in `home` and a deadline in seconds."""
    for name in _UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "L2T_HUB_SECONDS": str(seconds),
        "NO_PROXY": "*",
        "no_proxy": "*",
    }.items():
        monkeypatch.setenv(name, value)


def blobs(home: Path, ending: str = "") -> list[Path]:
    """Files in the cache's blob folders whose names end so."""
    return sorted(p for p in home.glob("hub/models--*/blobs/*") if p.name.endswith(ending))
