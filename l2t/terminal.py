"""What the command line says: results on stdout, complaints and progress on stderr."""

import sys


def say(line: str) -> None:
    print(line, flush=True)


def complain(sentence: object) -> None:
    print(" ".join(str(sentence).split()), file=sys.stderr, flush=True)


class Progress:
    """Stage and share of the work on one line of a terminal; quiet where there is none."""

    def __init__(self, name: str):
        self.name, self.shown, self.wanted = name[:40], "", sys.stderr.isatty()

    def __call__(self, stage: str, share: float) -> None:
        text = f"{self.name}: {stage} {share:4.0%}"
        if self.wanted and text != self.shown:
            self.shown = text
            print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self.shown:
            print(f"\r{'':<60}\r", end="", file=sys.stderr, flush=True)
