"""How the service is, as JSON values: cheap, and without a word about visitors."""

from typing import TYPE_CHECKING

from l2t import __version__

if TYPE_CHECKING:
    from l2t.line import Line
    from l2t.pace import Pace
    from l2t.readiness import Readiness


def state_of(readiness: "Readiness", serving: bool) -> str:
    """One of `l2t.ui.health.STATES`; serving: whether there is a thread that hands out jobs."""
    worker = readiness.worker
    if readiness.error or not serving:
        return "failing"  # nobody is served, whatever the worker can do
    if worker.ready:
        return "ok"
    return "degraded" if worker.starts > 1 else "loading"  # degraded: it died, another starts


def status_of(
    readiness: "Readiness", serving: bool, busy: bool, line: "Line", pace: "Pace", uptime: float
) -> dict:
    """As `l2t.ui.health.SHAPE` wants it; uptime: seconds."""
    worker, about = readiness.worker, readiness.worker.about
    return {
        "status": state_of(readiness, serving),
        "version": __version__,
        "weights": about and {"label": about.weights.label, "digest": about.weights.digest},
        "device": about and about.device,
        "renderer": about and about.renderer,
        "queue": {
            "waiting": len(line),
            "capacity": line.most,
            "running": int(busy),
            "finished": pace.finished,
            "failed": pace.failed,
        },
        "worker": {
            "state": "busy" if busy else "idle" if worker.ready else "loading",
            "restarts": max(0, worker.starts - 1),
            "memory": worker.memory(),
        },
        "uptime": round(uptime, 1),
    }
