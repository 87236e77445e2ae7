"""Every sentence of the page: numbers become words here, and nowhere else."""

from typing import TYPE_CHECKING

from l2t.speech import FORMATS, Limits

if TYPE_CHECKING:
    from l2t.jobs import Result, Said
    from l2t.service import Settings
    from l2t.variants import Variant
    from l2t.worker.about import About

TITLE = "Learn2Talk"
PITCH = "Speak, and a 3D head says it back, with a reading of how well lips and voice agree."
HOW = "Record, upload or pick an example, then press the button."
HEAD = "0 is still, 1 looks natural; the lips stay the same."
SEED = "Another number, another movement. Empty: the recording's own."
AVATAR = (
    "The same take by a head of 3D Gaussians, which has a face of its own. Choose from where to "
    "film it."
)
ALONE = "These weights hold one variant only, so there is nothing to compare it with."
STAGES = {
    "listening": "Listening",
    "moving": "Moving the face",
    "checking": "Checking sync",
    "drawing": "Drawing",
}
NO_RECORDING = "There is no recording yet: record, upload or pick an example first."
CANCELLED = "Cancelled. Your recording is still here."
UNFORESEEN = "Something went wrong on our side; your recording is untouched, please try again."
LOADING = "The models are being loaded; a first take can be ordered already."
NO_SPEECH = "No speech found: the face stays still, and there is nothing to score."

SLIGHT, CLEAR = 45.0, 125.0  # ms; viewers notice sound early by 45 and late by 125 (ITU-R BT.1359)
GOOD, FAIR = 0.7, 0.4  # of the calibrated confidence, 0..1


def limits_line(limits: Limits, settings: "Settings", sweep: float) -> str:
    """What is accepted, under the recorder; sweep: seconds between two looks at old files."""
    takes = "one take" if settings.waiting_each == 1 else f"{settings.waiting_each} takes"
    return (
        f"{limits.min_seconds:g} to {limits.max_seconds:g} seconds, up to "
        f"{limits.max_bytes / 1e6:.0f} MB: {FORMATS}. "
        f"A take may work for {about(settings.deadline)}, and {takes} of yours may wait. "
        "Recordings are processed by this server and deleted after "
        f"{about(settings.keep + sweep)}."
    )


def ready(seconds: float, voice: bool) -> str:
    """After a recording was accepted."""
    found = "ready" if voice else "but no speech was found in it; the face will stay still"
    return f"{seconds:.1f} seconds of sound, {found}."


def waiting(ahead: int, seconds: float) -> str:
    """While others are served; seconds: until its turn, an estimate. Nobody ahead: it begins."""
    if not ahead:
        return LOADING
    place = "Next in line" if ahead <= 1 else f"{ahead} takes are before yours"
    return f"{place}, about {about(seconds)} to wait."


def about(seconds: float) -> str:
    """A time as one would say it."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    return f"{round(seconds / 60)} minutes"


def caption(result: "Result") -> str:
    """What the film shows and what it took, under it; of two heads, which is which."""
    take, order = result.said[0].take, result.order
    seen = (name_of(take.identity), name_of(take.style), order.view)
    if order.orbit:
        around = f"{order.orbit.azimuth:g}° round, {order.orbit.elevation:g}° up"
        seen = ("Gaussian head", name_of(take.style), around)
    shown = (take.speech.name, *seen)
    made = " · ".join((*shown, f"{order.size} px", f"made in {result.seconds:.1f} s"))
    if len(result.said) == 1:
        return made
    left, right = (said.take.variant.title for said in result.said)
    return f"{made}. Left: {left}; right: {right}. Weights: {take.weights.label}."


def both(left: "Variant", right: "Variant") -> str:
    """What the two variants are that were chosen for a comparison."""
    if left == right:
        return f"{left.title}: {left.line}"
    return f"{left.title}: {left.line} {right.title}: {right.line}"


def scores(said: "tuple[Said, ...]") -> dict:
    """The scores of several takes as JSON values."""
    rows = [
        {"variant": own.take.variant.name, "title": own.take.variant.title, "sync": own.sync}
        for own in said
    ]
    return {"weights": said[0].take.weights.label, "variants": rows}


def weights_line(face: "About") -> str:
    """Which weights are active, from where and why, and what does the work."""
    drawn = f"are drawn by {face.renderer}" if face.renderer else "wait for the renderer to start"
    return f"Weights: {face.weights.label}. Models run on {face.device}; pictures {drawn}."


def name_of(identifier: str) -> str:
    """An identity or a style as people write it."""
    return identifier.replace("_", " ").replace("-", " ").capitalize()


def choices(identifiers: tuple[str, ...]) -> list[tuple[str, str]]:
    """For a drop-down list: what is shown and what it stands for."""
    return [(name_of(identifier), identifier) for identifier in identifiers]


def offset_value(milliseconds: float) -> str:
    """With a sign unless it is zero."""
    return f"{milliseconds:+.0f} ms" if round(milliseconds) else "0 ms"


def offset_words(milliseconds: float | None, mean: float | None) -> str:
    """The estimated offset in words; positive: the lips come after the voice.

    mean: of the confidence; where it is low, the best fit is little better than the others.
    """
    if milliseconds is None or mean is None:
        return "not defined"
    if mean < FAIR:
        return "uncertain, as confidence is low"
    size, side = abs(milliseconds), "late" if milliseconds > 0 else "early"
    if size <= SLIGHT:
        return "in step"
    return f"lips slightly {side}" if size <= CLEAR else f"lips clearly {side}"


def confidence_words(mean: float | None) -> str:
    """The mean calibrated confidence in words."""
    if mean is None:
        return "not defined"
    return "high" if mean >= GOOD else "fair" if mean >= FAIR else "low"


def readings(sync: dict, mean: float | None) -> list[dict]:
    """The four figures beside the plot: name, value, words; a dash where undefined."""
    offset, lse_d, lse_c = sync["offset_ms"], sync["lse_d"], sync["lse_c"]

    def row(name: str, value: str | None, words: str) -> dict:
        return {"name": name, "value": value or "–", "words": words if value else "not defined"}

    return [
        row("Offset", offset is not None and offset_value(offset), offset_words(offset, mean)),
        row("Confidence", mean is not None and f"{mean:.2f}", confidence_words(mean)),
        row("LSE-D", lse_d is not None and f"{lse_d:.2f}", "distance, lower is better"),
        row("LSE-C", lse_c is not None and f"{lse_c:.2f}", "margin, higher is better"),
    ]


def summary(seconds: float, sync: dict, mean: float | None, silent: float) -> str:
    """The plot for those who do not see it."""
    if mean is None:
        return f"{seconds:.1f} seconds. {NO_SPEECH}"
    parts = [f"{seconds:.1f} seconds, of which {silent:.1f} are silent."]
    parts.append(f"Lip-sync confidence is {confidence_words(mean)}, {mean:.2f} of 1 on average.")
    if sync["offset_ms"] is not None:
        offset = sync["offset_ms"]
        parts.append(f"Estimated offset {offset_value(offset)}: {offset_words(offset, mean)}.")
    if sync["lse_d"] is not None and sync["lse_c"] is not None:
        parts.append(f"LSE-D {sync['lse_d']:.2f}, LSE-C {sync['lse_c']:.2f}.")
    return " ".join(parts)
