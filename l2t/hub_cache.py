"""One repository in the Hub client's cache: what is sound there, setting damage aside, the lock.

The cache's layout is huggingface_hub's own: models--ORG--NAME/{blobs, refs, snapshots/COMMIT},
where a snapshot's files point into blobs and refs/REVISION holds a commit.
Imports huggingface_hub: used by the child process only.
"""

import logging
import os
import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.utils import WeakFileLock

from l2t.errors import WeightsError
from l2t.hub import Unavailable
from l2t.manifest import NAME, Entry, read_manifest

COMMIT = re.compile(r"[0-9a-f]{40}")
_log = logging.getLogger(__name__)


class RepoCache:
    """The cache folder of one model repository "org/name"."""

    def __init__(self, repo: str):
        self.repo = repo
        self.root, name = Path(constants.HF_HUB_CACHE), f"models--{repo.replace('/', '--')}"
        self.folder, self.locks = self.root / name, self.root / ".locks" / name

    def find(self, revision: str) -> tuple[Path | None, bool]:
        """(sound snapshot or None, whether there is one that is damaged). Makes no request."""
        found = try_to_load_from_cache(self.repo, NAME, revision=revision)
        if not isinstance(found, str):
            return None, False
        snapshot = Path(found).parent
        damaged = bool(self.unsound(snapshot))
        return (None if damaged else snapshot), damaged

    def unsound(self, snapshot: Path) -> dict[str, str]:
        """File name -> problem; empty when every file lies in the cache and agrees with the
        manifest."""
        try:
            manifest = read_manifest(snapshot)
        except WeightsError as error:
            return {NAME: f"is not usable: {str(error).rstrip('.')}"}
        outside = {
            name: "leads out of the cache"
            for name in (NAME, *(entry.name for entry in manifest.entries))
            if not self._inside(snapshot / name)
        }
        return outside or manifest.problems(snapshot)

    def check_inside(self, commit: str) -> None:
        """Raise Unavailable where the folders to be written to are links to somewhere else."""
        for path in (self.folder, self.folder / "blobs", self.folder / "snapshots" / commit):
            if not self._inside(path):
                raise Unavailable("could not be saved: its folder leads out of the cache")

    def _inside(self, path: Path) -> bool:
        """Whether a path, all links followed, stays in the cache. A missing one would."""
        return path.resolve().is_relative_to(self.root.resolve())

    def set_aside(self, snapshot: Path, names: dict[str, str]) -> None:
        """Quarantine: blob -> blob.damaged, so that the next request fetches it anew.

        The manifest goes too, for it may be the one that is wrong. Raises Unavailable when the
        cache cannot be written.
        """
        for name in sorted({*names, NAME}):
            pointer = snapshot / name
            try:
                blob = snapshot / os.readlink(pointer) if pointer.is_symlink() else pointer
                if blob.exists() and self._inside(blob.parent):  # never touch what is elsewhere
                    os.replace(blob, blob.with_name(f"{blob.name}.damaged"))
                pointer.unlink(missing_ok=True)
            except OSError:
                raise Unavailable(
                    f"has {name} damaged in the cache, which cannot be written"
                ) from None

    def remember(self, revision: str, snapshot: Path) -> None:
        """Note which commit a branch or tag stands for, once its snapshot is complete.

        The client would do so at the first file; a transfer that breaks off would then hide the
        older, complete snapshot from an offline start. A read-only cache goes without.
        """
        if COMMIT.fullmatch(revision) or not self._inside(self.folder / "refs" / revision):
            return
        ref = self.folder / "refs" / revision
        part = ref.with_name(f"{ref.name}.{os.getpid()}.part")
        try:
            ref.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(snapshot.name)
            os.replace(part, ref)
        except OSError:
            _log.info("the cache cannot be written; %s is not noted", revision)

    def lock(self) -> AbstractContextManager:
        """One process at a time; the next one finds the work done. Read-only cache: no lock."""
        try:
            self.locks.mkdir(parents=True, exist_ok=True)
            (self.locks / "l2t.lock").touch()
        except OSError:
            return nullcontext()
        return WeakFileLock(self.locks / "l2t.lock")

    def unfinished(self) -> set[Path]:
        """Partial transfers of this repository."""
        return set((self.folder / "blobs").glob("*.incomplete"))


def listed(snapshot: Path) -> tuple[Entry, ...]:
    """Files of a snapshot's manifest; none when it is damaged, which `unsound` reports."""
    try:
        return read_manifest(snapshot).entries
    except WeightsError:
        return ()
