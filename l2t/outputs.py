"""Where the command line writes: one place a result, checked before any work starts."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from l2t.errors import OutputError

# What is added to a recording's name in a folder; a file that is named must end as these do.
SUFFIXES = {"film": ".mp4", "motion": ".npz", "sync": ".json", "receipt": ".receipt.json"}
SHARED = ("film", "receipt")  # one for all variants


@dataclass(frozen=True)
class Outputs:
    """The files of one take; None where one was not asked for."""

    film: Path | None = None
    motion: Path | None = None
    sync: Path | None = None
    receipt: Path | None = None

    def results(self) -> list[Path]:
        """Those that are asked for, without the receipt."""
        return [path for path in (self.film, self.motion, self.sync) if path]

    def wanted(self) -> list[Path]:
        return self.results() + ([self.receipt] if self.receipt else [])


def plan(
    speeches: list[Path], targets: dict[str, Path | None], variants: Sequence[str] = ("",)
) -> list[tuple[Outputs, ...]]:
    """For each recording one `Outputs` a variant; OutputError if one could not be written.

    targets: by the names of `SUFFIXES`. For one recording a target is a file, or a folder that
    exists; for several it is a folder, made if need be, and files are named after the recordings
    (a second `a.wav` gives `a-2.mp4`). variants: their names, added to the files'; what is `SHARED`
    belongs to the first.
    """
    wanted = {kind: target for kind, target in targets.items() if target is not None}
    if len(speeches) > 1:
        for target in wanted.values():
            _make_folder(target)
    made = []
    for name in _distinct(path.stem for path in speeches):
        paths = {
            kind: target / f"{name}{SUFFIXES[kind]}" if target.is_dir() else target
            for kind, target in wanted.items()
        }
        made.append(tuple(_own(paths, variant, variants) for variant in variants))
    _check(speeches, [outputs for several in made for outputs in several])
    return made


def _own(paths: dict[str, Path], variant: str, variants: Sequence[str]) -> Outputs:
    """Of the files of a recording those of one variant."""
    if len(variants) == 1:
        return Outputs(**paths)
    named = {kind: path.with_stem(f"{path.stem}-{variant}") for kind, path in paths.items()}
    first = variant == variants[0]
    return Outputs(**named | {kind: paths.get(kind) if first else None for kind in SHARED})


def _distinct(stems: Iterable[str]) -> list[str]:
    names: list[str] = []
    for stem in stems:
        name, count = stem, 1
        while name in names:
            count += 1
            name = f"{stem}-{count}"
        names.append(name)
    return names


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or "an unknown reason"
        raise OutputError(
            f"{folder} cannot be made a folder ({reason}); several recordings need one."
        ) from None


def _check(speeches: list[Path], made: list[Outputs]) -> None:
    """Every result has a writable place of its own and overwrites no recording."""
    taken = {path.resolve() for path in speeches}
    for outputs in made:
        for kind, suffix in SUFFIXES.items():
            path = getattr(outputs, kind)
            if path is None:
                continue
            ending = suffix[suffix.rindex(".") :]
            if path.suffix.lower() != ending:
                raise OutputError(f"{path} does not end in {ending}, which a {kind} file must.")
            if path.resolve() in taken:
                raise OutputError(f"{path} is named twice; every result needs a file of its own.")
            taken.add(path.resolve())
            check_writable(path)


def check_writable(path: Path) -> None:
    """Raise OutputError unless a file could be written at `path` (which is left as it is)."""
    if path.is_dir():
        raise OutputError(f"{path} is a folder; the name of a file is expected.")
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        raise OutputError(f"{path} cannot be overwritten; a writable file is expected.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        reason = error.strerror or "an unknown reason"
        raise OutputError(
            f"{path} cannot be written ({reason}); a writable folder is expected."
        ) from None


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Call `write` with a name beside `path` and move the result there only when it is whole."""
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        write(part)
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or "an unknown reason"
        raise OutputError(f"{path.name} could not be written ({reason}).") from None
    finally:
        with contextlib.suppress(OSError):  # its folder may be no folder at all
            part.unlink(missing_ok=True)
