"""torchvision may be missing or, as where torch is of another build, fail when it is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracker.videos import write_video

RUN = """
import runpy, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "torchvision":
            raise {error}
sys.meta_path.insert(0, Finder)
sys.argv = ["track", *{arguments!r}]
runpy.run_module("tracker", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "openvino"])
@pytest.mark.parametrize(
    "error",
    [
        "RuntimeError('operator torchvision::nms does not exist')",
        "ModuleNotFoundError('No module named torchvision', name='torchvision')",
    ],
)
def test_a_run_needs_none(backend: str, error: str, untrained: Path, tmp_path: Path) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    clip, table = write_video(tmp_path / "clip.mp4", 8), tmp_path / "out.csv"
    arguments = [str(clip), "--weights", str(untrained), "--backend", backend, "--imgsz", "64"]
    arguments += ["--conf", "0.1", "--no-save", "--save-csv", str(table)]
    script = RUN.format(error=error, arguments=arguments)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(table.read_text(encoding="utf-8").splitlines()) > 1
