"""The help of a plugin: its docstring, and its options with the comments behind them."""

from __future__ import annotations

import dataclasses
import inspect
import io
import re
import tokenize
from typing import Any

from tracker.plugins import available, load
from tracker.types import TrackError


def describe(name: str = "") -> str:
    """Return the help of a plugin, or a line for each that is installed where no name is given.

    Raises ``OptionError`` for one that there is not.
    """
    if not name:
        rows = [(each, _first_line(each)) for each in sorted(available())]
        return f"{_columns(rows)}\n\n--plugin NAME:help shows the options of a plugin."
    kind = load(name)
    fields = [field for field in dataclasses.fields(kind) if field.init]
    comments = _comments(kind)
    rows = [(field.name, f"{comments.get(field.name, '')}{_default(field)}".strip()) for field in fields]
    example = getattr(kind, "example", None)  # of what to write after NAME:
    shown = example if isinstance(example, str) else ";".join(f"{field.name}=..." for field in fields[:2])
    usage = f"--plugin '{name}:{shown}'" if shown else f"--plugin {name}"
    options = f"\n\nOptions, separated by ;\n{_columns(rows)}" if rows else ""
    return f"{name}: {_plain(inspect.getdoc(kind) or 'has no description')}{options}\n\n{usage}"


def _first_line(name: str) -> str:
    try:
        return _plain(inspect.getdoc(load(name)) or "").partition("\n")[0]
    except TrackError as error:
        return str(error)


def _plain(text: str) -> str:
    """Return a docstring without its markup and its paragraph on exceptions."""
    return re.sub(r"`+", "", re.sub(r"\n\nRaises .*?(?=\n\n|\Z)", "", text, flags=re.DOTALL))


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        default = field.default
    elif field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    else:
        return "  [required]"
    return "" if default in (None, (), "") else f"  [default: {default}]"


def _comments(kind: type[Any]) -> dict[str, str]:
    """Return the comment behind each field of a dataclass, where its source can be read."""
    try:
        source = inspect.getsource(kind)
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (OSError, TypeError, tokenize.TokenError, SyntaxError):
        return {}
    found: dict[str, str] = {}
    for token in tokens:
        field = re.match(r"\s*(\w+)\s*:", token.line)
        if token.type == tokenize.COMMENT and field:
            found[field[1]] = token.string.lstrip("# ")
    return found


def _columns(rows: list[tuple[str, str]]) -> str:
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:<{width}}  {text}".rstrip() for name, text in rows)
