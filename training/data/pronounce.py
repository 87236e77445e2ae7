"""From written English to words and ARPAbet pronunciations, for forced alignment.

A dictionary decides where it can. Words that it lacks (names, inflections, slips of a machine
transcript) are built from words it has, and as a last resort spelled out by letter rules, which
are rough: good enough to keep the aligner on the rails, and what the lips show of a confused
vowel is small.
"""

import re
from collections.abc import Callable

# Silence, then the 39 ARPAbet phones.
PHONES = (
    "SIL", "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G",
    "HH", "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH",
    "UH", "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ABBREVIATIONS = {
    "mr.": "mister", "mrs.": "missus", "dr.": "doctor", "st.": "saint", "etc.": "et cetera",
    "mr": "mister", "mrs": "missus", "dr": "doctor", "etc": "et cetera", "i.e.": "i. e.",
    "&": "and", "£": "pounds", "esq.": "esquire", "ms.": "miz", "no.": "no",
}  # fmt: skip
LETTER_NAMES = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY",
    "h": "EY CH", "i": "AY", "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N",
    "o": "OW", "p": "P IY", "q": "K Y UW", "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW",
    "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S", "y": "W AY", "z": "Z IY",
}  # fmt: skip
# Longest match first; a letter with no sound of its own maps to nothing.
_LETTER_RULES = {
    "tion": "SH AH N", "sion": "ZH AH N", "ough": "AO", "augh": "AO", "igh": "AY", "tch": "CH",
    "dge": "JH", "sch": "SH", "ous": "AH S", "eau": "OW", "ch": "CH", "sh": "SH", "th": "TH",
    "ph": "F", "gh": "G", "wh": "W", "ck": "K", "qu": "K W", "ng": "NG", "kn": "N", "wr": "R",
    "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "oa": "OW", "oi": "OY", "oy": "OY",
    "ai": "EY", "ay": "EY", "ei": "EY", "ey": "IY", "au": "AO", "aw": "AO", "ie": "IY", "ue": "UW",
    "er": "ER", "ir": "ER", "ur": "ER", "ar": "AA R", "or": "AO R", "a": "AE", "e": "EH",
    "i": "IH", "o": "AA", "u": "AH", "y": "IY", "b": "B", "c": "K", "d": "D", "f": "F", "g": "G",
    "h": "HH", "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "p": "P", "q": "K", "r": "R",
    "s": "S", "t": "T", "v": "V", "w": "W", "x": "K S", "z": "Z",
}  # fmt: skip


def number_words(value: int) -> str:
    """Cardinal of 0..999,999 in words; 1100..1999 as years are said ("nineteen thirty three")."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        tens, rest = divmod(value, 10)
        return _TENS[tens - 2] + (f" {_ONES[rest]}" if rest else "")
    if 1100 <= value < 2000:
        century, rest = divmod(value, 100)
        return f"{number_words(century)} {number_words(rest) if rest else 'hundred'}"
    if value >= 1000:
        thousands, rest = divmod(value, 1000)
        return f"{number_words(thousands)} thousand" + (f" {number_words(rest)}" if rest else "")
    hundreds, rest = divmod(value, 100)
    return f"{_ONES[hundreds]} hundred" + (f" {number_words(rest)}" if rest else "")


def spoken_words(text: str) -> list[str]:
    """Lower-case words as they are said; a single letter before a period stays as 'f.'."""
    text = text.lower().replace("’", "'").replace("‘", "'").replace("£", " £ ")
    words: list[str] = []
    for token in re.findall(r"[a-z][a-z.']*[a-z']\.?|[a-z]\.?|\d+|[&£]", text):
        token = _ABBREVIATIONS.get(token, token)
        if token.isdigit():
            token = number_words(int(token[-6:]))
        for word in token.split():
            if re.fullmatch(r"([a-z]\.)+", word):
                words += [f"{letter}." for letter in word if letter != "."]
            elif word.strip(".'"):
                words.append(word.strip(".").removesuffix("'") if "." in word else word)
    return words


def pronunciation(word: str, look_up: Callable[[str], str | None]) -> str | None:
    """ARPAbet of a word that the dictionary may lack ("K AE T"), None if there is nothing to say.

    look_up: the dictionary, word -> pronunciation or None. Order: letter names, it, a known stem
    with an ending, two known words joined, letter rules.
    """
    if re.fullmatch(r"[a-z]\.", word):
        return LETTER_NAMES[word[0]]
    bare = word.strip("'")
    if not bare:
        return None
    known = look_up(word) or look_up(bare)
    return known or _with_ending(bare, look_up) or _joined(bare, look_up) or _by_letters(bare)


# Ending -> its sound; "s" and "d" are said in three ways each, see `_inflected`.
_ENDINGS = (
    ("'s", "s"), ("es", "s"), ("s", "s"), ("ed", "d"), ("d", "d"), ("ing", "IH NG"),
    ("ly", "L IY"), ("er", "ER"), ("ness", "N AH S"), ("est", "AH S T"), ("eth", "AH TH"),
    ("less", "L AH S"), ("able", "AH B AH L"),
)  # fmt: skip


def _with_ending(word: str, look_up: Callable[[str], str | None]) -> str | None:
    for ending, sound in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        for base in (stem, stem + "e", stem[:-1] if stem[-1] == stem[-2] else stem):
            if known := look_up(base):
                return f"{known} {_inflected(known.split()[-1], sound)}"
    return None


def _inflected(last: str, sound: str) -> str:
    """Sound of a plural -s or past -d after the phone `last`; other endings as they are."""
    if sound == "s":
        if last in {"S", "Z", "SH", "ZH", "CH", "JH"}:
            return "IH Z"
        return "S" if last in {"P", "T", "K", "F", "TH"} else "Z"
    if sound == "d":
        if last in {"T", "D"}:
            return "IH D"
        return "T" if last in {"P", "K", "F", "TH", "S", "SH", "CH"} else "D"
    return sound


def _joined(word: str, look_up: Callable[[str], str | None]) -> str | None:
    # The most even cut is the likeliest compound ("work|house").
    for cut in sorted(range(3, len(word) - 2), key=lambda i: abs(2 * i - len(word))):
        left, right = look_up(word[:cut]), look_up(word[cut:])
        if left and right:
            return f"{left} {right}"
    return None


def _by_letters(word: str) -> str | None:
    word = re.sub(r"[^a-z]", "", word)
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]  # silent
    word = re.sub(r"([^aeou])\1", r"\1", word)
    sounds, position = [], 0
    while position < len(word):
        size = next(n for n in (4, 3, 2, 1) if word[position : position + n] in _LETTER_RULES)
        sounds.append(_LETTER_RULES[word[position : position + size]])
        position += size
    return " ".join(sounds) or None
