"""The sentences of the lip reading tab."""

from typing import TYPE_CHECKING

from l2t.noise import KINDS

if TYPE_CHECKING:
    from l2t.lipjobs import LipResult

HOW = (
    "Put a recording of up to 10 seconds under noise and see what is read in the sound, in the "
    "lips, and in both. Without a film the head says the clean recording and its drawn lips are "
    "read, as in the paper."
)
VOCABULARY = (
    "It knows 51 words, those of the GRID corpus (“bin blue at F two now”), learned from one man, "
    "and answers with them whatever is said; on other speech the answer means nothing."
)
FILM = (
    "A film of the mouth taken with the recording, 96 x 96 pixels (optional; without it the head's "
    "lips are read):"
)
NO_WHISPER = (
    "Free speech gets no transcript here: the weights of a Whisper decoder (openai/whisper-tiny.en "
    "in the Hub's cache) are not there, or do not load."
)
STAGES = {
    "listening": "Listening",
    "moving": "Moving the face",
    "drawing": "Drawing the lips",
    "reading": "Reading",
    "filming": "Filming",
}
NONE = "none"
NOISES = [("None", NONE), *((kind.capitalize(), kind) for kind in KINDS)]
RULES = [("Six words, in the corpus' order", "grid"), ("Its words in any order", "words"),
         ("Phones, no words", "phones")]  # fmt: skip


def outcome(result: "LipResult") -> str:
    """What was read, from whose lips, under which noise, and what weighed more."""
    take = result.take
    lips = "the head's lips, drawn from the clean recording" if take.drawn else "the film's lips"
    noise = take.noise
    under = f"{noise.kind} at {noise.snr_db:+g} dB" if noise.kind else "no noise"
    share = f"In both together the sound counts for {take.found.ears:.0%}."
    return (f"{take.speech.name}: {under}, {lips}. {share} Weak words are unsure; underlined ones "
            f"were not said. Made in {result.seconds:.1f} s.")  # fmt: skip


def free(text: str | None) -> str:
    """Free speech: Whisper's transcript, or why there is none."""
    return NO_WHISPER if text is None else f"Whisper, free speech, of the noisy sound: “{text}”"
