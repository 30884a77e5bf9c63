"""When a file was recorded: with its time zone, and no junk."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

from tracker.commands.replay import command
from tracker.sources import open_source
from tracker.sources.recorded import recorded
from tracker.types import Scene

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()
NOON = datetime(2023, 8, 12, 12, 33, 5, tzinfo=timezone.utc).timestamp()


def make(path: Path, **tags: str) -> Path:
    with av.open(
        str(path), "w", options={"movflags": "use_metadata_tags"} if path.suffix != ".mkv" else {}
    ) as f:
        f.metadata.update(tags)
        stream = f.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for n in range(20):
            image = np.full((48, 64, 3), 10 * n, np.uint8)
            f.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        f.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("tags", "offset_s"),
    [
        ({"com.apple.quicktime.creationdate": "2023-08-12T14:33:05+0200"}, 7200),
        ({"com.apple.quicktime.creationdate": "2023-08-12T18:03:05+05:30"}, 19800),
        ({"com.apple.quicktime.creationdate": "2023-08-12T08:33:05-0400"}, -14400),
        ({"creation_time": "2023-08-12T12:33:05.000000Z"}, None),
        ({"creation_time": "2023-08-12T12:33:05Z", "date": "2019"}, None),
        ({"creation_time": "2023-08-12 12:33:05+00:00"}, None),
        ({"Creation_Time": "2023-08-12T12:33:05.000000Z"}, None),
        ({"date": "2023-08-12T14:33:05+0200"}, 7200),
        (
            {
                "creation_time": "2023-08-12T12:40:00.000000Z",  # when it was exported
                "com.apple.quicktime.creationdate": "2023-08-12T14:33:05+0200",
            },
            7200,
        ),
        (
            {
                "com.apple.quicktime.creationdate": "1970-01-01T00:00:00+0200",
                "creation_time": "2023-08-12T12:33:05Z",
            },
            None,
        ),
    ],
)
def test_the_time_that_a_container_tells_is_taken(tags: dict[str, str], offset_s: float | None) -> None:
    found = recorded({}, tags, now=NOW)
    assert found is not None
    assert found.start_wall == pytest.approx(NOON)
    assert found.utc_offset_s == offset_s


@pytest.mark.parametrize(
    "text",
    [
        *("1904-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z", "1970-01-01T01:02:03Z"),
        *("1980-01-01T00:00:13Z", "2000-01-01T00:00:00Z", "2001-01-01T00:10:00+0100", "2036-02-06T06:28:15Z"),
        *("2026-02-03T00:00:00Z", "0000-00-00T00:00:00Z", "0001-01-01T00:00:00", "9999-12-31T23:59:59-0700"),
        *(
            "",
            "2023",
            "2023-08-12",
            "yesterday",
            "12:33:05",
            "2023-13-40T25:61:61Z",
        ),
    ],
)
def test_junk_is_not(text: str) -> None:
    for tag in ("creation_time", "com.apple.quicktime.creationdate", "date"):
        assert recorded({tag: text}, now=NOW) is None


def test_a_date_without_a_zone_is_this_machines() -> None:
    found = recorded({"date": "2023-08-12 14:33:05"}, now=NOW)
    assert found is not None
    assert found.start_wall == datetime(2023, 8, 12, 14, 33, 5).astimezone().timestamp()


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_files_tell_and_one_that_does_not_is_silent(tmp_path: Path, name: str) -> None:
    with open_source(make(tmp_path / name, creation_time="2023-08-12T12:33:05.000000Z")) as source:
        assert source.recorded is not None
        assert source.recorded.start_wall == pytest.approx(NOON)
    with open_source(make(tmp_path / f"silent_{name}")) as source:
        assert source.recorded is None


@pytest.mark.slow
def test_counts_are_told_by_the_clock_of_the_place(tmp_path: Path) -> None:
    clip = make(tmp_path / "a.mov", **{"com.apple.quicktime.creationdate": "2023-08-12T14:33:05+0200"})
    table = tmp_path / "tracks.csv"
    rows = ["frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id"]
    rows += [f"{n},{n / 10},{3 * n},10,{3 * n + 8},30,0,person,0.9,1" for n in range(20)]
    table.write_text("\n".join(rows) + "\n")
    words = ["--video", str(clip), "--line", "door=30,0 30,48", "--counts", str(tmp_path / "c.csv"), "-q"]
    done = CliRunner().invoke(command, [str(table), *words])
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert "2023-08-12T14:33:05.000+02:00,door,in,person,1," in lines[1]
    assert lines[2].endswith("door,out,person,0,0")


def test_the_clock_of_a_scene_is_that_of_the_place() -> None:
    scene = Scene("a", (64, 48), 10, False, {}, start_wall=NOON, utc_offset_s=-16200.0)
    wall = scene.wall(1.5)
    assert wall is not None
    assert wall.isoformat() == "2023-08-12T08:03:06.500000-04:30"
