"""The tables of the comparison: a row a contender, and paired differences between them."""

import math
from dataclasses import dataclass, field

import numpy as np

from l2t.metrics import bootstrap_interval
from training.evaluate.measures import AGAINST_TRUTH, BY_OTHERS, READ, Column, behind
from training.evaluate.tables import grid

Values = dict[str, list[dict[str, float]]]
NOT_MEASURED = "not measured"


@dataclass
class Board:
    """label: of the set of clips; titles: contender -> what people read; values: contender -> one
    dict of figures a clip, in the clips' order; blind: there is no lip reader."""

    label: str
    titles: dict[str, str]
    values: Values = field(default_factory=dict)
    blind: bool = False

    def title(self, name: str) -> str:
        return self.titles.get(name, name)

    def means(self) -> dict[str, dict]:
        """contender -> figure -> mean, low, high, clips: for a file."""
        out: dict[str, dict] = {}
        for name, clips in self.values.items():
            for column in AGAINST_TRUTH + BY_OTHERS:
                numbers = of(clips, column.key)
                if (count := int(np.isfinite(numbers).sum())):
                    mean, low, high = bootstrap_interval(numbers)
                    found = {"mean": mean, "low": low, "high": high, "clips": count}
                    out.setdefault(name, {})[column.key] = found
        return out


def of(values: list[dict[str, float]], key: str) -> np.ndarray:
    """One figure of every clip, nan where it is undefined."""
    return np.array([clip.get(key, math.nan) for clip in values], float)


def cell(column: Column, numbers: np.ndarray, blind: bool = False) -> str:
    """Mean and interval; a dash where the figure is undefined."""
    if not np.isfinite(numbers).any():
        return NOT_MEASURED if blind and column.key in READ else "–"
    digits = column.digits
    mean, low, high = bootstrap_interval(numbers)
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def shown(columns: tuple[Column, ...], values: Values, blind: bool = False) -> list[Column]:
    """Columns that anybody has a value for; without a reader its columns say so."""
    def there(key: str) -> bool:
        return any(np.isfinite(of(clips, key)).any() for clips in values.values())

    return [c for c in columns if (blind and c.key in READ) or there(c.key)]


def comparison(board: Board) -> str:
    """Two tables with one row a contender: against the tracked truth, and by other judges."""
    out, values, label = [], board.values, board.label
    for what, columns in (("against the tracked truth", AGAINST_TRUTH), ("by others", BY_OTHERS)):
        kept = shown(columns, values, board.blind)
        if not kept:
            continue
        lines = [
            [board.title(name)] + [cell(c, of(clips, c.key), board.blind) for c in kept]
            for name, clips in values.items()
            if any(np.isfinite(of(clips, c.key)).any() for c in kept)
        ]
        heads = ["who", *(c.title for c in kept)]
        out.append(grid(f"{label}, {what}", heads, lines))
    return "\n".join(out)


def difference(column: Column, one: list[dict], other: list[dict]) -> dict[str, float] | None:
    """Mean of (one - other) clip by clip with its interval; None without a clip both have.

    For "zero" columns sizes are compared. better: +1 or -1 when the interval leaves 0 out.
    """
    a, b = of(one, column.key), of(other, column.key)
    if column.better == "zero":
        a, b = np.abs(a), np.abs(b)
    both = np.isfinite(a) & np.isfinite(b)
    if not both.any():
        return None
    mean, low, high = bootstrap_interval((a - b)[both])
    sure = 0 if low <= 0 <= high else (1 if mean > 0 else -1)
    base = float(b[both].mean())
    return {"mean": mean, "low": low, "high": high, "clips": int(both.sum()),
            "share": mean / base if base else math.nan,
            "better": sure if column.better == "high" else -sure}  # fmt: skip


def pairs(students: list[str]) -> list[tuple[str, str]]:
    """Who is held against whom: every student against reconstruction alone; the first and
    reconstruction against the autoregressive baseline."""
    others = [n for n in students if n not in ("reconstruction", "faceformer")]
    out = [(n, "reconstruction") for n in others if "reconstruction" in students]
    rivals = others[:1] + ["reconstruction"] * ("reconstruction" in students)
    return out + [(n, "faceformer") for n in rivals if "faceformer" in students]


def apart(board: Board, held: list[tuple[str, str]]) -> dict[str, dict]:
    """"a - b" -> figure -> `difference`: for a file."""
    out: dict[str, dict] = {}
    for a, b in held:
        for column in AGAINST_TRUTH + BY_OTHERS:
            if found := difference(column, board.values[a], board.values[b]):
                out.setdefault(f"{a} - {b}", {})[column.key] = found
    return out


def differences(board: Board, held: list[tuple[str, str]]) -> str:
    """A line a figure, a column a pair: how far apart two contenders are on the same clips."""
    if not held:
        return ""
    names = {n: clips for n, clips in board.values.items() if any(n in pair for pair in held)}
    lines = []
    for column in shown(AGAINST_TRUTH, names) + shown(BY_OTHERS, names):
        cells = [_apart(column, difference(column, names[a], names[b])) for a, b in held]
        if any(cells):
            lines.append([column.title, *cells])
    heads = ["figure", *(f"{board.title(a)} − {board.title(b)}" for a, b in held)]
    note = ('Paired bootstrap over clips; "better" or "worse" where the 95 % interval leaves out '
            "0. Of lag the size counts.")  # fmt: skip
    return grid(f"{board.label}: differences", heads, lines, note)


def _apart(column: Column, found: dict[str, float] | None) -> str:
    if found is None:
        return ""
    digits = column.digits
    text = "{mean:+.{d}f} ({low:+.{d}f} to {high:+.{d}f})".format(d=digits, **found)
    if column.key == "lve":
        text += f", {100 * found['share']:+.1f} %"
    return text + {1: " better", -1: " worse", 0: ""}[found["better"]]


def control_table(label: str, truth: list[dict[str, float]], controls: Values) -> str:
    """The controls as rows, for each figure those that it puts behind the truth, and under the
    table the promises of `Column.orders` that it does not keep."""
    values = {"truth": truth} | controls
    columns = shown(AGAINST_TRUTH + BY_OTHERS, values)
    lines = [[name, *(cell(c, of(clips, c.key)) for c in columns)]
             for name, clips in values.items()]  # fmt: skip
    ranks, broken = ["behind the truth"], []
    for column in columns:
        best = np.nanmean(of(truth, column.key))
        means = {n: np.nanmean(v) for n, clips in controls.items()
                 if np.isfinite(v := of(clips, column.key)).any()}  # fmt: skip
        good = [name for name, mean in means.items() if behind(column, best, mean)]
        ranks.append(", ".join(good) or "none")
        broken += [f"{column.title} does not put {name} behind the truth"
                   for name in column.orders if name in means and name not in good]  # fmt: skip
    heads = ["control", *(c.title for c in columns)]
    note = "; ".join(broken) or "Every figure orders the controls that it promises to order"
    return grid(
        f"{label}: controls made of the tracked truth", heads, [*lines, ranks], note + "."
    )
