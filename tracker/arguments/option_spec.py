"""One option of a run: how it is written, what it may be, and how it is read from what Python gives."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from tracker.arguments.aliases import tracker_answer
from tracker.errors import OptionError
from tracker.parse import seconds

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Default = TypeVar("Default")
Seconds: TypeAlias = float  # an option of this type also takes 90s, 1:30, 10m, 24h and 7d


ON_OFF = ("on", "off")


@dataclass(frozen=True)
class OptionSpec:
    """What is known of an option beside its name."""

    help: str
    group: str
    flags: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    choices: Sequence[str] | None = None
    metavar: str | None = None
    kind: str = ""  # its type as written, without None: bool int float Seconds str or tuple[str, ...]
    default: object = None

    @property
    def flag(self) -> str:
        """The way it is written in errors: the first long one."""
        return next(flag for flag in self.flags if flag.startswith("--"))

    def read(self, value: object) -> object:
        """Return the value as the option needs it: ``device=0`` and ``imgsz=640.0`` are meant well.

        Raises ``OptionError`` naming the option, the value and what was expected, also for what only Python
        can give: a word for a switch, half a frame, a number for a path.
        """
        kind = self.kind
        if value is None or kind.startswith("tuple"):
            return value
        if kind == "Seconds" and isinstance(value, str):
            try:
                value = seconds(value)
            except OptionError as error:
                raise OptionError(f"{self.flag} {error}") from None
        if self.choices == ON_OFF and isinstance(value, bool):  # as Python says it
            value = ON_OFF[not value]
        self._check(value)
        if kind == "bool" and not isinstance(value, bool):
            raise OptionError(f"{self.flag} takes True or False, not {value!r}")
        if kind == "int":
            return self._whole(value)
        if kind == "str" and isinstance(value, str) and not value.strip() and self.default != value:
            raise OptionError(f"{self.flag} is empty; give a value, or leave it out")
        if kind == "str" and not isinstance(value, str | os.PathLike):
            if isinstance(value, bool) or not isinstance(value, int | float) or self.metavar == "FILE":
                raise OptionError(f"{self.flag} takes a text, not {value!r}")
            return f"{value:g}" if isinstance(value, float) else str(value)
        return os.fsdecode(value) if isinstance(value, os.PathLike) else value

    def _whole(self, value: object) -> int:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            whole = int(value)
            if whole == value:
                return whole
        raise OptionError(f"{self.flag} takes a whole number, not {value!r}")

    def _check(self, value: object) -> None:
        if self.choices and value not in self.choices:
            if self.flag == "--tracker" and (told := tracker_answer(str(value))):
                raise OptionError(f"--tracker {value} is not available: {told}")
            raise OptionError(f"{self.flag} {value!r} is unknown; choose from {', '.join(self.choices)}")
        low, high = self.low, self.high
        if low is None and high is None:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise OptionError(f"{self.flag} takes a number, not {value!r}")
        # written so that nan fails too
        if not ((low is None or value >= low) and (high is None or value <= high)):
            upper = "" if high is None else f" and at most {high:g}"
            raise OptionError(f"{self.flag} {value:g} is out of range; give at least {low:g}{upper}")


def option(
    default: Default,
    help: str,
    group: str,
    *flags: str,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] | None = None,
    metavar: str | None = None,
) -> Default:
    """Declare a field of a dataclass of options."""
    spec = OptionSpec(help, group, flags, low, high, choices, metavar)  # `specs` fills in the rest
    return dataclasses.field(default=default, metadata={"option": spec})


def specs(options: type[DataclassInstance]) -> Mapping[str, OptionSpec]:
    """Return the options of a dataclass that `option` declared, by name."""
    found: dict[str, OptionSpec] = {}
    for field in dataclasses.fields(options):
        kind = str(field.type).removesuffix(" | None")
        found[field.name] = dataclasses.replace(field.metadata["option"], kind=kind, default=field.default)
    return found
