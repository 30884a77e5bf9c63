"""``track serve``: the live page for cameras and files, without a terminal."""

from __future__ import annotations

import signal
import threading
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from tracker.arguments.click_types import settings_of
from tracker.arguments.option_spec import specs
from tracker.options import Options
from tracker.text import harmless

if TYPE_CHECKING:  # it brings the server
    from tracker.web.server import Where

FILE = click.Path(path_type=Path)
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
    track serve street.mp4              a file: draw, then "Save and run"

    Cameras go on counting where they were after a restart. Open the address that is printed; it lets one
    browser in, once.
    """
    from tracker.parse import seconds
    from tracker.web.server import Where, hosts_of

    options = Options(**given)
    where = Where(
        host, port, password_file, viewer_password_file, hosts_of(allow_host), certfile, keyfile, proxy,
        output / "history.sqlite", seconds(history_keep), lasting=True,
    )  # fmt: skip
    return serve(sources, options, where, output, browse=not no_open)


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
        received.append(number)
        stop.set()

    def announce(text: str) -> None:
        click.echo(f"track: {harmless(text)}")

    workers = Workers(find_runs(sources), options, folder, count=count)
    server = Server(workers.stations, where, announce)
    for worker in workers.all:
        worker.history = server.history
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with server, workers:
            if browse and where.host in ("127.0.0.1", "localhost"):
                with suppress(webbrowser.Error):
                    webbrowser.open(server.link())
            stop.wait()
            server.end()  # while the runs end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 + received[0] if received and received[0] == signal.SIGTERM else 0


for name, spec in specs(Options).items():
    if name not in NOT_HERE:
        command.params.append(click.Option([name, *spec.flags], **settings_of(spec)))
