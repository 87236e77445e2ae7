"""One setting: its names, its range, and how it is read from text."""

from dataclasses import dataclass, field
from typing import Any

from l2t.errors import L2TError


class SettingsError(L2TError):
    """A setting has a value that is not accepted."""


@dataclass(frozen=True)
class Setting:
    """What belongs to one field of `Options`; choices, or else low and high, say what it takes."""

    env: str
    meaning: str
    kind: type = str
    low: float | None = None  # both ends are accepted
    high: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    unset: str = ""  # what None stands for, in words

    @property
    def accepted(self) -> str:
        """What follows "must be" in a refusal."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.low is None:
            return "a printable text"
        number = "a whole number" if self.kind is int else "a number"
        return f"{number} from {self.span}"

    @property
    def span(self) -> str:
        return f"{self.low:,.10g} to {self.high:,.10g}"

    def read(self, text: str, source: str) -> Any:
        """A value from text; source: the flag or variable it stood in, for the refusal."""
        text = text.strip()
        if self.choices:
            good = text in self.choices
        elif self.low is None:
            good = bool(text) and text.isprintable()
        else:
            good = self._within(text)
        if not good:
            raise SettingsError(f"{source} must be {self.accepted}, found {text[:40]!r}.")
        return self.kind(text)

    def _within(self, text: str) -> bool:
        try:
            return self.low <= self.kind(text) <= self.high  # so NaN is refused
        except ValueError:
            return False


def word(default: Any, env: str, meaning: str, **more: Any) -> Any:
    """A field of `Options`: its default, and what `Setting` knows of it."""
    return field(default=default, metadata={"setting": Setting(env, meaning, **more)})


def number(default: float, env: str, meaning: str, unit: str, low: float, high: float) -> Any:
    """The same with a range, of whole numbers where the default is one."""
    kind = type(default)
    return word(default, env, meaning, kind=kind, low=low, high=high, unit=unit)
