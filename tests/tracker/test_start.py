"""The first moments of the real command: what is closed, and Ctrl-C before anything has begun."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tracker.videos import write_video

# Ctrl-C comes while a module is imported: Python then raises KeyboardInterrupt from within the import.
INTERRUPTED = """
import runpy, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == {name!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder)
sys.argv = ["track", *{arguments!r}]
runpy.run_module("tracker", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", 8)


@pytest.fixture
def arguments(clip: Path, weights: Path, tmp_path: Path) -> list[str]:
    csv = tmp_path / "out.csv"
    return [str(clip), "--no-save", "--weights", str(weights), "--imgsz", "64", "--save-csv", str(csv)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["tracker.cli", "click", "tracker.options", "numpy", "cv2", "av", "openvino", "tracker.run.session"],
)
def test_ctrl_c_during_an_import_says_nothing(name: str, arguments: list[str], tmp_path: Path) -> None:
    script = INTERRUPTED.format(name=name, arguments=arguments)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert (ran.returncode, ran.stdout, ran.stderr.strip()) == (130, "", "")  # an empty line ends ^C


def closed(*numbers: int) -> Callable[[], None]:
    """Return what a child does before it becomes ``track``: ``2>&-`` of a shell."""

    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as a Unix shell does")
@pytest.mark.parametrize("numbers", [(2,), (1,), (0,), (0, 1, 2)])
def test_a_run_goes_on_without_standard_streams(
    numbers: tuple[int, ...], arguments: list[str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tracker", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, preexec_fn=closed(*numbers))
    assert ran.returncode == 0, ran.stderr
    assert ("frames" in ran.stdout) == (1 not in numbers)
    assert ran.stderr == ""
    table = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert table[0].startswith("frame,time_s,x_min")
    assert all(row.count(",") == table[0].count(",") for row in table)  # nobody else wrote into it


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as a Unix shell does")
def test_a_mistake_without_stderr_is_only_an_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tracker", str(tmp_path / "none.mp4")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, preexec_fn=closed(2))
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", "")


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    "command", ["", "demo", "export", "replay", "zones", "zones check", "eval", "compare"]
)
def test_every_command_answers_h(command: str) -> None:
    outputs = []
    for flag in ("-h", "--help"):
        line = [sys.executable, "-m", "tracker", *command.split(), flag]
        ran = subprocess.run(line, capture_output=True, text=True, timeout=100)
        assert ran.returncode == 0, ran.stderr
        outputs.append(ran.stdout)
    assert outputs[0] == outputs[1] != ""
    assert "-h, --help" in outputs[0]


@pytest.mark.slow_after(1)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("word", ["--help", "--version"])
def test_output_that_cannot_be_printed_is_told_in_one_line(word: str) -> None:
    command = [sys.executable, "-m", "tracker", word]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=100)
    assert ran.returncode == 2
    assert ran.stderr.startswith("track: cannot print to the terminal (No space left on device)")
    assert ran.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_mistake_that_cannot_be_told_keeps_its_exit_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tracker", str(tmp_path / "none.mp4")]
    with Path("/dev/full").open("w") as full:
        assert subprocess.run(command, stderr=full, timeout=100).returncode == 2


# What takes long to import (or reaches for the network) and has nothing to do in a plain run with OpenVINO.
NOT_NEEDED = [
    *(
        "torch",
        "torchvision",
        "ultralytics",
        "nncf",
        "onnxruntime",
        "PIL",
        "requests",
        "urllib.request",
        "ssl",
    ),
    *("scipy.optimize", "scipy.linalg", "scipy.sparse", "scipy.spatial", "scipy.stats", "numpy.testing"),
    *("pyarrow", "pandas", "polars", "matplotlib", "yaml", "starlette", "trackeval", "sqlite3", "asyncio"),
    *(
        "tracker.zones.file",
        "tracker.offline.tables",
        "tracker.commands.export",
        "tracker.detectors.torch_yolo",
    ),
]
LOADED = (
    "from tracker.cli import main\nimport atexit, sys\natexit.register(lambda: print(*sys.modules))\nmain()"
)


@pytest.mark.slow
def test_a_plain_run_imports_nothing_that_it_does_not_use(clip: Path, weights: Path, tmp_path: Path) -> None:
    options = ["--weights", str(weights), "--imgsz", "64", "-q", "--overwrite", "--backend", "openvino"]
    command = [sys.executable, "-c", LOADED, str(clip), *options, "-o", str(tmp_path / "out.mp4")]
    for _ in range(2):  # the first may have to convert the weights, for which torch is needed
        ran = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    assert {"numpy", "cv2", "av", "openvino", "tracker.run.session"} <= loaded
    assert loaded.isdisjoint(NOT_NEEDED), sorted(loaded.intersection(NOT_NEEDED))


def test_the_trackers_alone_import_one_function_of_scipy() -> None:
    script = "import bytetrack, sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert "scipy.optimize._lsap" in ran.stdout.split()
    assert set(ran.stdout.split()).isdisjoint(["scipy.optimize", "scipy.linalg", "cv2"])


def test_it_is_the_function_that_scipy_has() -> None:
    import scipy.optimize

    from bytetrack.solver import linear_sum_assignment

    assert linear_sum_assignment is scipy.optimize.linear_sum_assignment
