"""What is accepted where lips are read; light to import, as page and service need it at once."""

from l2t.errors import SpeechError
from l2t.values import shown

LIMITS = (0.4, 10.0)  # seconds of sound that are read; one sentence of the corpus takes 2 to 3
RULES = ("grid", "words", "phones")  # what may be said: `l2t.lipreading`
SIDE, FPS = 96, 25.0  # pixels and pictures a second of a film of a mouth


def check_length(seconds: float) -> None:
    """Raises SpeechError for sound that is too short or too long to be read."""
    if not LIMITS[0] <= seconds <= LIMITS[1]:
        raise SpeechError(
            f"The recording lasts {seconds:.1f} seconds; to read lips in, "
            f"{LIMITS[0]:g} to {LIMITS[1]:g} seconds are accepted."
        )


def check_rules(rules: str) -> None:
    """Raises SpeechError for rules that are not known."""
    if not isinstance(rules, str) or rules not in RULES:
        raise SpeechError(f"There are no rules {shown(rules)}; accepted are {', '.join(RULES)}.")
