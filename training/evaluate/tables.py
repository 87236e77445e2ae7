"""Means over clips with their intervals, as rows, as Markdown, and into the model card."""

from pathlib import Path

import numpy as np

from l2t import metrics


def row(name: str, values: list[float]) -> dict:
    """Mean of clip means with its 95 % bootstrap interval; nan values are left out."""
    mean, low, high = metrics.bootstrap_interval(np.array(values, float))
    count = int(np.isfinite(values).sum())
    return {"measure": name, "mean": mean, "low": low, "high": high, "clips": count}


def table(title: str, rows: list[dict]) -> str:
    """One table in Markdown, a line a measure."""
    lines = [f"### {title}", "", "| measure | mean | 95 % interval | clips |", "|---|---|---|---|"]
    lines += [
        f"| {r['measure']} | {r['mean']:.3f} | {r['low']:.3f} to {r['high']:.3f} | {r['clips']} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def grid(title: str, heads: list[str], lines: list[list[str]], notes: str = "") -> str:
    """A table in Markdown of ready-made cells, with a sentence under it."""
    out = [f"### {title}", "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(out) + "\n" + (f"\n{notes}\n" if notes else "")


def into_card(card: Path, text: str, command: str = "training.evaluate") -> None:
    """Puts a command's tables between its marks. Raises ValueError when the card lacks them."""
    first, last = f"<!-- tables: {command} -->", "<!-- end of tables -->"
    before, mark, rest = card.read_text(encoding="utf-8").partition(first + "\n")
    _, end, after = rest.partition(last)
    if not mark or not end:
        raise ValueError(f"{card.name} lacks the lines {first} and {last}")
    card.write_text(f"{before}{mark}\n{text}\n{end}{after}", encoding="utf-8")
