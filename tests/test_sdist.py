"""The source archive holds everything that the repository does, and its tests run where it is unpacked."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEFT_OUT = {".gitattributes"}
BUILD = "import setuptools.build_meta as b, sys; print(b.build_sdist(sys.argv[1]))"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_in_the_archive_is_the_repository_and_works(tmp_path: Path) -> None:
    if int(importlib.metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("needs setuptools 77 or later to build a distribution")
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a checkout, to know what belongs to the repository")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    checkout = tmp_path / "checkout"  # of its own: building writes into it
    for name in tracked:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    made = subprocess.run(
        [sys.executable, "-c", BUILD, str(tmp_path)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    archive = tmp_path / made.stdout.split()[-1]
    with tarfile.open(archive) as opened:
        inside = {name.partition("/")[2] for name in opened.getnames()}
    subprocess.run([sys.executable, "-m", "tarfile", "-e", archive, tmp_path], check=True)
    assert tracked - inside <= LEFT_OUT, sorted(tracked - inside)

    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir() and path != checkout)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    tests = ["tests/docs", "tests/test_architecture.py", "tests/bytetrack/test_boxes.py", "bytetrack"]
    ran = subprocess.run(
        [*command, *tests],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
