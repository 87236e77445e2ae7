"""Which files of a folder a build sees: the patterns of .dockerignore, as Docker reads them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PARTS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Ignored:
    """Says whether a path is left out: a pattern counts for all below it, the last match wins."""

    def __init__(self, text: str):
        self.rules = []
        for line in map(str.strip, text.splitlines()):
            if line and not line.startswith("#"):
                keep = line.startswith("!")
                pattern = line.removeprefix("!").strip().strip("/")
                self.rules.append((_expression(pattern), keep))

    def __call__(self, path: str) -> bool:
        """path: relative to the folder of the build, with slashes."""
        whole = PurePosixPath(path)
        names = [str(each) for each in (whole, *whole.parents) if str(each) != "."]
        ignored = False
        for rule, keep in self.rules:
            if any(rule.fullmatch(name) for name in names):
                ignored = not keep
        return ignored

    def files(self, root: Path, below: str) -> Iterator[str]:
        """Files at or below `below` that a build sees, relative to root."""
        start = root / below
        if start.is_file():
            found = [start]
        else:
            found = (Path(top) / name for top, _, names in os.walk(start) for name in names)
        for file in found:
            name = file.relative_to(root).as_posix()
            if not self(name):
                yield name


def _expression(pattern: str) -> re.Pattern:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(PARTS.get(piece, re.escape(piece)) for piece in pieces))
