"""The sentences of the GRID corpus: six words, each out of a short list, 51 words in all.

"bin blue at F two now": command, colour, preposition, letter, digit, adverb (Cooke, Barker,
Cunningham and Shao, JASA 2006).  Pronunciations in ARPABET, as the corpus' British speakers say
them; a second one is another way to say the same word.
"""

SLOTS: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    ("command", {"bin": ("B IH N",), "lay": ("L EY",), "place": ("P L EY S",),
                 "set": ("S EH T",)}),
    ("colour", {"blue": ("B L UW",), "green": ("G R IY N",), "red": ("R EH D",),
                "white": ("W AY T",)}),
    ("preposition", {"at": ("AE T",), "by": ("B AY",), "in": ("IH N",),
                     "with": ("W IH DH", "W IH TH")}),
    ("letter", {
        "a": ("EY",), "b": ("B IY",), "c": ("S IY",), "d": ("D IY",), "e": ("IY",),
        "f": ("EH F",), "g": ("JH IY",), "h": ("EY CH",), "i": ("AY",), "j": ("JH EY",),
        "k": ("K EY",), "l": ("EH L",), "m": ("EH M",), "n": ("EH N",), "o": ("OW",),
        "p": ("P IY",), "q": ("K Y UW",), "r": ("AA R",), "s": ("EH S",), "t": ("T IY",),
        "u": ("Y UW",), "v": ("V IY",), "x": ("EH K S",), "y": ("W AY",), "z": ("Z EH D",),
    }),
    ("digit", {
        "zero": ("Z IH R OW",), "one": ("W AH N",), "two": ("T UW",), "three": ("TH R IY",),
        "four": ("F AO R",), "five": ("F AY V",), "six": ("S IH K S",), "seven": ("S EH V AH N",),
        "eight": ("EY T",), "nine": ("N AY N",),
    }),
    ("adverb", {"again": ("AH G EH N",), "now": ("N AW",), "please": ("P L IY Z",),
                "soon": ("S UW N",)}),
)  # fmt: skip
WORDS: tuple[str, ...] = tuple(word for _, words in SLOTS for word in words)


def said(sentence: str) -> list[str]:
    """Phones of a sentence of these words, the first pronunciation of each.

    Raises ValueError for a word that is not in the corpus.
    """
    known = {word: ways[0] for _, words in SLOTS for word, ways in words.items()}
    words = sentence.split()
    if unknown := [word for word in words if word not in known]:
        raise ValueError(f"{unknown[0]!r} is not one of GRID's {len(known)} words")
    return [phone for word in words for phone in known[word].split()]


def chance_error() -> float:
    """Expected word error of a random sentence of the grammar: mean of 1 - 1/n over the slots."""
    return sum(1 - 1 / len(words) for _, words in SLOTS) / len(SLOTS)
