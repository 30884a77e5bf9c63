"""What the options of ``Options`` take on a command line, in words that say what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracker.arguments.option_spec import OptionSpec, specs
from tracker.errors import OptionError
from tracker.parse import seconds

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def number(value: str | float) -> float:
    """Return a number, written with a point."""
    try:
        return float(value)
    except ValueError:
        point = str(value).replace(",", ".")
        hint = f"; write {point}" if re.fullmatch(r"-?\d*\.\d+", point) else ""
        raise click.BadParameter(f"takes a number, not {value!r}{hint}") from None


def whole(value: str | float) -> int:
    """Return a whole number."""
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(f"takes a whole number, not {value!r}") from None


def time(value: str | float) -> float:
    """Return the seconds of 90, 1:30, 90s or 1.5m; a default comes as a number."""
    try:
        return value if isinstance(value, float) else seconds(str(value))
    except OptionError as error:
        raise click.BadParameter(str(error)) from None


class File(click.Path):
    """A path; an empty one, as of an unset variable of a script, would be the folder that one is in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if isinstance(value, str) and not value.strip():
            self.fail("is empty; give a value, or leave it out", param, ctx)
        return super().convert(value, param, ctx)


FILE = File(path_type=Path)
TYPES: Mapping[str, Callable[[str | float], object]] = {"int": whole, "float": number, "Seconds": time}


def settings_of(spec: OptionSpec) -> dict[str, Any]:
    """Return the keywords of ``click.option`` for an option."""
    more: dict[str, Any] = {"is_flag": True}
    if spec.kind != "bool":
        more = {"type": TYPES.get(spec.kind, str), "multiple": spec.kind.startswith("tuple")}
    return {
        "default": spec.default,
        "help": spec.help,
        "metavar": f"[{'|'.join(spec.choices)}]" if spec.choices else spec.metavar,
        "show_default": spec.default not in (None, (), False),
        **more,
    }


def same_as(options: type[DataclassInstance], name: str) -> Callable[[Decorated], Decorated]:
    """Offer an option of a run to another command, with its flags, default, range and help."""
    spec = specs(options)[name]
    return click.option(*spec.flags, name, **settings_of(spec))


def explained(error: click.ClickException, command: click.Command) -> str:
    """Return the line of a mistake: what click says, and how the command or the option is written."""
    text = error.format_message()
    if isinstance(error, click.BadOptionUsage) and "requires an argument" in text:
        found = [each for each in command.params if error.option_name in each.opts]
        metavar = found[0].make_metavar(click.Context(command)) if found else ""
        return f"{text} Write {error.option_name} {metavar}" if metavar else text
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return text
    if isinstance(error, click.MissingParameter):
        return f"{text} {' '.join(context.get_usage().split())}"
    if isinstance(error, click.BadParameter) and error.param is not None and error.param.opts:
        return f"{error.param.opts[-1]} {error.message}"
    if isinstance(context.command, click.Group) and text.startswith("No such command"):
        return f"{text} Write {context.command_path} {' or '.join(context.command.commands)}"
    return text
