"""The text that `training.paper.evaluate` prints: our rows, then the published ones."""

import numpy as np

from training.paper.figures import Figures, interval, pooled_lve
from training.paper.layout import Layout
from training.paper.masks import Mask
from training.paper.published import PUBLISHED, PUBLISHED_SET

WIDTHS = (30, 24, 9, 26, 24, 22, 22, 18)


def results_table(
    layout: Layout, name: str, rows: dict[str, list[Figures]], lips: Mask, upper: Mask | None
) -> str:
    """One test set: what was measured over what, a line a row, a line a published method."""
    split = layout.tests[name]
    clips = len(next(iter(rows.values())))
    seen = "seen in training" if set(split.subjects) <= set(layout.styles) else "not in training"
    upper_text = "" if upper is None else f"; FDD over {upper.name}, squared distances"
    head = (
        f"\n{layout.title}, {name}: {clips} of {len(split.wanted())} clips, "
        f"{len(split.subjects)} subjects {seen}, {layout.fps:g} frames a second\n"
        f"LVE over {lips.name}{upper_text}; unit: {layout.unit}, squared\n"
        "mean of clip means [95 % bootstrap interval]; offset in frames, positive = lips late\n"
    )
    lve, fdd = f"LVE x{1 / layout.lve_scale:.0e}", f"FDD x{1 / layout.fdd_scale:.0e}"
    names = ("", lve, "pooled", f"{fdd} signed", "absolute", "LSE-D", "LSE-C", "offset")
    lines = [head, _line(names)]
    lines += [_line((row, *_cells(layout, figures))) for row, figures in rows.items()]
    return "\n".join(lines + (_published(layout) if name == PUBLISHED_SET[layout.name] else []))


def _published(layout: Layout) -> list[str]:
    lines = ["published (LVE pooled, FDD signed; LSE by the authors' own expert, not ours)"]
    for paper in PUBLISHED[layout.name]:
        cells = ("", _plain(paper.lve), _plain(paper.fdd), "", _plain(paper.lse_d),
                 _plain(paper.lse_c), "")  # fmt: skip
        lines.append(_line((paper.name, *cells)))
    return lines


def _cells(layout: Layout, rows: list[Figures]) -> tuple[str, ...]:
    def cell(name: str, scale: float = 1.0, digits: int = 3) -> str:
        mean, low, high = (scale * v for v in interval(rows, name))
        return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]" if mean == mean else "-"

    return (
        cell("lve", layout.lve_scale), _plain(pooled_lve(rows) * layout.lve_scale),
        cell("fdd", layout.fdd_scale), cell("fdd_absolute", layout.fdd_scale),
        cell("lse_d"), cell("lse_c"), cell("offset", digits=1),
    )  # fmt: skip


def _plain(value: float) -> str:
    return f"{value:.3f}" if np.isfinite(value) else "-"


def _line(cells: tuple[str, ...]) -> str:
    return " ".join(f"{c:<{w}}" for c, w in zip(cells, WIDTHS, strict=True)).rstrip()
