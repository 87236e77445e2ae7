"""Makes the README's picture and clip from an example recording: `python -m training.make_docs`."""

import argparse
import tempfile
from pathlib import Path

import av
import numpy as np

from l2t.motion import frame_times
from l2t.speech import load_speech
from l2t.talkingface import Take, TalkingFace

ASSETS = Path(__file__).resolve().parents[1] / "assets"


def frames_at(film: Path, wanted: list[int]) -> list[np.ndarray]:
    """Frames of a film by number, (size, size, 3) uint8 each."""
    with av.open(str(film)) as container:
        decoded = enumerate(container.decode(video=0))
        return [frame.to_ndarray(format="rgb24") for i, frame in decoded if i in wanted]


def draw(take: Take, film: Path, path: Path) -> None:
    """Four frames above the waveform and the confidence over it, as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    jaw = take.motion.curve("jawOpen")
    quarters = np.array_split(np.arange(5, len(jaw) - 5), 4)
    picks = sorted(int(q[np.argmax(jaw[q]) if i % 2 else np.argmin(jaw[q])])
                   for i, q in enumerate(quarters))  # fmt: skip
    figure, rows = pyplot.subplot_mosaic(
        [["a", "b", "c", "d"], ["plot"] * 4], figsize=(10, 4), height_ratios=[2.5, 1.4]
    )
    for name, frame, number in zip("abcd", frames_at(film, picks), picks, strict=True):
        rows[name].imshow(frame)
        rows[name].set_title(f"{number / 30:.2f} s", fontsize=9)
        rows[name].axis("off")
    plot, samples = rows["plot"], take.speech.samples
    plot.fill_between(
        np.arange(len(samples))[::20] / 16000, 0.5 + samples[::20] / 2, 0.5, color="#b8c4d6"
    )
    plot.plot(frame_times(len(take.motion)), take.sync.confidence, color="#3b5bdb", linewidth=2)
    for number in picks:
        plot.axvline(number / 30, color="#888888", linewidth=0.8)
    plot.set(ylim=(0, 1), xlim=(0, take.speech.seconds), xlabel="s", ylabel="sync confidence")
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, default=ASSETS / "examples" / "english_woman_1.flac")
    parser.add_argument("--out", type=Path, default=ASSETS / "docs")
    parser.add_argument("--weights", default=None)
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    with TalkingFace.from_pretrained(args.weights) as face, tempfile.TemporaryDirectory() as folder:
        take = face.animate(load_speech(args.speech))
        film = face.render(take, Path(folder) / "take.mp4")
        draw(take, film, args.out / "take.png")
        (args.out / "take.mp4").write_bytes(film.read_bytes())
    print(f"offset {take.sync.offset_ms} ms, LSE-C {take.sync.lse_c:.2f}")


if __name__ == "__main__":
    main()
