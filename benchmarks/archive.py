"""What an archive costs: CPU of `track archive` beside plain `track`, and ten thousand hours on paper.

python -m benchmarks.archive VIDEO [--rounds 3] [--piece 20] [--cores 256]

Rounds are interleaved, one worker against a plain run, each in a process of its own with one thread; seconds
are user and system time of the process and its children, with the time to start and to load the model.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars

from tracker.archive.pieces import Probed, release
from tracker.archive.recordings import Recording
from tracker.archive.store import Folder
from tracker.archive.tasks import Follow, Part
from tracker.options import Options
from tracker.sources.video_file import VideoFile
from tracker.threads import SHARE

HOURS = 10_000


def cpu_s(*arguments: object) -> float:
    """Return the CPU seconds of a command, with one thread."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "tracker", *map(str, arguments), "-q"]
    subprocess.run(words, check=True, env={**os.environ, SHARE: "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def decode_s(video: Path) -> tuple[float, int]:
    """Return the CPU seconds of decoding alone, and the frames."""
    began = time.process_time()
    with VideoFile(video, decode="cpu") as source:
        frames = sum(1 for _ in source)
    return time.process_time() - began, frames


def follow_s(out: Path, video: Path) -> float:
    """Return the CPU seconds of following once more what is stored."""
    (folder,) = (out / "detections").glob("camera=*/file=*")
    with VideoFile(video) as source:
        probed = Probed("", (), source.duration_s, source.fps, source.size)
    names = sorted(path.name for path in folder.iterdir())
    count = 0 if names == ["whole.parquet"] else len(names)
    part = Part(Recording(str(video), "video"), probed, folder.relative_to(out).as_posix(), count)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "detections").symlink_to(out / "detections")
        task = Follow(release(), "video", "video", False, (part,), Folder(place).root, Options())
        return float(task.run().cpu_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--piece", type=float, default=20.0)
    parser.add_argument("--cores", type=int, default=256)
    given = parser.parse_args()
    video = given.video.absolute()
    plain, archive, follow = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(given.rounds):
            table, out = Path(name) / f"{number}.csv", Path(name) / f"{number}"
            plain.append(cpu_s(video, "--no-save", "--precision", "fp32", "--save-csv", table))
            archive.append(cpu_s("archive", video, "-o", out, "--workers", 1, "--piece", given.piece))
            (made,) = (out / "tracks").rglob("tracks.csv")
            assert made.read_bytes() == table.read_bytes(), "the tables differ"
            follow.append(follow_s(out, video))
        row = polars.read_parquet(out / "manifest.parquet").to_dicts()[0]
    decoding, frames = decode_s(video)
    seconds = float(row["last_s"]) or 1.0
    one, many, last = (statistics.median(each) for each in (plain, archive, follow))
    per_frame = many / frames
    rate, size = frames / seconds, video.stat().st_size
    hours = HOURS * rate * per_frame
    given_mb = size / frames / per_frame * given.cores / 1e6
    rows = {
        "frames": f"{frames}, {row['road']}, {row['pieces']} pieces",
        "plain track": f"{1000 * one / frames:.2f} ms of CPU per frame",
        "track archive": f"{1000 * per_frame:.2f} ms, {many / one:.3f} x",
        "following": f"{1000 * last / frames:.3f} ms",
        "decoding alone": f"{1000 * decoding / frames:.2f} ms",
        f"{HOURS} hours": f"{hours:.0f} core hours, {hours / given.cores:.0f} hours on {given.cores} cores",
        "the store must give": f"{given_mb:.1f} MB/s for {given.cores} cores",
        "on GPU nodes": f"decoding is left: {HOURS * rate * decoding / frames:.0f} core hours",
    }
    for name, told in rows.items():
        print(f"{name:<20} {told}")


if __name__ == "__main__":
    main()
