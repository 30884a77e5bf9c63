"""The command line: options become objects, objects go into the loop, errors become one line."""

from __future__ import annotations

import dataclasses
import errno
import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tracker.arguments.click_types import FILE, explained, settings_of
from tracker.arguments.command_line import Grammar, sources_of, with_dashes
from tracker.arguments.mistakes import check, one_too_many, plugin_to_explain, unknown_option
from tracker.arguments.option_spec import specs
from tracker.errors import TrackError
from tracker.options import Options
from tracker.run.naming import default_output, made_output_in
from tracker.run.terminal import execute, execute_several
from tracker.text import harmless, hide, told

if TYPE_CHECKING:  # Python 3.10 has no Unpack of its own, and needs none to run
    from typing_extensions import Unpack

    from tracker.arguments.keywords import Keywords
    from tracker.web.beside import Beside

# Name -> module, imported when used, and a line of help. "run" is what `track SOURCE` means.
COMMANDS = {
    "archive": ("tracker.commands.archive", "Track many recordings, on all cores or on a cluster."),
    "demo": ("tracker.commands.demo", "Render a street scene and track the people in it."),
    "export": ("tracker.commands.export", "Convert weights ahead of time; make int8 models."),
    "replay": (
        "tracker.commands.replay",
        "Count again from saved tracks or detections, without the detector.",
    ),
    "report": ("tracker.commands.report", "Make a page or a spreadsheet of what runs counted."),
    "serve": ("tracker.commands.serve", "Watch and count on a page; draw lines and zones with the mouse."),
    "zones": ("tracker.commands.zones", "Check a zone file: draw a preview and describe it."),
    "eval": ("tracker.commands.evaluate", "Score tracks against ground truth."),
    "compare": ("tracker.commands.compare", "Run all trackers on a video and compare what they find."),
}


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run ``track`` and exit: 0 done, 2 a mistake told in one line, 130 or 143 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    command, name = run, "track"
    if arguments and arguments[0] == "run":
        arguments = arguments[1:]
    elif arguments and arguments[0] in COMMANDS and not _is_a_source(arguments[0]):
        command, name = importlib.import_module(COMMANDS[arguments[0]][0]).command, f"track {arguments[0]}"
        arguments = arguments[1:]
    arguments = [with_dashes(word, _grammar(command)) for word in arguments]
    try:
        wanted = plugin_to_explain(arguments)
        if wanted is not None:
            from tracker.plugins._shared.describe import describe

            click.echo(describe(wanted))
            sys.exit(0)
        context: dict[str, Any] = {"obj": arguments, "help_option_names": ["-h", "--help"]}
        status = command.main(arguments, prog_name=name, standalone_mode=False, **context)
    except click.exceptions.Abort:
        status = 130
    except click.exceptions.NoArgsIsHelpError as error:  # no mistake worth a word: show what there is
        click.echo(error.format_message(), err=True)
        status = 2
    except click.NoSuchOption as error:
        better = unknown_option(error.option_name, arguments, _grammar(command))
        if command is not run and error.option_name in _grammar(run).names:
            better = f"{name} has no {error.option_name}; it is an option of track SOURCE"
        _complain(better or error.format_message())
    except click.ClickException as error:
        extra = "unexpected extra argument" in error.format_message()
        if extra and (meant := one_too_many(arguments, _grammar(command))):
            _complain(meant)
        _complain(explained(error, command))
    except TrackError as error:
        _complain(str(error))
    except BrokenPipeError:  # the reader of our output went away: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # whichever word it was, wherever it was looked for
            _complain(
                f"{os.fsdecode(error.filename or '')[:40]}...: the name is too long; give a shorter one"
            )
        if error.filename is not None or not _lost_output():
            _trace()
            sys.exit(1)
        _complain(f"cannot print to the terminal ({error.strerror}); the files are complete")
    except Exception:  # a mistake of ours
        _trace()
        status = 1
    sys.exit(status or 0)


def _lost_output() -> bool:
    """Whether standard output takes nothing any more, as on a full disk; the rest is dropped then."""
    try:
        print(flush=True)  # what failed has been dropped; a line of its own tells
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _trace() -> None:
    """Print all that helps to find a mistake, without secrets."""
    import traceback

    trace = hide(traceback.format_exc()).splitlines()
    click.echo("\n".join(map(harmless, trace)), err=True)


def _complain(text: str) -> NoReturn:
    with suppress(OSError):  # nobody can read it; the exit code says the same
        click.echo(f"track: {told(text)}", err=True)
    sys.exit(2)


def _grammar(command: click.Command) -> Grammar:
    """Return what the options of a command are called."""
    options = [each for each in command.params if isinstance(each, click.Option) and each.name]
    names = {flag: str(each.name) for each in options for flag in (*each.opts, *each.secondary_opts)}
    return Grammar(names, {flag for each in options if not each.is_flag for flag in each.opts})


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
            if record is not None and record[1]:
                group = parameter.group if isinstance(parameter, GroupedOption) else "General"
                groups.setdefault(group, []).append(record)
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
    for name, spec in specs(Options).items():
        parameter = GroupedOption([name, *spec.flags], **settings_of(spec))
        parameter.group = spec.group
        parameters.append(parameter)
    return parameters


@click.command(cls=GroupedCommand, params=[])
@click.argument("source", nargs=-1, required=True)
@click.option("--no-save", is_flag=True, help="Write no video.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress and no table.")
@click.option(
    "--web", metavar="[HOST:]PORT", help="Show the run on a page, where lines and zones can be drawn."
)
@click.option(
    "--web-password-file",
    type=FILE,
    help="File with the page's password; needed for any other host than this machine.",
)
@click.version_option(
    None, "--version", package_name="track-anything-in-video", message="%(prog)s %(version)s"
)
def run(
    source: tuple[str, ...],
    no_save: bool,
    quiet: bool,
    web: str | None,
    web_password_file: Path | None,
    **given: Unpack[Keywords],
) -> int:
    """Track all objects in each SOURCE; write an annotated video and counts.

    \b
    track video.mp4                             write video_output.mp4, print a table
    track video.mp4 --classes person,car        these classes only
    track video.mp4 --line "door=0,300 768,300" count crossings of a line
    track video.mp4 --no-save --save-csv t.csv  no video, only numbers
    track 0 --show                              show a webcam in a window

    SOURCE is a video file, a folder or glob of pictures, a camera (0, /dev/video0), a stream (rtsp://,
    rtmp://, http://, ...) or a list of them (NAME.streams). With several sources, live ones run at the same
    time and files one after the other, and -o is a folder. Write ./NAME for a source named like a command.
    """
    grammar = _grammar(run)
    check(list(sources_of(click.get_current_context().obj, grammar)), grammar, COMMANDS)
    options = Options(**given)
    if no_save and options.output:
        raise click.UsageError("--no-save and --output cannot be combined; leave one out")
    save = not no_save and (options.output is not None or not options.show)  # a window alone leaves no file
    several = len(source) > 1 or source[0].lower().endswith(".streams")
    if web is not None:
        with _page(source, options, web, web_password_file) as page:
            if several:
                return execute_several(
                    source, page.options, save=save, quiet=quiet, companion=page.companion_of,
                    zones=page.zones,
                )  # fmt: skip
            options = _with_output(source[0], page.options, save)
            return execute(source[0], options, quiet=quiet, companion=page.companion)
    if several:
        return execute_several(source, options, save=save, quiet=quiet)
    return execute(source[0], _with_output(source[0], options, save), quiet=quiet)


def _with_output(source: str, options: Options, save: bool) -> Options:
    """Return the options with the name of the video, where one is to be written."""
    if (
        save
        and options.output is not None
        and (os.path.isdir(options.output) or options.output.endswith("/"))  # noqa: PTH112 - any name
    ):
        return dataclasses.replace(options, output=made_output_in(Path(options.output), source))
    if save and options.output is None:
        return dataclasses.replace(options, output=default_output(source))
    return options


def _page(source: tuple[str, ...], options: Options, web: str, password_file: Path | None) -> Beside:
    """Return the page beside a run; raises ``OptionError``."""
    from tracker.web.beside import Beside
    from tracker.web.server import Where

    where = dataclasses.replace(Where.of(web), password_file=password_file, lasting=True)
    return Beside(source, options, where, lambda text: click.echo(f"track: {harmless(text)}", err=True))


run.params.extend(_parameters())
