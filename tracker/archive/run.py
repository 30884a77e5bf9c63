"""An archive from its options to its exit code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tracker import threads
from tracker.archive import settings
from tracker.archive.files import is_object
from tracker.archive.films import Films
from tracker.archive.manifest import COMPLETE, FAILED, SHORT, TABLE, Row
from tracker.archive.pool import LocalPool, Pool
from tracker.archive.progress import Progress
from tracker.archive.recordings import NAMES, Names, find
from tracker.archive.store import open_store
from tracker.archive.work import Work
from tracker.options import Options
from tracker.run.progress import table
from tracker.types import OptionError

MOST_TOLD = 20  # failed files that are told one by one


@dataclass(frozen=True)
class Report:
    """What is told at the end."""

    status: int  # 0: everything is complete, 2: the notes say what is not
    table: str
    notes: list[str]
    rows: list[Row]


def run_archive(
    sources: Sequence[str],
    out: str,
    options: Options,
    *,
    address: str = "local",
    workers: int | None = None,
    piece_s: float = 60.0,
    names: str | None = None,
    csv: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
    draw: bool = False,
) -> Report:
    """Track all recordings among the sources; raises ``TrackError`` where nothing can be done."""
    began = time.monotonic()
    if not out.strip():
        raise OptionError("--output is empty; give a folder or an address")
    settings.check(options, draw=draw)
    pattern = Names(NAMES if names is None else names)
    store = open_store(_absolute(out))
    cameras = find(sources, pattern)
    now = settings.told(options, piece_s, pattern, csv=csv, draw=draw)
    settings.compare(store, now, overwrite=overwrite)
    with _pool(address, workers, options) as pool, Progress(enabled=not quiet) as progress:
        zones = settings.write(store, now, options)
        films = Films(store, cameras, options, now["tables"], pool, piece_s, progress) if draw else None
        if films is not None:
            films.prepare()
        work = Work(
            store,
            cameras,
            options,
            now["tables"],
            pool,
            piece_s=piece_s,
            zones=zones,
            sketched="" if films is None else films.made_with,
            progress=progress,
        )
        try:
            work.run()
        finally:
            work.write_manifest()
        if films is not None:
            films.run()
            if films.failed:
                work.write_manifest(films.missing())
    rows = [row for each in work.rows.values() for row in each]
    failed = [row for row in rows if row.state != COMPLETE]
    notes = [*work.notes, *map(_told, failed[:MOST_TOLD])]
    if len(failed) > MOST_TOLD:
        notes.append(f"{len(failed) - MOST_TOLD} more files are not complete: see {store.shown(TABLE)}")
    lines = _table(work, rows, time.monotonic() - began)
    if films is not None:
        notes += films.notes
        lines.append(("drawn now", films.told()))
    bad = failed or (films is not None and films.failed)
    return Report(2 if bad else 0, table(lines, [store.shown()]), notes, rows)


def _told(row: Row) -> str:
    """Return a line on a file that is not complete."""
    why = row.error or row.notes
    return why if row.file in why else f"{row.file}: {why}"


def _absolute(out: str) -> str:
    """Return where results go, for workers that may have another working folder."""
    from pathlib import Path

    return out if is_object(out) else str(Path(out.removeprefix("file://")).absolute())


def _pool(address: str, workers: int | None, options: Options) -> Pool:
    if address == "local":
        return LocalPool(workers or threads.cores())
    if address in ("auto", ""):
        raise OptionError("--address auto would join any cluster of this machine: give its HOST:PORT")
    from tracker.archive.cluster import Cluster

    return Cluster(address, gpu=options.device != "cpu")


def _table(work: Work, rows: Sequence[Row], elapsed_s: float) -> list[tuple[str, str]]:
    """Return the lines of the table at the end."""
    states = {state: sum(row.state == state for row in rows) for state in (COMPLETE, SHORT, FAILED)}
    told = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    of_video = sum(row.frames for row in rows)
    lines = [
        ("cameras", f"{len(work.rows)}"),
        ("files", f"{len(rows)}: {told}" if rows else "none"),
        ("frames", f"{of_video}"),
        (
            "detected now",
            f"{work.detected} pieces, {work.frames} frames, {work.media_s / 3600:.2f} h of video",
        ),
    ]
    if work.frames:
        lines.append(
            (
                "rate",
                f"{work.frames / elapsed_s:.1f} frames/s in {elapsed_s:.1f} s, "
                f"{1000 * work.cpu_s / work.frames:.1f} ms of CPU per frame",
            )
        )
    whole = sum(bool(row.why_whole) for row in rows)
    if whole:
        lines.append(("decoded whole", f"{whole} files: see why_whole in the manifest"))
    return lines
