"""``track serve``: the live page for cameras and files, without a terminal."""

from __future__ import annotations

import os
import signal
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from tracker.arguments.click_types import FILE, settings_of
from tracker.arguments.option_spec import specs
from tracker.errors import OptionError
from tracker.options import Options
from tracker.parse import seconds
from tracker.text import harmless

if TYPE_CHECKING:  # it brings the server
    from tracker.web.server import Where

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
PATIENCE_S = 2.0  # for the end of all runs, before it is told what is waited for
# Options of a run that have no meaning here: the page chooses what is written where.
NOT_HERE = {
    *("output", "show", "events", "counts", "save_csv", "save_json", "save_mot", "save_run", "report"),
    *("save_mots", "save_coco", "save_cvat"),
    *("save_detections", "detections", "state", "resume", "refine", "segment", "keep", "keep_gb", "crop"),
    *("overwrite", "profile", "movements"),
}


@click.command()
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port of the page."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to answer at; 0.0.0.0: all of this machine's.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("track_web"),
    show_default=True,
    help="Folder for counts, videos, history.",
)
@click.option(
    "--password-file",
    type=FILE,
    help="File with the password; needed for any other host than this machine. Or set TRACK_WEB_PASSWORD.",
)
@click.option(
    "--viewer-password-file", type=FILE, help="File with a password for people who may look, not change."
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="Another name that the page goes by, such as that of a proxy.",
)
@click.option(
    "--proxy", multiple=True, metavar="ADDRESS", help="Address of a proxy whose X-Forwarded-For is believed."
)
@click.option("--certfile", type=FILE, help="Certificate (PEM), for https.")
@click.option("--keyfile", type=FILE, help="Key of the certificate (PEM).")
@click.option(
    "--history-keep",
    default="90d",
    show_default=True,
    metavar="TIME",
    help="How long events are kept; counts per minute stay two years.",
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def command(
    sources: tuple[str, ...], port: int, host: str, output: Path, password_file: Path | None,
    viewer_password_file: Path | None, allow_host: tuple[str, ...], proxy: tuple[str, ...],
    certfile: Path | None, keyfile: Path | None, history_keep: str, no_open: bool, **given: Any,
) -> int:  # fmt: skip
    """Show SOURCES on a page: watch them, draw lines and zones with the mouse, see the counts grow.

    \b
    track serve 0 rtsp://camera/1       cameras: counting begins at once
    track serve all.streams             cameras from a list, with names
    track serve street.mp4              a file: draw, then "Save and run"

    Cameras go on counting where they were after a restart. Open the address that is printed; it lets one
    browser in, once.
    """
    from tracker.web.server import Where, hosts_of, proxies_of

    if not host.strip():
        raise OptionError("--host is empty, which would be all addresses: give one, such as 127.0.0.1")
    keep_s = seconds_of("--history-keep", history_keep)
    options = Options(**given)
    where = Where(
        host, port, password_file, viewer_password_file, hosts_of(allow_host), certfile, keyfile,
        proxies_of(proxy), output / "history.sqlite", keep_s, lasting=True,
    )  # fmt: skip
    return serve(sources, options, where, output, browse=not no_open)


def seconds_of(option: str, text: str) -> float:
    """Return the seconds of a time after which something goes; raises ``OptionError``."""
    try:
        given = seconds(text)
    except OptionError as error:
        raise OptionError(f"{option} {error}") from None
    if not given > 0:
        raise OptionError(f"{option} {text}: must be more than 0, or all that was kept before would go")
    return given


def serve(
    sources: Sequence[str], options: Options, where: Where, folder: Path, *, browse: bool, count: bool = True
) -> int:
    """Serve the page until a signal comes; without ``count`` lines and zones can only be drawn."""
    from tracker.run.listed import find_runs
    from tracker.web.server import Server
    from tracker.web.workers import Workers

    stop = threading.Event()
    received: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        if received:  # somebody does not want to wait
            os._exit(128 + number)
        received.append(number)
        stop.set()

    def announce(text: str) -> None:
        click.echo(f"track: {harmless(text)}")

    workers = Workers(find_runs(sources), options, folder, count=count)
    server = Server(workers.stations, where, announce)
    workers.claim()
    for worker in workers.all:
        worker.history = server.history
    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        with server, workers:
            if browse and where.host in ("127.0.0.1", "localhost"):
                with suppress(webbrowser.Error):
                    webbrowser.open(server.link())
            stop.wait()
            server.end()  # while the runs end
            workers.stop()
            if not workers.join(PATIENCE_S):
                with suppress(OSError):  # the terminal may be gone
                    announce("what runs is being ended, so that its files are whole; Ctrl-C ends at once")
    finally:
        workers.release()
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 + received[0] if received and received[0] != signal.SIGINT else 0


for name, spec in specs(Options).items():
    if name not in NOT_HERE:
        command.params.append(click.Option([name, *spec.flags], **settings_of(spec)))
