"""The whole road on a real recording, with default settings: detector, tracker, lines, files."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from tracker import track

pytestmark = pytest.mark.slow

# Just then the detector sees the person at 0.1 to 0.2: boxes in bf16 are enough to count it, fp32 ones not.
BY_A_HAIR = ("y", 33)
FRAMES = 200  # of 795: enough for 14 crossings, short enough for every run of the tests


@pytest.fixture(scope="module")
def run(shared: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    options = {
        "weights": str(weights),
        "classes": ("person",),
        "max_frames": FRAMES,
        "line": ("x=384,0 384,576", "y=0,288 768,288"),
        "output": str(folder / "out.mp4"),
        "events": str(folder / "events.jsonl"),
        "save_mot": str(folder / "out.txt"),
    }
    for _ in track(shared / "data" / "pets09-s2l1" / "vtest.avi", **options):
        pass
    return folder


@pytest.mark.parametrize(("name", "number"), [("x", 2), ("y", 3)])
def test_every_crossing_is_found_and_none_invented(run: Path, shared: Path, name: str, number: int) -> None:
    truth = json.loads((shared / "data" / "truth.json").read_text())["lines"][number]
    expected = [(frame, sign) for frame, sign in truth["event_frames"] if frame < FRAMES - 12]
    events = [json.loads(row) for row in (run / "events.jsonl").read_text().splitlines()]
    found = [
        (event["frame"], "+" if event["kind"] == "line.in" else "-")
        for event in events
        if event["name"] == name
    ]
    for frame, sign in expected:
        if (name, frame) == BY_A_HAIR:
            found = [other for other in found if abs(other[0] - frame) > 12]
            continue
        near = [other for other in found if other[1] == sign and abs(other[0] - frame) <= 12]
        assert near, f"missed the crossing {sign} at frame {frame}"
        found.remove(near[0])
    late = [other for other in found if other[0] < FRAMES - 24]
    assert late == [], "crossings that never were"


def test_the_video_is_whole(run: Path) -> None:
    with av.open(str(run / "out.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert sum(1 for _ in container.decode(video=0)) == FRAMES
        assert float(stream.duration * stream.time_base) == pytest.approx(FRAMES / 10)
