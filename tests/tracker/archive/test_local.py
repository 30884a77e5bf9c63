"""The whole of it, by processes of this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars
import pytest

from tests.docs.pages import ROOT, blocks
from tests.tracker.archive.world import COUNTED, clip, parts, plain, run, same_rows, tables

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PIECE = ("--piece", "1.5", "--workers", "2")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[tuple[Path, dict[str, bytes]]]:
    """Give a clip and the tables that `track` makes of it."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACK_WEIGHTS_DIR", str(weights.parent))
        video = clip(folder / "clip.mp4")
        yield video, plain(video, folder / "plain")


def archive(*arguments: object) -> str:
    done = run("archive", *arguments, *COUNTED, *PIECE, "--csv")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # in a pipe it is quiet
    return done.stdout


def test_tables_are_those_of_a_plain_run_and_a_rerun_does_what_is_missing(
    world: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    video, expected = world
    out = tmp_path / "out"
    assert "1 complete" in archive(video, "-o", out)
    assert tables(out, "clip") == expected
    same_rows(out, "clip")
    assert expected["tracks"].count(b"\n") > 100
    before = parts(out)
    assert len(before) == 4
    assert "detected now  0 pieces" in archive(video, "-o", out)  # everything is there
    assert parts(out) == before
    read_back(out)
    lost = [*before][2]
    lost.unlink()
    shutil.rmtree(out / "cameras")
    shutil.rmtree(out / "tracks")
    assert "detected now  1 pieces" in archive(video, "-o", out)
    assert tables(out, "clip") == expected
    assert {path for path, at in parts(out).items() if before[path] != at} == {lost}
    row = polars.read_parquet(out / "manifest.parquet").to_dicts()[0]
    assert (row["state"], row["road"], row["pieces"], row["frames"]) == ("complete", "pieces", 4, 60)
    moved = run("archive", video, "-o", out, *PIECE, *COUNTED[:-2], "--imgsz", "640")
    assert moved.returncode == 2 and "give another -o" in moved.stderr and parts(out).keys() == before.keys()


def read_back(out: Path) -> None:
    """Run the lines of the manual that read an archive."""
    pytest.importorskip("duckdb", reason="needs duckdb; pip install duckdb")
    (block,) = blocks(ROOT / "docs/archive.md", "py")
    exec(compile(block.replace("results/", f"{out}/"), "archive.md", "exec"), {})


def test_refined_tables_are_those_of_a_plain_run(
    world: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    video, _ = world
    out = tmp_path / "out"
    archive(video, "-o", out, "--refine")
    assert tables(out, "clip") == plain(video, tmp_path / "plain", "--refine")


def test_one_camera_of_two_files_is_the_file_that_they_were_cut_from(
    world: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    if not shutil.which("ffmpeg"):
        pytest.skip("needs the ffmpeg program, which is not installed")
    video, expected = world
    folder = tmp_path / "in"
    folder.mkdir()
    for name, cut in (("00-00-00", ["-to", "3"]), ("00-00-03", ["-ss", "3"])):
        goal = folder / f"gate_{name}.mp4"
        copy = ["ffmpeg", "-v", "error", *cut, "-i", str(video), "-c", "copy", str(goal)]
        subprocess.run(copy, check=True)
    out = tmp_path / "out"
    archive(folder, "-o", out, "--names", "{camera}_%H-%M-%S")
    assert tables(out, "gate") == expected
    assert polars.read_parquet(out / "manifest.parquet")["frames"].to_list() == [30, 30]


def test_one_truncated_file_among_five_leaves_four(
    world: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    video, expected = world
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abcde":
        shutil.copy(video, folder / f"{name}.mp4")
    whole = (folder / "c.mp4").read_bytes()
    (folder / "c.mp4").write_bytes(whole[: len(whole) // 2])
    done = run(
        "archive", folder, "-o", tmp_path / "out", *COUNTED, "--piece", "60", "--workers", "2", "--csv"
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "c.mp4" in done.stderr and "cut off while written" in done.stderr
    for name in "abde":
        assert tables(tmp_path / "out", name) == expected
    states = polars.read_parquet(tmp_path / "out/manifest.parquet")["state"].to_list()
    assert states == ["complete", "complete", "failed", "complete", "complete"]
    assert not (tmp_path / "out/tracks/camera=c").exists()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("victim", ["worker", "driver"])
def test_a_kill_loses_a_piece_at_most(
    victim: str, world: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    video, expected = world
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "tracker",
        "archive",
        str(video),
        "-o",
        str(out),
        *COUNTED,
        *PIECE,
        "--csv",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not parts(out) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    there = parts(out)
    assert there and process.poll() is None
    workers = children(process.pid)
    if victim == "driver":
        process.kill()
    else:
        busiest = max(workers, key=lambda pid: int(Path(f"/proc/{pid}/stat").read_text().split()[13]))
        os.kill(busiest, signal.SIGKILL)
    told, errors = process.communicate(timeout=100)
    if victim == "driver":
        there = parts(out)
        limit = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < limit:
            time.sleep(0.05)
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
        told = archive(video, "-o", out)
        assert f"detected now  {4 - len(there)} pieces" in told
    else:
        assert process.returncode == 0, errors
    assert tables(out, "clip") == expected
    again = [path for path, at in parts(out).items() if path in there and at != there[path]]
    assert len(again) <= (victim == "worker")  # it may die between its part and its word of it


def test_what_cannot_be_cut_is_decoded_whole(tmp_path: Path, weights: Path) -> None:
    from tests.tracker.archive.clips import make_clip

    video = make_clip("broken times", tmp_path, seconds=5)
    expected = plain(video, tmp_path / "plain")
    out = tmp_path / "out"
    assert "decoded whole  1 files" in archive(video, "-o", out)
    assert tables(out, "broken_times") == expected
    assert [path.name for path in parts(out)] == ["whole.parquet"]
    row = polars.read_parquet(out / "manifest.parquet").to_dicts()[0]
    assert row["road"] == "whole" and "do not increase" in row["why_whole"]
    assert json.loads((out / "run.json").read_text())["track_archive"] == 1
