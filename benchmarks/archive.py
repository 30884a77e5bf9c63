"""What an archive costs: CPU of `track archive` beside plain `track`, and ten thousand hours on paper.

python -m benchmarks.archive VIDEO [--rounds 3] [--piece 20] [--cores 256]
    [--only speed|drawing|memory|fetched]

speed: rounds are interleaved, one worker against a plain run, each in a process of its own with one thread;
seconds are user and system time of the process and its children, with those of starting and of the model.
drawing: what videos add, by pieces with --draw and in one run.
memory: resident memory of a worker after so many pieces of the file.
fetched: what pieces of the file fetch from an object store, by the size of blocks (needs moto[server]).
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars

from benchmarks.memory import resident_bytes
from tracker.archive import files, settings
from tracker.archive.arrivals import Part
from tracker.archive.detect import Detect, Place
from tracker.archive.follow import Follow
from tracker.archive.pieces import Piece, Probed, release
from tracker.archive.recordings import Recording
from tracker.archive.store import Folder
from tracker.archive.tasks import perform
from tracker.options import Options
from tracker.sources.video_file import VideoFile
from tracker.sources.video_piece import VideoPiece
from tracker.threads import SHARE

HOURS = 10_000
PIECES = 60  # of one worker
SHOWN = (1, 5, 10, 20, 40, 60)
SHORT_S = 5.0  # a short piece
BLOCKS = (1 << 16, 1 << 17, 1 << 18, 1 << 20)


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


def follow_s(out: Path, video: Path, sketched: str = "") -> tuple[float, int]:
    """Return the CPU seconds of following once more what is stored, and the bytes of sketches."""
    (folder,) = (out / "detections").glob("camera=*/file=*")
    with VideoFile(video) as source:
        probed = Probed("", (), source.duration_s, source.fps, source.size)
    names = sorted(path.name for path in folder.iterdir())
    count = 0 if names == ["whole.parquet"] else len(names)
    part = Part(Recording(str(video), "video"), probed, folder.relative_to(out).as_posix(), count)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "detections").symlink_to(out / "detections")
        task = Follow(release(), "video", "video", False, (part,), Folder(place).root, Options())
        cpu = float(replace(task, sketched=sketched).run().cpu_s)
        return cpu, sum(path.stat().st_size for path in Path(place).rglob("sketches/**/*.parquet"))


def speed(video: Path, given: argparse.Namespace) -> None:
    """Print what is detected and followed, and what ten thousand hours of it are."""
    plain, archive, follow = [], [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(given.rounds):
            table, out = Path(name) / f"{number}.csv", Path(name) / f"{number}"
            plain.append(
                cpu_s(video, "--no-save", "--precision", "fp32", "--look", "all", "--save-csv", table)
            )
            one = ("--workers", 1, "--piece", given.piece, "--csv")
            archive.append(cpu_s("archive", video, "-o", out, *one))
            (made,) = (out / "csv").rglob("tracks.csv")
            assert made.read_bytes() == table.read_bytes(), "the tables differ"
            follow.append(follow_s(out, video)[0])
        row = polars.read_parquet(out / "manifest.parquet").to_dicts()[0]
        stored = sum(path.stat().st_size for path in (out / "detections").rglob("*.parquet"))
        tables = sum(path.stat().st_size for path in (out / "tracks").rglob("*.parquet"))
    decoding, frames = decode_s(video)
    seconds = float(row["last_s"]) or 1.0
    one_s, many_s, last_s = (statistics.median(each) for each in (plain, archive, follow))
    per_frame = many_s / frames
    rate, size = frames / seconds, video.stat().st_size
    core_hours = HOURS * rate * per_frame
    told = {
        "frames": f"{frames}, {row['road']}, {row['pieces']} pieces",
        "plain track": f"{1000 * one_s / frames:.2f} ms of CPU per frame",
        "track archive": f"{1000 * per_frame:.2f} ms, {many_s / one_s:.3f} x",
        "following": f"{1000 * last_s / frames:.3f} ms",
        "decoding alone": f"{1000 * decoding / frames:.2f} ms",
        f"{HOURS} hours": f"{core_hours:.0f} core hours, {core_hours / given.cores:.0f} hours on "
        f"{given.cores} cores",
        "following them": f"{HOURS * rate * last_s / frames:.0f} core hours",
        "results": f"{HOURS * 3.6e3 * stored / seconds / 1e9:.0f} GB of detections, "
        f"{HOURS * 3.6e3 * tables / seconds / 1e9:.0f} GB of tracks",
        "the store must give": f"{size / frames / per_frame * given.cores / 1e6:.1f} MB/s for "
        f"{given.cores} cores",
        "on GPU nodes": f"decoding is left: {HOURS * rate * decoding / frames:.0f} core hours, "
        f"{size / decoding / 1e6:.0f} MB/s for each core that decodes",
    }
    for name, value in told.items():
        print(f"{name:<20} {value}")


def drawing(video: Path, given: argparse.Namespace) -> None:
    """Print what videos add to a run and to an archive."""
    alone, drawn, tables, films, follow, sketched = ([] for _ in range(6))  # type: tuple[list[float], ...]
    with tempfile.TemporaryDirectory() as name:
        for number in range(given.rounds):
            folder = Path(name) / f"{number}"
            folder.mkdir()
            plain = (video, "--precision", "fp32", "--look", "all")
            archive = ("archive", video, "--workers", 1, "--piece", given.piece)
            alone.append(cpu_s(*plain, "--no-save"))
            drawn.append(cpu_s(*plain, "-o", folder / "plain.mp4"))
            tables.append(cpu_s(*archive, "-o", folder / "tables"))
            films.append(cpu_s(*archive, "-o", folder / "films", "--draw"))
            follow.append(follow_s(folder / "tables", video)[0])
            cpu, stored = follow_s(folder / "tables", video, "sketched")
            sketched.append(cpu)
        (made,) = (folder / "films/videos").rglob("*.mp4")
        sizes = made.stat().st_size, (folder / "plain.mp4").stat().st_size
    with VideoFile(video) as source:
        frames = sum(1 for _ in source)
    ms = [1000 * statistics.median(each) / frames for each in (alone, drawn, tables, films, follow, sketched)]
    print(f"{'a video in one run':<20} {ms[1] - ms[0]:.2f} ms of CPU per frame, {sizes[1] / 1e6:.2f} MB")
    print(f"{'by pieces':<20} {ms[3] - ms[2]:.2f} ms, {sizes[0] / 1e6:.2f} MB")
    print(f"{'following':<20} {ms[4]:.3f} ms, with sketches {ms[5]:.3f} ms and {stored / frames:.0f} bytes")


def pieces_of(video: Path, count: int, length_s: float | None = None) -> list[Piece]:
    """Return so many pieces of a file, of one length."""
    with VideoFile(video) as source:
        duration = source.duration_s or 0.0
    each = length_s or duration / count
    return [Piece(n, start := n * duration / count, start + each) for n in range(count)]


def memory(video: Path) -> None:
    """Print the memory of a worker that does one piece after the other."""
    options = settings.detecting(Options(precision="fp32"))
    with tempfile.TemporaryDirectory() as name:
        print("| pieces | resident, MB |\n|---|---|")
        for number, piece in enumerate(pieces_of(video, PIECES), start=1):
            place = Place(name, "detections/camera=video/file=video")
            outcome = perform(Detect(release(), Recording(str(video), "video"), piece, place, options))
            assert not outcome.error, outcome.error
            if number in SHOWN:
                print(f"| {number} | {resident_bytes() / 1e6:.0f} |", flush=True)


@contextmanager
def bucket() -> Iterator[str]:
    """Run an object store on this machine; give the address of a bucket."""
    import s3fs
    from moto.server import ThreadedMotoServer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir("bench")
    try:
        yield "s3://bench"
    finally:
        server.stop()


def fetched(video: Path, lengths_s: Sequence[float]) -> None:
    """Print how much pieces fetch, by their length and the size of blocks, beside their share of the file."""
    size = video.stat().st_size
    with VideoFile(video) as source:
        duration_s = source.duration_s or 0.0
    with bucket() as root:
        uri = f"{root}/{video.name}"
        files.file_system(uri).put_file(str(video), uri)
        print("| piece | its share, MB | block | fetched, MB | times its share |\n|---|---|---|---|---|")
        for length_s in lengths_s:
            share = size * length_s / duration_s
            for block in BLOCKS:
                files.BLOCK_BYTES = block
                mean = statistics.mean(_fetch(uri, piece) for piece in pieces_of(video, 3, length_s))
                told = f"{mean / 1e6:.2f} | {mean / share:.2f}"
                print(f"| {length_s:g} s | {share / 1e6:.2f} | {block >> 10} KB | {told} |", flush=True)


def _fetch(uri: str, piece: Piece) -> int:
    """Return the bytes that are fetched to decode a piece."""
    with files.opened(uri) as file:
        assert file is not None
        with VideoPiece(uri, piece.start_s, piece.end_s, file=file) as source:
            assert sum(1 for _ in source), "the piece has no frame"
        return int(file.cache.total_requested_bytes)  # type: ignore[attr-defined] # of fsspec's files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--piece", type=float, default=20.0)
    parser.add_argument("--cores", type=int, default=256)
    parser.add_argument("--only", choices=["speed", "drawing", "memory", "fetched"])
    given = parser.parse_args()
    video = given.video.absolute()
    steps: dict[str, Callable[[], None]] = {
        "speed": lambda: speed(video, given),
        "drawing": lambda: drawing(video, given),
        "memory": lambda: memory(video),
        "fetched": lambda: fetched(video, (SHORT_S, given.piece)),
    }
    for name, step in steps.items():
        if given.only in (None, name):
            step()


if __name__ == "__main__":
    main()
