"""The paper's first application, measured: reading generated lips, alone and through noise.

    python -m training.evaluate_avsr --data data --cache CACHE --split test \
        --weights assets/weights [--card MODEL_CARD.md]

As in the paper, generated lips come from the CLEAN speech: the student says it, the mouth is
rendered, the lip reader reads it.  First table: lips alone, real ones beside those of every
variant of the student that the weights (or --runs) hold, and a frozen mouth.  Second: word errors
by the sound alone, by sound and generated lips (of --generated), by sound and real lips, under
babble (of people whom training never heard), white noise and synthesised music.  grid_s1 is the
man whom everything was trained on, grid_s26 one whom nothing was.  Means over clips with 95 %
bootstrap intervals, under the corpus' grammar and with its 51 words in any order.
"""

import argparse
import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from l2t.error_rates import error_rate
from l2t.face import FaceTemplate
from l2t.grid_grammar import chance_error
from l2t.lipreading import log_probs, read_scores
from l2t.metrics import bootstrap_interval
from l2t.models.avsr import avsr_from
from l2t.models.loading import load_models
from l2t.noise import KINDS, add_noise, make_noise
from l2t.recognition import Recogniser
from l2t.softrender import MouthRenderer, mouth_pictures
from l2t.weights import resolve
from training.avsr_data import voices
from training.data.mouths import to_length
from training.evaluate.clips import Clip, tracked_clips
from training.evaluate.contenders import Once, from_runs, variants
from training.evaluate.reading import grid_words, load_reader, photos
from training.evaluate.tables import grid, into_card
from training.files import load_parts

log = logging.getLogger(__name__)
LEVELS = (10, 5, 0, -5, -10)  # dB
RULES = ("grid", "words")
FRAMES = 75
GOALS = "Goals: generated lips within 0.15 of real lips; lips halve the error at -5 dB babble."


@dataclass
class Errors:
    """Word errors of clips by (row, column)."""

    found: dict[tuple, list[float]] = field(default_factory=dict)

    def add(self, key: tuple, clip: Clip, config, scores: np.ndarray) -> None:
        """Reads scores (frames, units) under every rule."""
        for rule in RULES:
            read = read_scores(scores, config, rule).text.split()
            self.found.setdefault((*key, rule), []).append(error_rate(grid_words(clip), read))

    def cell(self, *key) -> str:
        values = self.found.get(key, [])
        if not values:
            return "-"
        return "{:.3f} ({:.3f} to {:.3f})".format(*bootstrap_interval(np.array(values)))


def lips_of(
    clips: list[Clip], part: str, cache: Path, renderer, reader, contenders, every: int
) -> Iterator[tuple[str, Clip, np.ndarray]]:
    """(whose lips, clip, log probabilities): real, frozen, and each contender's; the first of them
    says every clip, the others one in `every`."""
    real = photos(cache, part)
    for number, clip in enumerate(clips):
        mouths = to_length(real(clip), FRAMES)
        yield "real", clip, log_probs(reader, mouths)
        yield "frozen", clip, log_probs(reader, mouths[[FRAMES // 2] * FRAMES])
        for i, contender in enumerate(contenders):
            if i == 0 or number % every == 0:
                drawn = mouth_pictures(renderer, contender.make(clip))
                yield contender.name, clip, log_probs(reader, to_length(drawn, FRAMES))


def noise_for(clip: Clip, kind: str, others: list[np.ndarray]) -> np.ndarray:
    """The same noise for a clip at every level, another for every clip."""
    rng = np.random.default_rng(zlib.crc32(f"{clip.name}/{kind}".encode()))
    return make_noise(kind, len(clip.samples), rng, others)


def through_noise(
    recogniser: Recogniser, clips: list[Clip], seen: dict, who: dict[str, str], others, errors
) -> None:
    """Adds errors by (column, kind, level); column: "audio" or one of `who` (column -> lips)."""
    conditions = [(None, None), *((kind, snr) for kind in KINDS for snr in LEVELS)]
    model = recogniser.model
    for clip in clips:
        for kind, snr in conditions:
            noise = noise_for(clip, kind, others) if kind else None
            features = recogniser.listen(add_noise(clip.samples, noise, snr or 0.0))
            with torch.inference_mode():
                inner, heard = model.hear(features)
                errors.add(("audio", kind, snr), clip, model.config, heard[0].numpy())
                for column, lips in who.items():
                    eyes = torch.from_numpy(to_length(seen[lips, clip.name], heard.shape[1]))
                    both, _ = model.fuse(inner, heard, eyes[None])
                    errors.add((column, kind, snr), clip, model.config, both[0].numpy())


def tables(label: str, errors: Errors, titles: dict[str, str], count: int, whose: str) -> str:
    """Both tables of one part."""
    heads = ["lips", "clips", "grammar", "any words"]
    lines = [[title, str(len(errors.found[name, "grid"])), errors.cell(name, "grid"),
              errors.cell(name, "words")] for name, title in titles.items()]  # fmt: skip
    note = f"Chance under the grammar: {chance_error():.3f}. Generated from the clean speech."
    text = grid(f"Word error of lips alone, {label}", heads, lines, note) + "\n"
    columns = ("audio", "generated", "real")
    titled = [("sound", "+ generated lips", "+ real lips"), ("grammar", "any words")]
    heads = ["noise, SNR", *(f"{title}, {rule}" for rule in titled[1] for title in titled[0])]
    lines = []
    for kind, snr in [(None, None), *((kind, snr) for kind in KINDS for snr in LEVELS)]:
        name = f"{kind}, {snr} dB" if kind else "none"
        cells = [errors.cell(c, kind, snr, rule) for rule in RULES for c in columns]
        lines.append([name, *cells])
    title = f"Word error through noise, {label}, {count} clips; generated lips: {whose}"
    return text + grid(title, heads, lines, GOALS)


def measure(part: str, label: str, clips, cache, renderer, recogniser, contenders, others, every):
    """The tables of one part."""
    errors, seen = Errors(), {}
    reader = recogniser.reader
    for whose, clip, scores in lips_of(clips, part, cache, renderer, reader, contenders, every):
        seen[whose, clip.name] = scores
        errors.add((whose,), clip, reader.config, scores)
    log.info("%s: lips read", part)
    who = {"generated": contenders[0].name, "real": "real"}
    through_noise(recogniser, clips, seen, who, others, errors)
    titles = {"real": "Real lips", **{c.name: c.title for c in contenders}}
    titles |= {"frozen": "Frozen mouth"}
    return tables(label, errors, titles, len(clips), contenders[0].title)


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser(description="Measures audio-visual speech recognition.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--cache", type=Path, required=True, help="folder with mouths/, targets/")
    parser.add_argument("--weights", help="folder or Hub repository (default: embedded)")
    parser.add_argument("--avsr", type=Path, help="a training run's recogniser instead")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--every", type=int, default=2, help="other variants: one clip in so many")
    parser.add_argument("--clips", type=int, default=50, help="of each speaker, at most")
    parser.add_argument("--roles", nargs="*", help="variants of the student (default: all)")
    parser.add_argument("--runs", nargs="*", type=Path, default=[], metavar="FOLDER",
                        help="students of training runs that are not in the weights")  # fmt: skip
    parser.add_argument("--generated", help="whose lips help in noise (default: the first)")
    parser.add_argument("--card", type=Path, help="model card that gets the tables")
    parser.add_argument("--out", type=Path, help="file that gets the tables")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    weights = resolve(options.weights)
    models = load_models(weights, torch.device("cpu"))
    if options.avsr:
        model = avsr_from(*load_parts(options.avsr, "avsr"))
        recogniser = Recogniser(models.encoder, load_reader(weights), model)
    else:
        recogniser = Recogniser.from_weights(weights, models.encoder)
    hearing = replace(models, encoder=Once(models.encoder))
    contenders = variants(weights, hearing, options.roles, None)
    contenders += from_runs(options.runs, hearing, None, [c.name for c in contenders])
    contenders.sort(key=lambda one: one.name != options.generated)  # that one first
    others = voices(options.data, "test")
    renderer, text = MouthRenderer(FaceTemplate.load()).eval(), []
    for part, label in (("grid_s1", "seen speaker"), ("grid_s26", "unseen speaker")):
        clips = tracked_clips(options.data, options.cache, part, options.split)[: options.clips]
        text.append(measure(part, label, clips, options.cache, renderer, recogniser, contenders,
                            others, options.every))  # fmt: skip
        log.info(text[-1])
    if options.out:
        options.out.write_text("\n".join(text), encoding="utf-8")
    if options.card:
        into_card(options.card, "\n".join(text), "training.evaluate_avsr")


if __name__ == "__main__":
    main()
