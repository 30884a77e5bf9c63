"""A camera followed through its files, without a network: days, movements, plugins, new files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars
import pytest

from bytetrack import Detections
from tests.tracker.archive.made_parts import FPS, PROBED, person, write_part
from tests.tracker.archive.world import rows, same_rows
from tests.tracker.plugins.test_loading import install
from tracker.archive import pieces
from tracker.archive.arrivals import Part
from tracker.archive.follow import Follow, Followed, follow
from tracker.archive.recordings import Recording
from tracker.options import Options
from tracker.sources.video_piece import Seams

ZONES = """
lines:
  - {name: west, points: [[20, 0], [20, 48]]}
  - {name: east, points: [[44, 0], [44, 48]]}
zones:
  - {name: middle, points: [[24, 0], [40, 0], [40, 48], [24, 48]]}
movements:
  - {name: through, sections: [west, east]}
"""
FIRST = datetime(2026, 3, 1, 23, 59, 55).timestamp()
LENGTH = 20  # frames of a file, so that the third is cut by midnight
WALK = 46  # pixels to and fro


def record(store: Path, number: int, shift_s: float = 0.0) -> Part:
    """Leave the detections of a file in which somebody walks to and fro; return it."""
    folder = f"detections/camera=gate/file={number}~k"
    walk = []
    for index in range(LENGTH):
        step = 4 * (LENGTH * number + index) % (2 * WALK)
        walk.append((index / FPS, person(4.0 + min(step, 2 * WALK - step))))
    write_part(store / folder / pieces.WHOLE, walk, Seams(None, [], []))
    start = FIRST + number * LENGTH / FPS + shift_s
    return Part(Recording(f"{number}.mp4", f"{number}", start), PROBED, folder, 0)


def run(store: Path, parts: Sequence[Part], **options: object) -> Followed:
    if options.pop("zones", True):
        (store / "zones.yaml").write_text(ZONES)
        options = {"interval": 1.0, "counts": "counts.csv", **options}
    zones = "zones.yaml" if (store / "zones.yaml").exists() else None
    given = Options(**options)  # type: ignore[arg-type]
    return follow(
        Follow("here", "gate", "gate", True, tuple(parts), str(store), given, zones, "settings", lines=True)
    )


def written(store: Path) -> dict[str, bytes]:
    """Return the tables of a store."""
    kinds = ("tracks", "events", "counts", "movements", "csv", "files")
    paths = [path for kind in kinds for path in (store / kind).rglob("*") if path.is_file()]
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(params=["dated", "undated"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    parts = [record(tmp_path, number) for number in range(4)]
    if request.param == "undated":
        parts = [replace(part, recording=replace(part.recording, start_s=None)) for part in parts]
    run(tmp_path, parts)
    return tmp_path


@pytest.mark.slow
def test_tables_are_parquet_with_what_track_writes_and_one_schema(stored: Path, tmp_path: Path) -> None:
    same_rows(stored, "gate")
    for kind in ("tracks", "events", "counts", "movements"):
        assert len(rows(stored, kind, "gate")) > 5
    (tmp_path / "empty").mkdir()
    nobody = record(tmp_path / "empty", 0)
    write_part(
        tmp_path / "empty" / nobody.folder / pieces.WHOLE, [(0.0, Detections.empty())], Seams(None, [], [])
    )
    run(tmp_path / "empty", [nobody])
    for kind in ("tracks", "events", "counts", "movements"):
        here, there = rows(stored, kind, "gate"), rows(tmp_path / "empty", kind, "gate")
        assert here.schema == there.schema, kind
    assert rows(stored, "tracks", "gate").schema["wall_time"] == polars.Datetime("us", "UTC")


@pytest.mark.slow
def test_days_begin_at_midnight_where_it_was_recorded(tmp_path: Path) -> None:
    run(tmp_path, [record(tmp_path, number) for number in range(4)])
    midnight = datetime(2026, 3, 2).timestamp()
    for kind, column in (
        *(("tracks", "wall_time"), ("events", "wall_time")),
        *(("counts", "start"), ("movements", "start")),
    ):
        before, after = [
            polars.read_parquet(
                tmp_path / f"{kind}/camera=gate/day=2026-03-{day:02}/{kind}.parquet", hive_partitioning=False
            )[column]
            for day in (1, 2)
        ]
        assert before.max().timestamp() < midnight <= after.min().timestamp()  # type: ignore[union-attr]
    assert rows(tmp_path, "tracks", "gate")["frame"].to_list() == sorted(
        rows(tmp_path, "tracks", "gate")["frame"].to_list()
    )


@pytest.mark.slow
@pytest.mark.parametrize("begun", [[1], [2, 3]])
def test_a_camera_with_new_files_goes_on_where_it_stood(begun: list[int], tmp_path: Path) -> None:
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    whole.mkdir(), grown.mkdir()
    expected = run(whole, [record(whole, number) for number in range(4)])
    parts = [record(grown, number) for number in range(4)]
    for count in begun:
        run(grown, parts[:count])
        if count > 1:
            (grown / parts[1].folder / pieces.WHOLE).unlink(missing_ok=True)  # it is not read again
    assert run(grown, parts) == replace(
        expected, cpu_s=pytest.approx(0, abs=60), frames=LENGTH * (4 - begun[-1])
    )
    assert written(grown) == written(whole)


@pytest.mark.slow
def test_what_changed_is_followed_from_the_beginning(tmp_path: Path) -> None:
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    whole.mkdir(), grown.mkdir()
    parts = [record(grown, number) for number in range(3)]
    run(grown, parts[1:2])
    assert run(grown, parts).frames == 3 * LENGTH  # a file came before
    (grown / "tracks/camera=gate/day=2026-03-01/tracks.parquet").unlink()
    assert run(grown, [*parts, record(grown, 3)]).frames == 4 * LENGTH
    run(whole, [record(whole, number) for number in range(4)])
    assert written(grown) == written(whole)


@pytest.mark.slow
def test_a_long_gap_ends_tracks_whether_files_come_together_or_not(tmp_path: Path) -> None:
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    whole.mkdir(), grown.mkdir()
    hourly = {"interval": 3600.0}
    run(whole, [record(whole, 0), record(whole, 1, shift_s=90000.0)], **hourly)
    run(grown, [record(grown, 0)], **hourly)
    run(grown, [record(grown, 0), record(grown, 1, shift_s=90000.0)], **hourly)
    assert written(grown) == written(whole)
    days = sorted(path.name for path in (whole / "tracks/camera=gate").iterdir())
    assert days == ["day=2026-03-01", "day=2026-03-03"]


@pytest.mark.slow
def test_what_plugins_leave_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lib").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "lib")
    install(tmp_path / "lib", "lamp:Lamp", LAMP)
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    whole.mkdir(), grown.mkdir()
    for plugin, again in (("lamp", False), ("lamp:lasting=true", True)):
        parts = [record(grown, number) for number in range(2)]
        run(grown, parts[:1], plugin=(plugin,), zones=False)
        frames = run(grown, parts, plugin=(plugin,), zones=False).frames
        assert frames == (1 if again else 2) * LENGTH  # what has no state sees everything again
        assert (grown / "files/camera=gate/camera_lamp.json").read_text() == str(2 * LENGTH)


LAMP = """
from dataclasses import dataclass
from tracker import Plugin

@dataclass
class Lamp(Plugin):
    lasting: bool = False

    def start(self, scene):
        self.seen = 0

    def update(self, frame, tracks):
        self.seen += 1
        return ()

    def leaves(self):
        return ["lamp.json"]

    def files(self):
        return {"lamp.json": self.seen}

    def state(self):
        return {"seen": self.seen} if self.lasting else None

    def restore(self, state, tracks):
        self.seen = state["seen"]
"""
