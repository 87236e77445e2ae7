"""Push weights, model card and licence to a Hub repository, as one commit.

    python -m training.publish ORG/NAME [--folder assets/weights] [--endpoint URL] [--private]
        [--dry-run]

Needs write access: HF_TOKEN, or `hf auth login` before. Nothing is sent unless each file agrees
with the manifest, and model card and licences are there.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from l2t.errors import WeightsError
from l2t.hub import HubRef
from l2t.manifest import NAME, read_manifest
from l2t.weights import resolve

ROOT = Path(__file__).resolve().parents[1]
_FRONT_MATTER = re.compile(r"---\n(?P<fields>.*?)\n---\n.*\S", re.DOTALL)
_LICENCE_FIELD = re.compile(r"^license: *\S", re.MULTILINE)


@dataclass(frozen=True)
class Parcel:
    """What is sent: name in the repository -> local file."""

    repo: str
    files: dict[str, Path]

    @property
    def megabytes(self) -> float:
        return sum(path.stat().st_size for path in self.files.values()) / 1e6


def pack(repo: str, folder: Path, card: Path, licence: Path) -> Parcel:
    """Check everything that is to be sent; WeightsError says what is missing or damaged."""
    if (ref := HubRef.parse(repo)) is None or ref.repo != repo:
        raise WeightsError(f"{repo[:80]!r} is no repository name; accepted is org/name.")
    resolve(folder)  # each role there, each file sound
    manifest = read_manifest(folder)
    for entry in manifest.entries:
        if not (entry.command and entry.data and entry.licence):
            raise WeightsError(f"{entry.name} has no command, data or licence in the manifest.")
    _check_card(card)
    if not _text(licence):
        raise WeightsError(f"The licence is missing: {licence.name} must hold its text.")
    files = {entry.name: folder / entry.name for entry in manifest.entries}
    return Parcel(repo, {"README.md": card, "LICENSE": licence, NAME: folder / NAME, **files})


def publish(parcel: Parcel, endpoint: str | None = None, private: bool = False) -> str:
    """Send a parcel, making the repository when it is new; the new commit's id.

    Raises WeightsError with the Hub's answer when it refuses.
    """
    import httpx2
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=endpoint)
    operations = [
        CommitOperationAdd(path_in_repo=name, path_or_fileobj=path)
        for name, path in parcel.files.items()
    ]
    try:
        api.create_repo(parcel.repo, private=private, exist_ok=True)
        commit = api.create_commit(
            parcel.repo, operations, commit_message="Publish weights and model card"
        )
    except (httpx2.HTTPError, OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"The Hub did not take {parcel.repo}: {_why(error)}.") from error
    return commit.oid


def _check_card(card: Path) -> None:
    match = _FRONT_MATTER.match(_text(card))
    if not match:
        raise WeightsError(f"The model card is missing: {card.name} must start with front matter.")
    if not _LICENCE_FIELD.search(match["fields"]):
        raise WeightsError(f"The front matter of {card.name} names no license.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _why(error: Exception) -> str:
    """The cause of a refusal, without addresses and request ids."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return "no write access (set HF_TOKEN, or run `hf auth login`)"
    if status is not None:
        return f"it answered with error {status}"
    text = " ".join(str(error).split())[:200] or "no answer"
    return f"{type(error).__name__}, {text}".rstrip(".")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.publish", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("repo", metavar="ORG/NAME")
    parser.add_argument("--folder", type=Path, default=ROOT / "assets" / "weights")
    parser.add_argument("--card", type=Path, default=ROOT / "MODEL_CARD.md")
    parser.add_argument("--licence", type=Path, default=ROOT / "LICENSE")
    parser.add_argument("--endpoint", help="another Hub than huggingface.co")
    parser.add_argument("--private", action="store_true", help="make the repository private")
    parser.add_argument("--dry-run", action="store_true", help="check, list, send nothing")
    args = parser.parse_args(argv)
    try:
        parcel = pack(args.repo, args.folder, args.card, args.licence)
        for name, path in parcel.files.items():
            print(f"{path.stat().st_size:>10} bytes  {name}")
        if args.dry_run:
            print(f"Would send {parcel.megabytes:.2f} MB to {args.repo}; nothing was sent.")
            return 0
        commit = publish(parcel, args.endpoint, args.private)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Sent {parcel.megabytes:.2f} MB. Use it with: --weights {args.repo}@{commit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
