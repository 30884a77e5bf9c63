"""The command line: options become objects, objects go into the loop, errors become one line."""

from __future__ import annotations

import dataclasses
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from tracker.errors import EndRun, TrackError
from tracker.options import Options

# Name -> module, imported when used, and a line of help. "run" is what `track SOURCE` means.
COMMANDS = {
    "export": ("tracker.commands.export", "Convert weights ahead of time; make int8 models."),
    "replay": ("tracker.commands.replay", "Count anew from saved tracks, without the detector."),
    "zones": ("tracker.commands.zones", "Check a zone file: preview and plain words."),
    "eval": ("tracker.commands.evaluate", "Score tracks against ground truth."),
}


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run ``track`` and exit: 0 done, 2 a mistake told in one line, 130 or 143 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments and arguments[0] == "run":
        command, arguments = run, arguments[1:]
    elif arguments and arguments[0] in COMMANDS and not _is_a_source(arguments[0]):
        command = importlib.import_module(COMMANDS[arguments[0]][0]).command
        arguments = arguments[1:]
    else:
        command = run
    try:
        status = command.main(arguments, prog_name="track", standalone_mode=False)
    except click.exceptions.Abort:
        status = 130
    except click.ClickException as error:
        _complain(error.format_message())
    except TrackError as error:
        _complain(str(error))
    except BrokenPipeError:  # the reader of our output went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status or 0)


def _complain(text: str) -> NoReturn:
    click.echo(f"track: {' '.join(text.split())}", err=True)
    sys.exit(2)


def _is_a_source(name: str) -> bool:
    """Whether a file or a folder of pictures has the name of a command; the user's file wins."""
    path = Path(name)
    pictures = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}
    return path.is_file() or (path.is_dir() and any(p.suffix.lower() in pictures for p in path.iterdir()))


class GroupedCommand(click.Command):
    """A command whose help shows options by group, in the order of ``Options``."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section per group."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                groups.setdefault(getattr(parameter, "group", "General"), []).append(record)
        for name, records in groups.items():
            with formatter.section(name):
                formatter.write_dl(records)
        with formatter.section("Commands (track COMMAND --help)"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


class GroupedOption(click.Option):
    """A ``click.Option`` that knows its section."""

    group: str


def _parameters() -> list[click.Parameter]:
    parameters: list[click.Parameter] = []
    for spec in dataclasses.fields(Options):
        meta = spec.metadata
        kind = str(spec.type).removesuffix(" | None")
        extra: dict[str, Any] = {"is_flag": True} if kind == "bool" else {}
        if kind.startswith("tuple"):
            extra["multiple"] = True
        elif kind in ("int", "float", "str"):
            extra["type"] = (
                click.Choice(meta["choices"])
                if meta["choices"]
                else {"int": int, "float": float, "str": str}[kind]
            )
        parameter = GroupedOption(
            [spec.name, *meta["flags"]],
            default=spec.default,
            help=meta["help"],
            metavar=meta["metavar"],
            show_default=spec.default not in (None, (), False),
            **extra,
        )
        parameter.group = meta["group"]
        parameters.append(parameter)
    return parameters


@click.command(cls=GroupedCommand, params=[], context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source")
@click.option("--no-save", is_flag=True, help="Write no video: numbers only.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no table.")
@click.version_option(
    None, "--version", package_name="track-anything-in-video", message="%(prog)s %(version)s"
)
def run(source: str, no_save: bool, quiet: bool, **given: Any) -> int:
    """Follow everything in SOURCE and write it back, annotated, with numbers.

    SOURCE is a video file, a folder or glob of pictures, a camera (0, /dev/video0) or a stream
    (rtsp://, rtmp://, http://, ...). A source that has the name of a command is
    given as ./NAME.
    """
    given["classes"] = tuple(
        name.strip() for text in given["classes"] for name in text.split(",") if name.strip()
    )
    options = Options(**given)
    if no_save and options.output:
        raise click.UsageError("--no-save and --output exclude each other; leave one out")
    if not no_save and options.output is None:
        options = dataclasses.replace(options, output=default_output(source))
    return execute(source, options, quiet=quiet)


run.params.extend(_parameters())


def default_output(source: str) -> str:
    """Return ``<stem>_output.mp4`` for the working folder.

    >>> default_output("clips/street.avi"), default_output("frames/*.png")
    ('street_output.mp4', 'frames_output.mp4')
    """
    if "://" in source:
        from tracker.sources import address  # brings numpy, for which --help should not wait

        return f"{address.name(source)}_output.mp4"  # never what may hold a password
    path = Path(source)
    while any(letter in path.name for letter in "*?["):
        path = path.parent
    return f"{path.stem or path.resolve().stem or 'track'}_output.mp4"


def execute(source: str, options: Options, *, quiet: bool = False) -> int:
    """Run with progress, signals and the table; return the exit status."""
    stop, received = threading.Event(), Received()
    with suppress(EndRun, Interrupted), _signals(stop, received):
        from tracker.api import Session
        from tracker.progress import Progress, table

        session = Session(
            source,
            options,
            stop=stop,
            sketch=bool(options.output or options.show),
            prefix=Path(options.output or default_output(source)).with_suffix(""),
        )
        with session:
            received.opening = False
            passes = 2 if options.refine else 1
            length = session.source.length and session.source.length * passes
            with Progress(length, session.source.name, enabled=not quiet) as progress:
                session.advance = progress.advance
                for result in session:
                    progress.advance(len(result.tracks))
        for note in session.notes():
            click.echo(f"track: {note}", err=True)
        if not quiet:
            rows = session.report.rows(session.stopwatch.seconds, session.summaries())
            click.echo(table(rows, session.outputs()))
    return received.status


class Interrupted(BaseException):
    """A signal came before anything was written; nobody on the way may take it for an error of theirs."""


@dataclasses.dataclass
class Received:
    """What a signal has asked for."""

    opening: bool = True  # nothing is written yet, and loading a model listens to no event
    status: int = 0  # of the exit; 130 or 143 once a signal has come


@contextmanager
def _signals(stop: threading.Event, received: Received) -> Iterator[None]:
    """Let the first SIGINT, SIGTERM or SIGHUP end the run in order, and a second one at once."""

    def handle(number: int, _: FrameType | None) -> None:
        again = received.status
        received.status = 128 + number
        if again:
            os._exit(received.status)
        stop.set()
        if received.opening:
            raise Interrupted

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                number = getattr(signal, name)
                before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
