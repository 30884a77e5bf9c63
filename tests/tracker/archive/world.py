"""An archive to try: a short clip of the street, and what `track` makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import polars

from videos import street

FPS, EVERY, FRAMES = 10, 3, 60
COUNTED = (
    "--line",
    "door=0,0.6 1,0.6",
    "--zone",
    "yard=0.1,0.1 0.6,0.1 0.6,0.9 0.1,0.9",
    "--imgsz",
    "320",
)
TABLES = {"tracks": "tracks.csv", "events": "events.jsonl", "counts": "counts.csv"}


def clip(path: Path, frames: int = FRAMES, gop: int = 10) -> Path:
    """Write every third frame of the street, with a closed group of pictures each second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 640, 360, "yuv420p", gop
        stream.options = {"x264-params": "open-gop=0:scenecut=0:bframes=0", "preset": "veryfast"}
        for index, (image, _) in enumerate(islice(street.frames(), 60, 60 + frames * EVERY, EVERY)):
            frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(640, 360, "yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def frames_of(video: Path) -> int:
    """Return how many pictures a video has."""
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def run(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `track` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "tracker", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=110,
    )


def plain(video: Path, folder: Path, *options: object) -> dict[str, bytes]:
    """Return the tables that `track` makes of a file."""
    folder.mkdir()
    written = {kind: folder / name for kind, name in TABLES.items()}
    to = ["--save-csv", written["tracks"], "--events", written["events"], "--counts", written["counts"]]
    done = run(video, "--no-save", "-q", "--precision", "fp32", "--look", "all", *COUNTED, *to, *options)
    assert done.returncode == 0, done.stderr
    return {kind: path.read_bytes() for kind, path in written.items()}


def tables(out: Path, camera: str) -> dict[str, bytes]:
    """Return the tables of one camera in an archive as `track` writes them, which --csv keeps."""
    return {kind: (out / "csv" / f"camera={camera}" / name).read_bytes() for kind, name in TABLES.items()}


def same_rows(out: Path, camera: str) -> None:
    """Assert that Parquet holds what the lines of `track` say, column by column, in order."""
    lines = out / "csv" / f"camera={camera}"
    for kind in ("tracks", "counts", "movements"):
        if not (lines / f"{kind}.csv").exists():
            continue
        told = polars.read_csv(lines / f"{kind}.csv", infer_schema=False)
        found = rows(out, kind, camera)
        assert len(found) == len(told) > 0
        for name in told.columns:
            column = told[name]
            if column.dtype != found.schema[name] and found.schema[name].is_temporal():
                column = column.str.to_datetime("%+", time_zone="UTC", strict=found[name].null_count() == 0)
            assert column.cast(found.schema[name]).to_list() == found[name].to_list(), (kind, name)
    events = [json.loads(line) for line in (lines / "events.jsonl").read_text().splitlines()]
    found = rows(out, "events", camera)
    assert len(events) == len(found)
    for event, row in zip(events, found.iter_rows(named=True), strict=True):
        wall = event.pop("wall_time", None)
        assert wall is None or datetime.fromisoformat(wall) == row["wall_time"]
        assert event == {**{name: row[name] for name in event if name in row}, **json.loads(row["data"])}


def rows(out: Path, kind: str, camera: str) -> polars.DataFrame:
    """Return a table of one camera: those of all days, one behind the other."""
    files = sorted((out / kind / f"camera={camera}").rglob("*.parquet"))
    return polars.concat([polars.read_parquet(file, hive_partitioning=False) for file in files])


def parts(out: Path) -> dict[Path, int]:
    """Return the parts of an archive with the times at which they were written."""
    return {path: path.stat().st_mtime_ns for path in sorted((out / "detections").rglob("*.parquet"))}
