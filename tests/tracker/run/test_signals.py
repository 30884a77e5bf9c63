"""The real command, interrupted: it ends in order, and what it wrote can be used."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from tests.tracker.sources.rtsp import RtspServer, stamped
from tests.tracker.videos import write_video

FRAMES = 1500  # far more than can be followed before the signal comes
PATIENCE_S = 60.0  # on a busy machine; what is expected is printed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of Unix")


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tracker", *map(str, arguments)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.05)


def end(run: subprocess.Popen[str], *numbers: int) -> tuple[int, str]:
    """Send signals; return exit code and what was complained of."""
    start = time.perf_counter()
    for number in numbers:
        run.send_signal(number)
    _, errors = run.communicate(timeout=PATIENCE_S)
    print(f"ended {time.perf_counter() - start:.2f} s after the signal")
    return run.returncode, errors


def pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", FRAMES, fps=25)


@pytest.fixture
def options(weights: Path, tmp_path: Path) -> list[object]:
    return ["--weights", weights, "--imgsz", 160, "-o", tmp_path / "out.mp4"]


def writing(folder: Path) -> Callable[[], bool]:
    return lambda: any(path.stat().st_size > 1000 for path in folder.glob("out.part*.mp4"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_first_signal_ends_in_order(
    clip: Path, options: list[object], tmp_path: Path, number: int, code: int
) -> None:
    lines, state = tmp_path / "o.jsonl", tmp_path / "run.json"
    with started(clip, *options, "--save-json", lines, "--state", state) as run:
        wait_for(writing(tmp_path))
        assert end(run, number) == (code, "")
    written = [json.loads(line) for line in lines.read_text().splitlines()]
    assert 0 < len(written) < FRAMES
    assert pictures(tmp_path / "out.mp4") == len(written)
    assert json.loads(state.read_text())["run"]["frame"] == written[-1]["frame"]
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.slow
def test_the_second_signal_ends_at_once(clip: Path, options: list[object], tmp_path: Path) -> None:
    with started(clip, *options) as run:
        wait_for(writing(tmp_path))
        code, errors = end(run, signal.SIGINT, signal.SIGINT)
    assert (code, errors) == (130, "")
    video = next(path for path in tmp_path.glob("out*.mp4") if path.stat().st_size)
    assert 0 < pictures(video) < FRAMES


@pytest.mark.slow
def test_kill_leaves_video_and_state_that_can_be_used(
    clip: Path, options: list[object], tmp_path: Path
) -> None:
    state = tmp_path / "run.json"
    with started(clip, *options, "--state", state, "--state-every", 0.2) as run:
        wait_for(lambda: writing(tmp_path)() and state.exists())
        assert end(run, signal.SIGKILL)[0] == -signal.SIGKILL
    at = json.loads(state.read_text())["run"]["frame"]
    assert pictures(tmp_path / "out.part.mp4") > 0
    tables = ["--no-save", "--save-json", tmp_path / "rest.jsonl", "--max-frames", at + 4]
    with started(clip, *options[:4], *tables, "--state", state, "--resume") as run:
        _, errors = run.communicate(timeout=PATIENCE_S)
        assert run.returncode == 0
        assert errors.endswith("contains what a killed run had recorded\n") and errors.count("\n") == 1
    rest = [json.loads(line)["frame"] for line in (tmp_path / "rest.jsonl").read_text().splitlines()]
    assert rest == [at + 1, at + 2, at + 3]


@pytest.mark.slow
def test_a_source_that_never_answers(options: list[object], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"rtsp://user:secret@127.0.0.1:{server.getsockname()[1]}/stream"
        with started(address, *options) as run:
            connection, _ = server.accept()
            with connection:
                code, errors = end(run, signal.SIGTERM)
    assert code == 143
    assert "secret" not in errors and "Traceback" not in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_while_the_model_is_loaded(clip: Path, options: list[object], tmp_path: Path) -> None:
    with started(clip, *options) as run:
        time.sleep(1.0)  # imports, model: nothing is written yet, or nearly
        code, errors = end(run, signal.SIGTERM)
    assert (code, errors) in ((143, ""), (-signal.SIGTERM, ""))  # the latter before Python was ready
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.slow
def test_a_camera_that_runs(options: list[object], tmp_path: Path) -> None:
    state = tmp_path / "run.json"
    keeping = ["--state", state, "--state-every", 0.2]
    with RtspServer(stamped, fps=10) as server, started(server.url, *options, *keeping) as run:
        wait_for(lambda: writing(tmp_path)() and state.exists())
        code, errors = end(run, signal.SIGTERM)
    assert code == 143
    assert "Traceback" not in errors
    assert pictures(tmp_path / "out.mp4") > 0
    assert json.loads(state.read_text())["run"]["live"] is True


@pytest.mark.slow
def test_several_cameras_of_which_one_is_dead(options: list[object], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with RtspServer(stamped, fps=10) as one, RtspServer(stamped, fps=10) as two:
        sources = [one.url, two.url, "rtsp://127.0.0.1:1/dead"]
        with started(*sources, *options[:4], "-o", folder) as run:
            wait_for(lambda: len([p for p in folder.glob("*.part.mp4") if p.stat().st_size > 1000]) == 2)
            code, errors = end(run, signal.SIGTERM)
    assert code == 143
    assert "Traceback" not in errors
    assert len(list(folder.iterdir())) == 2
    for path in folder.iterdir():
        assert path.name.endswith("_cam_output.mp4") and pictures(path) > 0


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person who stands in every frame of the clip."""
    path = tmp_path_factory.mktemp("tables") / "tracks.csv"
    head = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id"
    rows = [f"{n},{n / 25:.6f},40,20,60,60,0,person,0.9,1" for n in range(FRAMES)]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_replay_ends_in_order_too(clip: Path, table: Path, tmp_path: Path, number: int, code: int) -> None:
    written = ["-o", tmp_path / "out.mp4", "--save-csv", tmp_path / "t.csv", "--plugin", "route"]
    with started("replay", table, "--video", clip, *written) as run:
        wait_for(writing(tmp_path))
        assert end(run, number) == (code, "")
    frames = len({line.split(",")[0] for line in (tmp_path / "t.csv").read_text().splitlines()[1:]})
    assert 0 < frames < FRAMES
    assert pictures(tmp_path / "out.mp4") == frames
    assert (tmp_path / "out_routes.json").exists()
    assert not list(tmp_path.glob("*.part*"))
