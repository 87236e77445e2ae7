"""How wrong a reading is: edits from what was said, in words, phones and visemes."""

from collections.abc import Sequence

# Phones that look alike: the 12 classes of Neti et al., "Audio-visual speech recognition",
# Johns Hopkins summer workshop 2000, final report (a thirteenth is silence).
VISEMES: dict[str, tuple[str, ...]] = {
    "V1": ("AO", "AH", "AA", "ER", "OY", "AW", "HH"),
    "V2": ("UW", "UH", "OW"),
    "V3": ("AE", "EH", "EY", "AY"),
    "V4": ("IH", "IY"),
    "alveolar semivowel": ("L", "R", "Y"),
    "alveolar fricative": ("S", "Z"),
    "alveolar": ("T", "D", "N"),
    "palato-alveolar": ("SH", "ZH", "CH", "JH"),
    "bilabial": ("P", "B", "M"),
    "dental": ("TH", "DH"),
    "labio-dental": ("F", "V"),
    "velar": ("NG", "K", "G", "W"),
}
VISEME_OF: dict[str, str] = {phone: name for name, phones in VISEMES.items() for phone in phones}


def edits(said: Sequence[str], read: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions from one to the other (Levenshtein)."""
    row = list(range(len(read) + 1))
    for i, a in enumerate(said, 1):
        corner, row[0] = row[0], i
        for j, b in enumerate(read, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (a != b))
    return row[-1]


def error_rate(said: Sequence[str], read: Sequence[str]) -> float:
    """Edits over the number said; may exceed 1. Words or phones; nan when nothing was said."""
    return edits(said, read) / len(said) if said else float("nan")


def viseme_error(said: Sequence[str], read: Sequence[str]) -> float:
    """`error_rate` of two phone sequences after each phone became its class of VISEMES."""
    return error_rate([VISEME_OF[p] for p in said], [VISEME_OF[p] for p in read])
