"""Shapes through a whole run: stored, drawn, written in every form, and read again without a loss."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from bytetrack import Detections, Tracks
from bytetrack.masks import Crop, Masks
from bytetrack.rotated import upright
from tests.tracker.videos import picture
from tracker.cli import run as track_command
from tracker.commands.compare import command as compare_command
from tracker.commands.replay import command as replay_command
from tracker.errors import InputError, OptionError
from tracker.offline.saved_detections import SavedDetections
from tracker.sinks import DetectionsSink, VideoSink
from tracker.sinks.shape_text import COLUMNS
from tracker.types import Frame, Result, Scene

SIZE = 160, 96  # width, height
FRAMES = 12
KINDS = ("segment", "pose", "obb")
ABOUT: dict[str, Any] = {
    **{"source": "clip.mp4", "live": False, "size": [*SIZE], "fps": 10.0, "start_wall": None},
    **{"utc_offset_s": None, "length": FRAMES, "names": {"0": "person", "2": "car"}, "classes": None},
    **{"network": "made", "fingerprint": None},
    "selection": {"start": 0.0, "end": None, "vid_stride": 1, "fps": None, "max_frames": None},
}


def _scene(kind: str) -> Scene:
    return Scene("clip.mp4", SIZE, 10.0, False, {0: "person", 2: "car"}, kind=kind)


def found(index: int, kind: str) -> Detections:
    """Return a person that walks to the right, and a car that overlaps it; nothing in frame 5."""
    if index == 5:
        return Detections.empty()
    x = 10 + 4 * index
    boxes = np.array([[x, 20, x + 20, 60], [60, 40, 110, 70]], np.float32)
    score, class_id = np.array([0.9, 0.8], np.float32), np.array([0, 2])
    if kind == "segment":
        person, car = np.ones((40, 20), bool), np.ones((30, 50), bool)
        person[:10, :5] = False
        masks = Masks.of([Crop(x, 20, person), Crop(60, 40, car)], SIZE[::-1])
        return Detections(boxes, score, class_id, masks=masks)
    if kind == "pose":
        points = np.zeros((2, 17, 3), np.float32)
        points[..., 2] = 0.9
        for row, (x1, y1, x2, y2) in enumerate(boxes):
            points[row, :, 0] = np.linspace(x1, x2, 17)
            points[row, :, 1] = np.linspace(y1, y2, 17)
        return Detections(boxes, score, class_id, keypoints=points)
    rotated = np.array([[x + 10, 40, 40, 16, 0.4 + 0.01 * index], [85, 55, 50, 20, -0.3]], np.float32)
    return Detections(upright(rotated).astype(np.float32), score, class_id, rotated=rotated)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a kind of which there are ``clip.mp4`` and ``clip.parquet`` in the current folder."""
    monkeypatch.chdir(tmp_path)
    chosen: str = request.param
    scene = _scene(chosen)
    with (
        VideoSink("clip.mp4", scene, lambda result: result.frame.image) as video,
        DetectionsSink("clip.parquet", scene, ABOUT) as stored,
    ):
        for index in range(FRAMES):
            frame = Frame(picture(index, SIZE), index, index / 10)
            result = Result(frame, found(index, chosen), Tracks.empty())
            video.write(result)
            stored.write(result)
    return chosen


def run(command: Any, *words: str) -> None:
    given = [*words, "--overwrite", "-q"]
    result = CliRunner().invoke(command, given, obj=given, standalone_mode=False, catch_exceptions=False)
    if result.exception:
        raise result.exception


def tables(name: str, kind: str) -> list[str]:
    more = ["--save-mots", f"{name}.mots"] if kind == "segment" else []
    return [
        *("--save-csv", f"{name}.csv", "--save-json", f"{name}.jsonl"),
        *("--save-coco", f"{name}.json", "--save-cvat", f"{name}.xml", *more),
    ]


def test_stored_shapes_come_back(kind: str) -> None:
    saved = SavedDetections(Path("clip.parquet"))
    assert saved.kind == kind
    for stored in saved.stored():
        expected, read = found(stored.frame, kind), stored.detections
        assert read is not None and len(read) == len(expected)
        if kind == "segment" and len(read):
            assert read.masks is not None and expected.masks is not None
            assert read.masks.counts.tolist() == expected.masks.counts.tolist()
        for name in ("keypoints", "rotated"):
            if len(read) and getattr(expected, name) is not None:
                np.testing.assert_array_equal(getattr(read, name), getattr(expected, name))


@pytest.mark.slow_after(1)
def test_every_output_tells_of_shapes_and_a_replay_writes_the_same(kind: str) -> None:
    run(track_command, "clip.mp4", "--detections", "clip.parquet", "-o", "out.mp4", *tables("a", kind))
    run(replay_command, "a.csv", "--video", "clip.mp4", "-o", "again.mp4", *tables("b", kind))
    for part in ("annotations", "images"):
        one, other = (json.loads(Path(name).read_text())[part] for name in ("a.json", "b.json"))
        assert one == other
    for suffix in ("csv", "jsonl", "xml"):
        assert Path(f"a.{suffix}").read_bytes() == Path(f"b.{suffix}").read_bytes(), suffix
    with Path("a.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["tracker_id"]]
    assert len(rows) == 2 * (FRAMES - 1)
    lines = [json.loads(line) for line in Path("a.jsonl").read_text().splitlines()]
    first = found(0, kind)
    coco = json.loads(Path("a.json").read_text())
    assert len(coco["images"]) == FRAMES and len(coco["annotations"]) == len(rows)
    by_id = {(one["image_id"], one["track_id"]): one for one in coco["annotations"]}
    ids = {row["class_name"]: int(row["tracker_id"]) for row in rows}
    person, car = by_id[0, ids["person"]], by_id[0, ids["car"]]
    assert (person["category_id"], car["category_id"]) == (1, 3)
    tree = ElementTree.parse("a.xml")
    drawn = {track.get("label"): list(track) for track in tree.iter("track")}
    shapes = [one for one in drawn["person"] if (one if kind != "pose" else one[0]).get("outside") == "0"]
    assert len(shapes) == FRAMES - 1 and [int(one.get("frame", "")) for one in drawn["person"]][5] == 5
    if kind == "segment":
        assert first.masks is not None
        told = json.loads(rows[0]["segmentation"])
        assert told == lines[0]["tracks"][0]["segmentation"] == person["segmentation"]
        assert Masks.from_coco([told], SIZE[::-1]).area.tolist() == [first.masks.area[0]] == [person["area"]]
        assert Path("a.mots").read_bytes() == Path("b.mots").read_bytes()
        _check_mots(Path("a.mots"))
        assert {one.tag for one in shapes} == {"polygon"}
    elif kind == "pose":
        assert json.loads(rows[0]["keypoints"]) == lines[0]["tracks"][0]["keypoints"]
        assert len(person["keypoints"]) == 51 and person["num_keypoints"] == 17
        assert coco["categories"][0]["keypoints"][0] == "nose"
        assert {one.tag for one in shapes} == {"skeleton"} and len(shapes[0]) == 17
    else:
        told = [float(rows[0][name]) for name in ("x", "y", "w", "h", "angle")]
        np.testing.assert_allclose(told, lines[0]["tracks"][0]["rotated"], atol=1e-6)
        assert len(person["segmentation"][0]) == 8
        assert {one.tag for one in shapes} == {"box"}
        assert abs(float(shapes[0].get("rotation", "0")) - np.degrees(told[4])) < 0.1
    film, plain = (cv2.VideoCapture(name).read()[1] for name in ("out.mp4", "clip.mp4"))
    assert np.abs(film.astype(int) - plain).max() > 60  # something is drawn


def _rows(path: str) -> dict[tuple[str, str], dict[str, str]]:
    with Path(path).open(newline="") as file:
        return {(row["frame"], row["tracker_id"]): row for row in csv.DictReader(file)}


@pytest.mark.slow
def test_refined_tracks_keep_their_shapes_and_a_filled_gap_has_none_but_its_box(kind: str) -> None:
    run(track_command, "clip.mp4", "--detections", "clip.parquet", "--no-save", *tables("a", kind))
    run(
        track_command, "clip.mp4", "--detections", "clip.parquet", "--refine", "--no-save", *tables("b", kind)
    )
    run(replay_command, "a.csv", "--video", "clip.mp4", "--refine", *tables("c", kind))
    plain = _rows("a.csv")
    names = COLUMNS[kind]
    for refined in (_rows("b.csv"), _rows("c.csv")):
        assert len(refined) == 2 * FRAMES
        for key, row in refined.items():
            if kind == "obb":
                box = np.array([[float(row[name]) for name in names]])
                around = [float(row[name]) for name in ("x_min", "y_min", "x_max", "y_max")]
                np.testing.assert_allclose(upright(box)[0], around, atol=0.02)
                expected = 0.4 + 0.01 * int(key[0]) if row["class_name"] == "person" else -0.3
                assert abs(float(row["angle"]) - expected) < 0.01
            else:
                assert [row[name] for name in names] == [
                    plain[key][name] if key in plain else "" for name in names
                ]
    if kind == "segment":
        assert Path("a.mots").read_bytes() == Path("c.mots").read_bytes()


def _check_mots(path: Path) -> None:
    """No pixel belongs to two objects, and all others to the right one."""
    rows = [line.split() for line in path.read_text().splitlines()]
    assert {row[2] for row in rows} == {"1", "2"}
    for frame in {row[0] for row in rows}:
        masks = Masks.from_coco(
            [{"size": [int(row[3]), int(row[4])], "counts": row[5]} for row in rows if row[0] == frame],
            SIZE[::-1],
        )
        assert masks.iou(masks)[0, 1] == 0
        both = found(int(frame) - 1, "segment").masks
        assert both is not None
        assert masks.area.sum() == np.count_nonzero(both.picture(0) | both.picture(1))


@pytest.mark.slow_after(1)
def test_a_comparison_counts_by_shapes_as_a_run_does(kind: str) -> None:
    """The middle of the person's feet comes to x = 64, and the ankles of its skeleton to 73."""
    Path("z.yaml").write_text("lines:\n  - {name: door, points: [[70, 0], [70, 96]], anchor: shape}\n")
    run(replay_command, "clip.parquet", "--zones", "z.yaml", "--events", "a.jsonl")
    crossed = Path("a.jsonl").read_text().count('"line.')
    assert crossed == (1 if kind == "pose" else 0)
    words = ["clip.parquet", "--zones", "z.yaml", "--tracker", "motion", "--json", "-q"]
    told = json.loads(CliRunner().invoke(compare_command, words, catch_exceptions=False).output)["motion"]
    assert int(told["door in"]) + int(told["door out"]) == crossed


def _changed(column: str, value: str) -> None:
    with Path("a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[3][column] = value
    with Path("a.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


BAD = {
    "segment": ("segmentation", '{"size":[96,160],"counts":"@"}', "a mask of one of the ids"),
    "pose": ("keypoints", "[1,2,0.5]", "has 1 keypoints, and the rows before have 17"),
    "obb": ("angle", "45", "radians, at most 6.28, not degrees"),
}


@pytest.mark.slow_after(1)
def test_damaged_shapes_are_refused_in_one_line(kind: str) -> None:
    run(track_command, "clip.mp4", "--detections", "clip.parquet", "--no-save", "--save-csv", "a.csv")
    column, value, told = BAD[kind]
    _changed(column, value)
    with pytest.raises(InputError, match=told) as error:
        run(replay_command, "a.csv", "--video", "clip.mp4", "--save-csv", "b.csv")
    assert "\n" not in str(error.value)


@pytest.mark.slow_after(1)
def test_what_needs_masks_or_keypoints_is_refused_without(kind: str) -> None:
    words = ("clip.mp4", "--detections", "clip.parquet", "--no-save")
    if kind != "segment":
        with pytest.raises(OptionError, match="--save-mots needs masks"):
            run(track_command, *words, "--save-mots", "a.mots")
    for shapes, needed in (("keypoints", "pose"), ("masks", "segment")):
        asked = (*words, "--match-by", shapes, "--save-csv", "a.csv")
        if kind == needed:
            run(track_command, *asked)
            continue
        with pytest.raises(OptionError, match=f"--match-by {shapes} needs -"):
            run(track_command, *asked)
    if kind != "pose":
        with pytest.raises(OptionError, match="--blur face needs -pose weights"):
            run(track_command, *words, "--save-csv", "a.csv", "--blur", "face")
