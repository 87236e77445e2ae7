"""Reads a Dockerfile (one stage, no heredocs) and says what is wrong with it.

`complaints` holds the rules of hadolint that matter here, and those it cannot know: what is copied
exists, the system packages are those of packages.txt and an init, which is the first process, the
port is the one that is listened on.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockerignore import Ignored

SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY|PRIVATE_?KEY", re.I)
INIT = "tini"  # Spaces without Docker bring their own, so it is not in packages.txt
LISTS = "rm -rf /var/lib/apt/lists/*"


@dataclass(frozen=True)
class Dockerfile:
    """The instructions in order, as (upper-case name, what follows it on one line)."""

    steps: tuple[tuple[str, str], ...]

    def of(self, name: str) -> list[str]:
        return [rest for each, rest in self.steps if each == name]

    def last(self, name: str) -> str:
        return (self.of(name) or [""])[-1]

    @property
    def env(self) -> dict[str, str]:
        """Of ENV lines in the form NAME=value, as they are written."""
        pairs = [pair for line in self.of("ENV") for pair in shlex.split(line)]
        return dict(pair.partition("=")[::2] for pair in pairs)

    @property
    def copies(self) -> list[tuple[list[str], str]]:
        """Sources and destination of each COPY."""
        words = [[w for w in line.split() if not w.startswith("--")] for line in self.of("COPY")]
        return [(line[:-1], line[-1]) for line in words]

    @property
    def command(self) -> list[str] | None:
        """Arguments of CMD; None: there is none, or it goes through a shell."""
        return exec_form(self.last("CMD"))

    @property
    def entrypoint(self) -> list[str] | None:
        """What CMD is handed to, likewise."""
        return exec_form(self.last("ENTRYPOINT"))

    @property
    def health(self) -> list[str] | None:
        """Arguments of HEALTHCHECK's command, likewise."""
        _, _, command = self.last("HEALTHCHECK").partition("CMD ")
        return exec_form(command)


def exec_form(text: str) -> list[str] | None:
    try:
        words = json.loads(text)
    except ValueError:
        return None
    good = isinstance(words, list) and words and all(isinstance(word, str) for word in words)
    return words if good else None


def parse(text: str) -> Dockerfile:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", " ", "\n".join(lines))
    steps = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        steps.append((name.upper(), " ".join(rest.split())))
    return Dockerfile(tuple(steps))


def complaints(text: str, root: Path) -> list[str]:
    """One sentence for each thing that is wrong; root: folder that the image is built from."""
    file = parse(text)
    return [*_base(file), *_apt(file, root), *_copied(file, root), *_started(file), *_secrets(file)]


def _base(file: Dockerfile) -> Iterator[str]:
    for image in file.of("FROM") or [""]:
        tag = image.rpartition("/")[2].partition(":")[2]
        if tag in ("", "latest"):
            yield f"FROM must name a tag other than latest, found {image!r}."
    user = file.last("USER").partition(":")[0]
    if user in ("", "0", "root"):
        yield "The container must not run as root."
    if file.of("ADD"):
        yield "COPY must be used, not ADD."


def _apt(file: Dockerfile, root: Path) -> Iterator[str]:
    packages = []
    for run in file.of("RUN"):
        commands = [each.strip() for each in run.split("&&")]
        installs = [each for each in commands if re.search(r"\bapt-get\b.*\binstall\b", each)]
        if not installs:
            if "apt-get update" in commands:
                yield "apt-get update must stand in the RUN that installs."
            continue
        if commands[0] != "apt-get update":
            yield "apt-get install must follow apt-get update in the same RUN."
        if LISTS not in commands:
            yield f"The RUN that installs must end with {LISTS}."
        for each in installs:
            if "--no-install-recommends" not in each:
                yield "apt-get install must have --no-install-recommends."
            words = each.partition("install")[2].split()
            packages += [word for word in words if not word.startswith("-")]
    wanted = (root / "packages.txt").read_text(encoding="utf-8").split()
    if sorted(packages) != sorted([*wanted, INIT]):
        yield f"apt packages must be {INIT} and those of packages.txt, {wanted}, found {packages}."


def _copied(file: Dockerfile, root: Path) -> Iterator[str]:
    ignored = Ignored((root / ".dockerignore").read_text(encoding="utf-8"))
    for source in (each for sources, _ in file.copies for each in sources):
        if not (root / source).exists():
            yield f"COPY of {source}, which does not exist."
        elif not any(ignored.files(root, source)):
            yield f"COPY of {source}, which .dockerignore leaves out."


def _started(file: Dockerfile) -> Iterator[str]:
    if not file.command:
        yield "CMD must be a JSON list, so that the program itself gets the signal to stop."
    if file.entrypoint != [INIT, "--"]:
        yield f'ENTRYPOINT must be ["{INIT}", "--"], which reaps the processes of killed ones.'
    if not file.health:
        yield "HEALTHCHECK must have a CMD that is a JSON list."
    port = file.env.get("GRADIO_SERVER_PORT")
    if file.of("EXPOSE") != [port]:
        yield f"EXPOSE must be the port that is listened on, {port}, found {file.of('EXPOSE')}."


def _secrets(file: Dockerfile) -> Iterator[str]:
    for line in file.of("ENV") + file.of("ARG"):
        for name in (word.partition("=")[0] for word in line.split()):
            if SECRET.search(name):
                yield f"{name} looks like a secret, which an image must not hold."
