"""COCO and CVAT files are made of a journal that grows beside them, so that no kill costs what was found."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections, Tracks
from bytetrack.masks import Crop, Masks
from tests.quick import examples
from tests.tracker.videos import picture
from tracker.sinks import CocoSink, CvatSink, cvat
from tracker.sinks.journal import JournalFile
from tracker.sinks.whole_file import WholeFileSink, rescue
from tracker.types import Frame, OptionError, OutputError, Result, Scene

FRAMES = 9
HERE = {0: (1, 7), 1: (1, 7), 2: (7,), 3: (7,), 4: (1, 7), 5: (1,), 6: (), 7: (3,), 8: (3,)}  # ids by frame
SINKS = {"out.json": CocoSink, "out.xml": CvatSink}


def scene(kind: str = "detect", *, live: bool = False) -> Scene:
    return Scene("clip <1>.mp4", (64, 48), 10.0, live, {0: "person", 2: 'lorry, "big"'}, kind=kind)


def result(index: int, kind: str = "detect", step: int = 1) -> Result:
    """Return the tracks of `HERE`; the mask, keypoints or turned box of 7 are only supposed in frame 3."""
    ids = np.array(HERE[index], int)
    count = len(ids)
    boxes = np.array([[2.0 + index + k, 5, 12 + index + k, 25] for k in ids]).reshape(-1, 4)
    source = np.array([-1 if (index, k) == (3, 7) else row for row, k in enumerate(ids)], int)
    shapes: dict[str, object] = {}
    if kind == "segment":
        inside = np.ones((20, 10), bool)
        inside[:3, :3] = False
        shapes["masks"] = Masks.of([Crop(int(box[0]), 5, inside) for box in boxes], (48, 64))
    elif kind == "pose":
        points = np.full((count, 3, 3), 0.9)
        points[:, 2, 2] = 0.2
        points[:, 1] = 0
        points[:, :, :2] += boxes[:, None, :2]
        shapes["keypoints"] = points
    elif kind == "obb":
        turned = [[(a + c) / 2, 15, 10, 20, -0.25] for a, _, c, _ in boxes]
        shapes["rotated"] = np.array(turned).reshape(-1, 5)
    frame = Frame(picture(index), step * index, step * index / 10)
    tracks = Tracks(ids, boxes, np.full(count, 0.9), ids // 7 * 2, source, **shapes)  # type: ignore[arg-type]
    return Result(frame, Detections.empty(), tracks)


def written(path: Path, frames: range = range(FRAMES), kind: str = "detect", step: int = 1) -> bytes:
    """Return what a run that nothing disturbs writes."""
    with SINKS[path.name](path, scene(kind), overwrite=True) as sink:
        for index in frames:
            sink.write(result(index, kind, step))
    return path.read_bytes()


def killed(path: Path, frames: range, after: range = range(0)) -> tuple[WholeFileSink, object]:
    """Return a sink that is never left, with its state of before it wrote the frames ``after``."""
    sink = SINKS[path.name](path, scene())
    sink.__enter__()
    for index in frames:
        sink.write(result(index))
    state = sink.state()
    for index in after:
        sink.write(result(index))
    die(sink)
    return sink, state


def die(sink: WholeFileSink) -> None:
    """Leave on the disk what is in the file after a second, and no open file."""
    assert sink._journal is not None
    sink._journal.flush()
    assert sink._journal._file is not None
    sink._journal._file.close()


def frames_of(path: Path) -> set[int]:
    if path.suffix == ".json":
        return {image["id"] for image in json.loads(path.read_text("utf-8"))["images"]}
    return {int(e.get("frame", "")) for e in ElementTree.parse(path).iter("box") if e.get("outside") == "0"}


@pytest.fixture(params=SINKS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


class TestAKill:
    def test_leaves_what_the_next_run_makes_whole(self, path: Path) -> None:
        killed(path, range(6))
        assert not path.exists()
        part = path.with_stem("out.part")
        with SINKS[path.name](path, scene()) as sink:
            assert frames_of(part) == set(range(6))
            assert str(part) in sink.warnings[0]
            sink.write(result(8))
        assert frames_of(path) == {8} and sorted(path.parent.iterdir()) == sorted([path, part])

    def test_of_a_run_that_had_seen_nothing_leaves_nothing(self, path: Path) -> None:
        killed(path, range(0))
        with SINKS[path.name](path, scene()):
            pass
        assert not [*path.parent.iterdir()]

    def test_at_any_byte_leaves_the_lines_before(self, path: Path, tmp_path: Path) -> None:
        sink, _ = killed(path, range(FRAMES))
        assert sink.journal is not None
        whole = sink.journal.read_bytes()
        cut = tmp_path / "cut"
        for length in {*range(whole.index(b"\n") + 1, len(whole), 97), len(whole)}:
            cut.write_bytes(whole[:length] + b"\0" * (length % 3))
            text = "".join(sink.whole(JournalFile(cut)))
            shown = tmp_path / f"shown{path.suffix}"
            shown.write_text(text, "utf-8")
            assert frames_of(shown) <= set(range(FRAMES))

    @pytest.mark.parametrize("seen", [0, 1, 3, FRAMES])
    @pytest.mark.parametrize("more", [0, 2])
    def test_is_gone_on_from_as_if_it_had_not_been(self, path: Path, seen: int, more: int) -> None:
        expected = written(path)
        path.unlink()
        _, state = killed(path, range(seen), range(seen, min(seen + more, FRAMES)))
        again = SINKS[path.name](path, scene())
        again.restore(state, True)  # type: ignore[arg-type]
        with again:
            for index in range(seen, FRAMES):
                again.write(result(index))
        assert path.read_bytes() == expected and [*path.parent.iterdir()] == [path]

    def test_is_moved_into_place_where_nothing_goes_on(self, path: Path) -> None:
        sink, state = killed(path, range(4))
        assert rescue(type(sink), state) == path  # type: ignore[arg-type]
        assert frames_of(path) == set(range(4)) and [*path.parent.iterdir()] == [path]
        assert rescue(type(sink), state) is None  # type: ignore[arg-type]

    def test_leaves_what_is_anothers(self, path: Path) -> None:
        sink, state = killed(path, range(4))
        assert sink.journal is not None
        sink.journal.unlink()
        sink.journal.write_text("mine\n")
        assert rescue(type(sink), state) is None  # type: ignore[arg-type]
        again = SINKS[path.name](path, scene())
        again.restore(state, True)  # type: ignore[arg-type]
        with again:
            again.write(result(5))
        assert "a new one starts" in again.warnings[0] and frames_of(path) == {5}
        assert sink.journal.read_text() == "mine\n"

    def test_of_another_run_is_not_gone_on_from(self, path: Path) -> None:
        _, state = killed(path, range(3))
        killed(path, range(4, FRAMES))
        later = path.with_stem("out.part2")
        later.replace(path.with_stem("out.part"))
        again = SINKS[path.name](path, scene())
        again.restore(state, True)  # type: ignore[arg-type]
        with pytest.raises(OptionError, match="is not the table"), again:
            pass


class TestAnInterruptedRun:
    """One with ``--state``: its file is whole, and its journal waits for the run to go on."""

    @pytest.fixture
    def state(self, path: Path) -> object:
        with SINKS[path.name](path, scene()) as sink:
            for index in range(4):
                sink.write(result(index))
            state = sink.state()
            sink.finish([], interrupted=True)
        assert frames_of(path) == set(range(4)) and path.with_stem("out.part").exists()
        return state

    def go_on(self, path: Path, state: object, frames: range) -> WholeFileSink:
        sink = SINKS[path.name](path, scene())
        sink.restore(state, True)  # type: ignore[arg-type]
        with sink:
            for index in frames:
                sink.write(result(index))
            sink.finish([])
            sink.state()
        return sink

    def test_replaces_its_file_at_the_end(self, path: Path, state: object) -> None:
        assert self.go_on(path, state, range(4, FRAMES)).files == [path]
        assert [*path.parent.iterdir()] == [path] and path.read_bytes() == written(path)

    def test_keeps_a_file_that_was_corrected_since(self, path: Path, state: object) -> None:
        corrected = path.read_text("utf-8").replace("person", "ghost")
        path.write_text(corrected, "utf-8")
        assert self.go_on(path, state, range(4, FRAMES)).files == [path.with_stem("out-2")]
        assert path.read_text("utf-8") == corrected
        assert path.with_stem("out-2").read_bytes() == written(path)

    def test_knows_its_file_again_after_a_kill(self, path: Path, state: object) -> None:
        sink = SINKS[path.name](path, scene())
        sink.restore(state, True)  # type: ignore[arg-type]
        sink.__enter__()
        sink.write(result(4))
        later = sink.state()
        die(sink)
        assert self.go_on(path, later, range(5, FRAMES)).files == [path]
        assert path.read_bytes() == written(path)

    def test_is_not_told_twice_where_nothing_goes_on(self, path: Path, state: object) -> None:
        assert rescue(SINKS[path.name], state) is None  # type: ignore[arg-type]
        assert [*path.parent.iterdir()] == [path]


def test_a_live_source_leaves_no_journal(path: Path) -> None:
    with SINKS[path.name](path, scene(live=True)) as sink:
        sink.write(result(0))
        assert sink.state()
    assert [*path.parent.iterdir()] == [path]


def test_a_full_disk_keeps_the_journal_and_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part, full = path.with_stem("out.part"), path.with_name("full")
    full.symlink_to("/dev/full")
    with (
        pytest.raises(OutputError, match=r"the disk is full; out\.part\.\w+ keeps what was found"),
        SINKS[path.name](path, scene()) as sink,
    ):
        sink.write(result(0))
        monkeypatch.setattr("tracker.sinks.output_file.create_temporary", lambda _: full)
    monkeypatch.undo()
    assert [*path.parent.iterdir()] == [part]
    with SINKS[path.name](path, scene()):
        pass
    assert frames_of(part) == {0}


def test_a_disk_that_is_full_at_the_beginning_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = path.with_name("full")
    full.symlink_to("/dev/full")
    monkeypatch.setattr("tracker.sinks.output_file.create_temporary", lambda _: full)
    with (
        pytest.raises(OutputError, match="the disk is full; free space, or use -o"),
        SINKS[path.name](path, scene()),
    ):
        pass
    assert not [*path.parent.iterdir()]


def elements(path: Path, kind: str, step: int = 1) -> dict[str, list[ElementTree.Element]]:
    written(path, kind=kind, step=step)
    return {track.get("id", ""): list(track) for track in ElementTree.parse(path).iter("track")}


@pytest.mark.parametrize("kind", ["detect", "segment", "pose", "obb"])
@pytest.mark.parametrize("step", [1, 3])
class TestWhatCvatReads:
    def test_a_gap_is_outside_from_its_first_frame(self, kind: str, step: int, tmp_path: Path) -> None:
        tracks = elements(tmp_path / "out.xml", kind, step)

        def told(track: str) -> list[tuple[int, bool]]:
            return [(int(e.get("frame", "")) // step, hidden(e)) for e in tracks[track]]

        def hidden(element: ElementTree.Element) -> bool:
            parts = [*element] or [element]
            return all(part.get("outside") == "1" for part in parts)

        assert told("1") == [(0, False), (1, False), (2, True), (4, False), (5, False), (6, True)]
        supposed = [(3, False)] if kind in ("detect", "obb") else []
        assert told("7") == [(0, False), (1, False), (2, False), *supposed, (4, False), (5, True)]
        assert told("3") == [(7, False), (8, False)]

    def test_a_track_has_shapes_of_one_sort(self, kind: str, step: int, tmp_path: Path) -> None:
        sort = {"segment": "polygon", "pose": "skeleton"}.get(kind, "box")
        assert {e.tag for track in elements(tmp_path / "out.xml", kind, step).values() for e in track} == {
            sort
        }


def test_a_box_that_is_only_supposed_is_occluded(tmp_path: Path) -> None:
    told = {e.get("frame"): e.get("occluded") for e in elements(tmp_path / "out.xml", "detect")["7"]}
    assert told == {"0": "0", "1": "0", "2": "0", "3": "1", "4": "0", "5": "0"}


def test_points_of_a_skeleton_say_how_sure_they_are_and_labels_name_them(tmp_path: Path) -> None:
    first = elements(tmp_path / "out.xml", "pose")["1"][0]
    assert [point.get("label") for point in first] == ["1", "2", "3"]
    assert [point.get("outside") for point in first] == ["0", "1", "0"]
    assert [point.get("occluded") for point in first] == ["0", "1", "1"]
    labels = ElementTree.parse(tmp_path / "out.xml").findall(".//label")
    told = [(e.findtext("name"), e.findtext("type"), e.findtext("parent")) for e in labels]
    assert told[:2] == [("person", "skeleton", None), ('lorry, "big"', "skeleton", None)]
    assert told[2:] == [(p, "points", name) for name in ("person", 'lorry, "big"') for p in "123"]


def test_degrees_are_clockwise_from_0_to_360(tmp_path: Path) -> None:
    box = elements(tmp_path / "out.xml", "obb")["1"][0]
    assert float(box.get("rotation", "")) == pytest.approx(360 - np.degrees(0.25), abs=0.01)


@given(batch=st.integers(1, 3000))
@examples(30)
def test_however_much_fits_into_memory_the_file_is_the_same(batch: int) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder, "out.xml")
        expected = written(path)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cvat, "BATCH_BYTES", batch)
            assert written(path) == expected
