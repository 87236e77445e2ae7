"""Phone times of utterances: the record, when to distrust it, and its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.pronounce import PHONES


@dataclass(frozen=True)
class Alignment:
    """Phone times of one utterance.

    id, speaker, split: as in `corpora.Utterance`.
    phones:  names, ARPAbet without stress or "SIL"; they cover the utterance without gaps.
    starts, ends: (phones,) float32 seconds from the start of the utterance.
    hurried: share of phones at the shortest length the aligner allows; high = text does not fit.
    drift:   share of words whose start differs by over 0.1 s between the two passes.
    score:   mean log score of a frame relative to the best state; low = sound does not fit.
    """

    id: str
    speaker: str
    split: str
    phones: tuple[str, ...]
    starts: np.ndarray
    ends: np.ndarray
    hurried: float = 0.0
    drift: float = 0.0
    score: float = 0.0


def reason_to_drop(
    alignment: Alignment,
    max_hurried: float = 0.3,
    max_drift: float = 0.15,
    max_phone: float = 0.8,
    min_score: float = -5.0,
) -> str | None:
    """Why an alignment is not to be trusted, or None.

    A text that does not fit the sound squeezes its phones to the shortest length the aligner
    allows, stretches one over what was not in the text (`max_phone` s), makes the two passes
    disagree and the score low.
    """
    spoken = np.array([phone != "SIL" for phone in alignment.phones], bool)
    if not spoken.any():
        return "nothing said"
    if alignment.hurried > max_hurried:
        return "hurried"
    if alignment.drift > max_drift:
        return "drift"
    if (alignment.ends - alignment.starts)[spoken].max() > max_phone:
        return "long phone"
    return "low score" if alignment.score < min_score else None


def save_alignments(path: Path, alignments: Sequence[Alignment]) -> None:
    """Write one npz without pickle; `offsets` cuts the flat phone arrays into utterances."""
    flat = [PHONES.index(phone) for a in alignments for phone in a.phones]
    none = [np.zeros(0, np.float32)]
    part = path.with_suffix(".part.npz")
    np.savez_compressed(
        part,
        names=np.array(PHONES),
        ids=np.array([a.id for a in alignments], str),
        speakers=np.array([a.speaker for a in alignments], str),
        splits=np.array([a.split for a in alignments], str),
        quality=np.array([(a.hurried, a.drift, a.score) for a in alignments], np.float32),
        offsets=np.cumsum([0] + [len(a.phones) for a in alignments]).astype(np.int32),
        phones=np.array(flat, np.uint8),
        starts=np.concatenate([a.starts for a in alignments] or none),
        ends=np.concatenate([a.ends for a in alignments] or none),
    )
    part.replace(path)


def load_alignments(path: Path) -> list[Alignment]:
    """What `save_alignments` wrote."""
    with np.load(path, allow_pickle=False) as file:
        data = {key: file[key] for key in file.files}
    names = data["names"].tolist()
    out = []
    for i, (first, last) in enumerate(zip(data["offsets"], data["offsets"][1:], strict=False)):
        hurried, drift, score = data["quality"][i].tolist()
        out.append(
            Alignment(
                id=str(data["ids"][i]),
                speaker=str(data["speakers"][i]),
                split=str(data["splits"][i]),
                phones=tuple(names[n] for n in data["phones"][first:last]),
                starts=data["starts"][first:last],
                ends=data["ends"][first:last],
                hurried=hurried,
                drift=drift,
                score=score,
            )
        )
    return out
