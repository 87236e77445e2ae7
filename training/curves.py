"""Loss curves as a picture, one small panel a column of the log."""

import csv
import math
from pathlib import Path

# Not curves but axes.
AXES = ("step", "seconds")


def read_log(path: Path) -> dict[str, list[float]]:
    """Columns of a log.csv."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]} if rows else {}


def draw_curves(log: Path, picture: Path) -> None:
    """Draws every column of `log` against its steps into a PNG."""
    from matplotlib.figure import Figure

    columns = read_log(log)
    names = [name for name in columns if name not in AXES]
    if not names:
        return
    across = min(4, len(names))
    down = math.ceil(len(names) / across)
    figure = Figure(figsize=(3 * across, 2.2 * down), layout="constrained")
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for ax in axes:
        ax.set_visible(False)
    for ax, name in zip(axes, names, strict=False):
        ax.set_visible(True)
        ax.plot(columns["step"], columns[name], marker=".", linewidth=1)
        ax.set_title(name, fontsize=8)
        ax.tick_params(labelsize=7)
        ax.grid(alpha=0.3)
    figure.savefig(picture, dpi=80)
