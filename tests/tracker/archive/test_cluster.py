"""The same on a Ray cluster of several nodes, and from and to an object store."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT
from tests.tracker.archive.world import COUNTED, FRAMES, TABLES, clip, frames_of, parts, plain, run, tables

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PIECE = ("--piece", "1")
World = tuple[Path, dict[str, bytes]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACK_WEIGHTS_DIR", str(weights.parent))
        video = clip(folder / "clip.mp4")
        yield video, plain(video, folder / "plain")


class Nodes:
    """A cluster; see `nodes`."""

    def __init__(self) -> None:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.tracker.archive.nodes"], **pipes, cwd=ROOT
        )
        self.address = self._answer("address")

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        self._answer("done")

    def _answer(self, begins: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(begins):
                return line.partition(" ")[2].strip()
        raise AssertionError("the cluster has died")

    def close(self) -> None:
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def cluster(world: World) -> Iterator[Nodes]:
    """Start a head with one core; nodes are added by the tests."""
    if find_spec("ray") is None:
        pytest.skip("needs the extra: pip install -e '.[archive]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        nodes = Nodes()
        try:
            yield nodes
        finally:
            nodes.close()


def command(video: Path, out: Path, address: str) -> list[str]:
    return ["archive", str(video), "-o", str(out), "--address", address, *COUNTED, *PIECE, "--csv"]


def test_one_node_gives_the_tables_of_a_plain_run(cluster: Nodes, world: World, tmp_path: Path) -> None:
    video, expected = world
    done = run(*command(video, tmp_path / "out", cluster.address), "--draw")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert frames_of(tmp_path / "out/videos/camera=clip/clip.mp4") == FRAMES
    assert tables(tmp_path / "out", "clip") == expected
    assert len(parts(tmp_path / "out")) == 6


def detecting() -> list[int]:
    """Return the processes of Ray that detect now."""
    told = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 1) for line in told.splitlines()]
    return [int(pid) for pid, name in lines if name.startswith("ray::clip.mp4, piece")]


@pytest.mark.parametrize("loss", ["worker", "node", "driver"])
def test_what_is_lost_is_done_again(loss: str, cluster: Nodes, world: World, tmp_path: Path) -> None:
    video, expected = world
    out = tmp_path / "out"
    for _ in range(3 if loss == "node" else 1):
        cluster.tell("add")
    arguments = command(video, out, cluster.address)
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    limit = time.monotonic() + 90
    while not (parts(out) and detecting()) and time.monotonic() < limit and process.poll() is None:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    if loss == "worker":
        os.kill(detecting()[0], signal.SIGKILL)
    elif loss == "node":
        cluster.tell("remove")
    else:
        process.kill()
    errors = process.communicate(timeout=120)[1]
    if loss == "driver":
        while detecting() and time.monotonic() < limit:  # Ray ends what belongs to a driver that has died
            time.sleep(0.1)
        there = parts(out)
        again = run(*arguments)
        assert again.returncode == 0, again.stderr
        assert f"detected now  {6 - len(there)} pieces" in again.stdout
        assert {path: at for path, at in parts(out).items() if path in there} == there
    else:
        assert process.returncode == 0, errors
    assert tables(out, "clip") == expected
    for _ in range(2 if loss == "node" else 1):
        cluster.tell("remove")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start an object store on this machine."""
    moto = pytest.importorskip("moto.server", reason="needs moto: pip install 'moto[server]'")
    s3fs = pytest.importorskip("s3fs", reason="needs the extra: pip install -e '.[archive]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    files.mkdir("archive")
    yield files
    server.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_from_and_to_an_object_store(bucket: Any, world: World, tmp_path: Path) -> None:
    video, expected = world
    bucket.put_file(str(video), "archive/in/clip.mp4")
    once = (
        "archive",
        "s3://archive/in",
        "-o",
        "s3://archive/out",
        *COUNTED,
        *PIECE,
        "--workers",
        2,
        "--csv",
        "--draw",
    )
    done = run(*once)
    assert done.returncode == 0, done.stderr
    bucket.get_file("archive/out/videos/camera=clip/clip.mp4", str(tmp_path / "clip.mp4"))
    assert frames_of(tmp_path / "clip.mp4") == FRAMES
    for kind, name in TABLES.items():
        assert bucket.cat_file(f"archive/out/csv/camera=clip/{name}") == expected[kind]
        (found,) = bucket.find(f"archive/out/{kind}/camera=clip")
        assert found.endswith(f"/{kind}.parquet")
    again = run(*once).stdout
    assert "detected now  0 pieces" in again and "drawn now     0 videos" in again
