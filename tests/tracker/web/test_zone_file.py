"""The zone file is changed by others, too: by hand while a run goes on, wrongly, for several sources."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.tracker.web.stage import opened
from tracker.options import Options
from tracker.run.listed import find_runs
from tracker.types import Scene
from tracker.web import drawn
from tracker.web.about import about
from tracker.web.beside import Beside
from tracker.web.server import Where
from tracker.web.station import Station
from tracker.web.workers import Workers

LINE = {"kind": "line", "name": "middle", "points": [[160, 0], [160, 240]]}
BROKEN = "lines:\n  - name: middle\n    points: [[1,\n"
TEXT = "size: [320, 240]\nlines:\n  - {name: middle, points: [[160, 0], [160, 240]]}\n"


def names(station: Station) -> list[str]:
    return [each["name"] for each in station.counting.shapes()["shapes"]]


@pytest.fixture
def still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    """A source at which nothing runs; who writes its file by hand has finished at once."""
    monkeypatch.setattr(drawn, "SETTLED_S", 0.0)
    station = Station(1, "door", True, tmp_path / "zones.yaml")
    station.counting.scene = Scene("door", (320, 240), 25.0, True, {0: "person"})
    return station


def test_what_is_written_by_hand_is_shown_and_other_pages_are_told(still: Station) -> None:
    still.zones.write_text(TEXT, encoding="utf-8")
    version = still.counting.shapes()["version"]
    (key,) = (each["id"] for each in still.counting.shapes()["shapes"])
    still.zones.write_text(TEXT.replace("160, 0", "100, 0"), encoding="utf-8")
    with pytest.raises(drawn.ConflictError):
        still.counting.put([LINE], version)
    (shape,) = still.counting.shapes()["shapes"]
    assert (shape["id"], shape["points"][0]) == (key, [100, 0])
    assert still.counting.version != version


@pytest.mark.parametrize(
    "content", [BROKEN.encode(), b"\xff\xfe", TEXT.replace("160, 240", "160, 9999").encode()]
)
def test_a_file_that_is_wrong_is_told_and_can_go_back(still: Station, content: bytes) -> None:
    still.counting.put([LINE], still.counting.shapes()["version"])
    still.counting.put([{**LINE, "name": "second"}], still.counting.shapes()["version"])
    still.zones.write_bytes(content)
    with pytest.raises(drawn.BrokenFileError, match=r"zones\.yaml") as error:
        still.counting.shapes()
    assert "zones.yaml" in about(still)["problem"]
    with pytest.raises(drawn.OptionError):
        still.counting.put([LINE], error.value.version)
    assert still.zones.read_bytes() == content  # nothing is written over what somebody is writing
    (earlier,) = error.value.versions
    still.counting.bring_back(earlier, error.value.version)
    assert (names(still), about(still)["problem"]) == (["middle"], "")
    assert any(path.read_bytes() == content for path in still.zones.parent.glob(".zones*/*.yaml"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of this system have no name")
def test_a_pipe_or_a_device_is_told_and_not_waited_for(still: Station) -> None:
    os.mkfifo(still.zones)
    with pytest.raises(drawn.BrokenFileError, match="device or a pipe"):
        still.counting.shapes()
    still.zones.unlink()
    still.zones.write_bytes(b"#" * (2 << 20))
    with pytest.raises(drawn.BrokenFileError, match="larger than 1 MB"):
        still.counting.shapes()


def test_who_is_still_writing_is_waited_for(still: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    still.counting.put([LINE], still.counting.shapes()["version"])
    monkeypatch.setattr(drawn, "SETTLED_S", 3600.0)
    still.zones.unlink()
    assert names(still) == ["middle"]
    monkeypatch.setattr(drawn, "SETTLED_S", 0.0)
    assert names(still) == []


@pytest.mark.slow
def test_what_is_written_by_hand_is_counted(tmp_path: Path) -> None:
    with opened(tmp_path, fps=50.0) as page:
        cookie, station = page.enter(), page.stations[0]
        page.put([LINE], cookie)
        with page.listen(cookie) as talk:
            talk.send(json.dumps({"watch": [{"source": 1}]}))
            text = station.zones.read_text(encoding="utf-8")
            station.zones.write_text(text.replace("middle", "by hand"), encoding="utf-8")
            page.wait(lambda: [each["name"] for each in station.counting.totals] == ["by hand"], 5)
            station.zones.write_text(BROKEN, encoding="utf-8")
            page.wait(lambda: about(station)["problem"], 5)
            assert [each["name"] for each in station.counting.totals] == ["by hand"]
        status, _, told = page.ask("GET", "/api/sources/1/shapes", cookie=cookie)
        answer = json.loads(told)
        assert (status, len(answer["versions"])) == (422, 0)
        assert "door_zones.yaml:" in answer["error"]


@pytest.mark.parametrize("link", [False, True])
def test_one_file_for_several_sources_is_changed_on_no_road(tmp_path: Path, link: bool) -> None:
    both, other = tmp_path / "both.yaml", tmp_path / ("other.yaml" if link else "both.yaml")
    both.write_text(TEXT, encoding="utf-8")
    if link:
        other.symlink_to(both)
    listed = tmp_path / "two.streams"
    uris = ("rtsp://127.0.0.1:9/a", "rtsp://127.0.0.1:9/b")
    listed.write_text(f"a={uris[0]} zones={both}\nb={uris[1]} zones={other}\n", encoding="utf-8")
    roads = [
        Workers(find_runs([str(listed)]), Options(), tmp_path).stations,
        stations_beside([str(listed)], Options()),
    ]
    if not link:
        options = Options(zones=str(both))
        roads += [Workers(find_runs(uris), options, tmp_path).stations, stations_beside(uris, options)]
    for stations in roads:
        for station in stations:
            assert not about(station)["may"]["edit"]
            assert "2 sources" in about(station)["fixed_because"]
            station.counting.scene = Scene("a", (320, 240), 25.0, True, {})
            with pytest.raises(drawn.ConflictError, match="2 sources"):
                station.counting.put([LINE], station.counting.shapes()["version"])
    for stations in (
        Workers(find_runs(uris), Options(), tmp_path).stations,
        stations_beside(uris, Options()),
    ):
        assert all(about(station)["may"]["edit"] for station in stations)


def stations_beside(sources: tuple[str, ...] | list[str], options: Options) -> list[Station]:
    page = Beside(sources, options, Where(port=0), print)
    page._server.history.close()
    return [*page._stations.values()]


def test_what_was_drawn_beside_several_sources_is_counted_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a_zones.yaml").write_text(TEXT, encoding="utf-8")
    page = Beside(["a.mp4", "b.mp4"], Options(), Where(port=0), print)
    page._server.history.close()
    assert page.zones == {"a": "a_zones.yaml"}


def test_what_movements_name_cannot_be_removed(still: Station) -> None:
    text = TEXT + "zones:\n  - {name: hall, points: [[0, 0], [9, 0], [9, 9]]}\n"
    still.zones.write_text(text + "movements:\n  - {name: m, sections: [middle, hall]}\n", encoding="utf-8")
    before = still.zones.read_text(encoding="utf-8")
    with pytest.raises(drawn.ShapeError, match="no line or zone is called"):
        still.counting.put([], still.counting.shapes()["version"])
    assert still.zones.read_text(encoding="utf-8") == before
