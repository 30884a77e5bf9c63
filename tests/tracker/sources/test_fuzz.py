"""Damaged files: whatever the bytes are, the process lives, an end comes, and the user learns of it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracker.videos import write_video

ROOT = Path(__file__).parents[3]
COPIES = 200  # of each kind
LIMIT_S = 10  # for one file of two seconds; usual are 10 ms

CHILD = """
import faulthandler, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tracker.sources import open_source
from tracker.types import InputError

faulthandler.enable()
for path in sorted(Path(sys.argv[2]).iterdir()):
    faulthandler.dump_traceback_later(float(sys.argv[3]), exit=True)
    try:
        with open_source(path) as source:
            times = [(frame.index, frame.time) for frame in source]
            assert all(a < b for a, b in zip(times, times[1:])), times
            assert all(a[1] < b[1] for a, b in zip(times, times[1:])), times
            print(path.name, "frames", len(times), "notes", len(source.warnings), flush=True)
    except InputError as error:
        assert "\\n" not in str(error)
        print(path.name, "refused", error, flush=True)
    assert threading.active_count() == 1
"""


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Flip bits, cut the end off, blank a block or overwrite one with noise."""
    damaged = bytearray(data)
    kind = dice.randrange(4)
    if kind == 0:
        for _ in range(dice.choice((1, 8, 64, 512))):
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del damaged[dice.randrange(len(damaged)) :]
    else:
        begin, length = dice.randrange(len(damaged)), dice.choice((4, 64, 1024))
        block = bytes(length) if kind == 2 else dice.randbytes(length)
        damaged[begin : begin + length] = block[: len(damaged) - begin]
    return bytes(damaged)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "libx264"), ("clip.avi", "mpeg4")])
def test_damaged_files_end_in_frames_or_in_one_line(tmp_path: Path, name: str, codec: str) -> None:
    whole = write_video(tmp_path / name, 20, codec=codec, audio="aac" if name.endswith("mp4") else None)
    data, dice = whole.read_bytes(), random.Random(20)
    folder = tmp_path / "damaged"
    folder.mkdir()
    for index in range(COPIES):
        (folder / f"{index:03d}_{name}").write_bytes(mutate(data, dice))
    command = [sys.executable, "-c", CHILD, str(ROOT), str(folder), str(LIMIT_S)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"after {lines[-1:]}: {done.stderr[-2000:]}"
    assert len(lines) == COPIES
    assert sum(" frames " in line for line in lines) > COPIES / 4
    assert sum(" refused " in line for line in lines) > 3
