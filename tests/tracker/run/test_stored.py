"""Stored detections: what comes of them is what came of the run that stored them."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import polars
import pytest
from click import UsageError
from click.testing import CliRunner

from bytetrack import Detections, Tracks
from tests.tracker.squares import SquareDetector
from tests.tracker.videos import picture
from tracker import track
from tracker.cli import run as track_command
from tracker.commands.replay import command as replay_command
from tracker.detectors.every_nth import EveryNth
from tracker.detectors.settings import Settings
from tracker.errors import InputError, OptionError, OutputError
from tracker.offline.saved_detections import SavedDetections
from tracker.options import Options
from tracker.sinks import DetectionsSink
from tracker.sinks.detections import VERSION
from tracker.types import Frame, Image, Result, Scene

LINE = "door=80,0 80,96"
SIZE = (160, 96)
SCENE = Scene("clip.mp4", (64, 48), 10.0, False, {0: "person", 2: "car"})


@dataclass
class Squares(SquareDetector):
    """Finds the square in float32 and not on a round number, as a network does, and a doubtful car."""

    features: float | None = None  # as in `Settings`

    def _look(self, image: Image) -> Detections:
        found = super()._look(image)
        if len(found):
            box = found.xyxy[0] + 0.3
            boxes = np.array([box, box + 30], np.float32)
            found = Detections(boxes, np.array([0.7, 0.15], np.float32), np.array([0, 2]))
        if self.features is None:
            return found
        features = np.full((len(found), 4), 0.5, np.float32)
        features[found.score < self.features] = np.nan
        return replace(found, features=features)


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def opened(_: object, settings: Settings, **__: object) -> Any:
        detector = Squares(names={0: "person", 2: "car"}, features=settings.features)
        return detector if settings.every == 1 else EveryNth(detector, settings.every)

    weights = tmp_path / "w.pt"
    weights.write_bytes(b"weights")
    monkeypatch.setattr("tracker.run.build_detector.open_detector", opened)
    monkeypatch.setattr("tracker.run.stored.find_weights", lambda _: weights)
    monkeypatch.chdir(tmp_path)


def clip(name: str = "clip.mkv", *, frames: int = 60, size: tuple[int, int] = SIZE, scale: int = 40) -> Path:
    """Write a square that crosses the picture, is gone for six frames, and a clock that is not even."""
    with av.open(name, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(frames):
            image = np.full((size[1], size[0], 3), 40, np.uint8)
            if not 20 <= index < 26:
                image[20:40, 4 + index * 2 : 24 + index * 2] = 220
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            frame.pts, frame.time_base = index * scale + 7 * (index % 3), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return Path(name)


def run(command: Any, *words: str | Path) -> str:
    given = [*map(str, words), "--overwrite"]
    result = CliRunner().invoke(command, given, obj=given, standalone_mode=False, catch_exceptions=False)
    if result.exception:
        raise result.exception
    return result.output


def tables(name: str) -> list[str | Path]:
    return ["--save-csv", f"{name}.csv", "--events", f"{name}.jsonl", "--line", LINE]


def live(*more: str | Path) -> None:
    run(track_command, "clip.mkv", "--no-save", "--save-detections", "d.parquet", *tables("live"), *more)


@functools.cache
def recorded() -> dict[str, bytes]:
    """Return a clip and the boxes found in it."""
    clip()
    live()
    return {name: Path(name).read_bytes() for name in ("clip.mkv", "d.parquet")}


def same(name: str) -> None:
    for suffix in ("csv", "jsonl"):
        assert Path(f"{name}.{suffix}").read_bytes() == Path(f"live.{suffix}").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [(), ("--refine",), ("--tracker", "sort")], ids=lambda more: " ".join(more) or "plain"
)
def test_all_three_ways_give_the_same_bytes(more: tuple[str, ...]) -> None:
    clip()
    live(*more)
    assert '"line.in"' in Path("live.jsonl").read_text() or '"line.out"' in Path("live.jsonl").read_text()
    run(track_command, "clip.mkv", "--no-save", "--detections", "d.parquet", *tables("again"), *more)
    same("again")
    Path("clip.mkv").unlink()
    run(replay_command, "d.parquet", *tables("replayed"), *more)
    same("replayed")


def test_frames_nobody_looked_at_are_told_from_those_without_boxes() -> None:
    clip()
    live("--detect-every", "4")
    table = polars.read_parquet("d.parquet")
    looked = table.filter("looked")["frame"].unique().to_list()
    assert looked == [*range(0, 60, 4)]
    empty = table.filter(polars.col("looked") & polars.col("class_id").is_null())["frame"].to_list()
    assert empty == [20, 24]
    run(replay_command, "d.parquet", *tables("replayed"))
    same("replayed")


@pytest.mark.slow
def test_every_box_is_kept_as_it_was_found_and_the_file_tells_what_ran() -> None:
    clip()
    live()
    saved = SavedDetections(Path("d.parquet"))
    stored = [*saved.stored()]
    for result, kept in zip(track("clip.mkv"), stored, strict=True):
        assert (kept.frame, kept.time) == (result.frame.index, result.frame.time)
        assert kept.detections is not None
        for name in ("xyxy", "score", "class_id"):
            assert np.array_equal(getattr(kept.detections, name), getattr(result.detections, name))
    assert (saved.size, saved.names, saved.source) == (SIZE, {0: "person", 2: "car"}, "clip.mkv")
    assert saved.frames == 60 and saved.complete
    assert saved.about["weights_sha256"] == hashlib.sha256(b"weights").hexdigest()
    empty = saved.picture()
    assert empty.shape == (96, 160, 3) and empty.max() < 60, "the square is not in the empty scene"


@pytest.mark.slow
def test_threshold_and_classes_are_chosen_again() -> None:
    clip()
    live()
    run(replay_command, "d.parquet", *tables("low"), "--conf", "0.12", "--new-track-thresh", "0.13")
    assert ",car," in Path("low.csv").read_text() and ",car," not in Path("live.csv").read_text()
    run(
        replay_command, "d.parquet", *tables("car"),
        "--conf", "0.12", "--new-track-thresh", "0.13", "--classes", "car",
    )  # fmt: skip
    assert ",car," in Path("car.csv").read_text() and ",person," not in Path("car.csv").read_text()
    live("--classes", "person")
    with pytest.raises(OptionError, match="was saved with --classes person; it has no car"):
        run(replay_command, "d.parquet", "--classes", "car")


@pytest.mark.slow
def test_the_empty_scene_is_the_ground_of_what_is_drawn_without_the_video() -> None:
    clip()
    live()
    run(replay_command, "d.parquet", "-o", "out.mp4", "--plugin", "heatmap")
    with av.open("out.mp4") as container:
        images = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(images) == 60
    assert abs(float(images[22][60:].mean()) - 40) < 6
    assert Path("out_heatmap.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"size": (176, 96)}, "is of a video of 160x96, and other.mkv is 176x96"),
        ({"scale": 80}, "is of a video of about 60 frames, and other.mkv has about 119"),
        (
            {"scale": 80, "frames": 30},
            r"frame 1 is at 0\.047 s, in the video at 0\.087 s: .* of another video",
        ),
        ({"frames": 61}, r"ends with frame 59, and the video goes on; give --end 2\.374 to stop there"),
    ],
    ids=["size", "length", "times", "end"],
)
def test_a_file_of_another_video_is_told_in_one_line(other: dict[str, Any], why: str) -> None:
    clip()
    live()
    clip("other.mkv", **other)
    with pytest.raises(InputError, match=rf"^d\.parquet: {why}$"):
        run(track_command, "other.mkv", "--no-save", "--detections", "d.parquet")


@pytest.mark.slow
def test_another_file_that_may_be_the_same_video_is_a_note() -> None:
    clip()
    live()
    clip("other.mkv", frames=59)
    for name, noted in (("other.mkv", True), ("clip.mkv", False)):
        notes = track(name, detections="d.parquet")
        assert len([*notes]) in (59, 60)
        assert any("is not the file the boxes were found in" in note for note in notes.notes) == noted


@pytest.mark.parametrize(
    "how", ["absent", "empty", "text", "cut", "foreign", "zeros", "newer", "unsorted", "score"]
)
def test_a_damaged_or_foreign_file_is_told_in_one_line(how: str) -> None:
    for name, content in recorded().items():
        Path(name).write_bytes(content)
    path = Path("d.parquet")
    data = path.read_bytes()
    if how == "absent":
        path.unlink()
    elif how in ("empty", "text", "cut", "zeros"):
        middle = data.index(b"PAR1") + 200
        zeros = data[:middle] + bytes(200) + data[middle + 200 :]
        path.write_bytes({"empty": b"", "text": b"frame,x\n", "cut": data[:-200], "zeros": zeros}[how])
    else:
        table, about = polars.read_parquet(path), polars.read_parquet_metadata(path)["track_detections"]
        if how == "newer":
            about = json.dumps({**json.loads(about), "version": VERSION + 1})
        metadata = {} if how == "foreign" else {"track_detections": about}
        table = table.reverse() if how == "unsorted" else table
        if how == "score":
            table = table.with_columns(polars.col("confidence") * 100)
        table.write_parquet(path, metadata=metadata)
    for command, words in ((replay_command, ["d.parquet"]), (track_command, ["clip.mkv", "--no-save"])):
        more = [] if command is replay_command else ["--detections", "d.parquet"]
        with pytest.raises(InputError, match=r"d\.parquet: ") as caught:
            run(command, *words, *more)
        assert "\n" not in str(caught.value)


def test_mot_detections_are_read() -> None:
    clip()
    rows = [f"{n + 1},-1,{4 + n * 2},20,20,20,0.9,-1,-1,-1" for n in range(60) if not 20 <= n < 26]
    Path("det.txt").write_text("\n".join(rows))
    run(track_command, "clip.mkv", "--no-save", "--detections", "det.txt", *tables("mot"))
    text = Path("mot.csv").read_text()
    assert "59,2.3" in text and ",person,0.9000,1" in text
    with pytest.raises(OptionError):
        run(track_command, "clip.mkv", "--no-save", "--detections", "det.txt", "--classes", "car")
    with pytest.raises(InputError, match=r"mot\.csv: has ids, so these are tracks"):
        run(track_command, "clip.mkv", "--no-save", "--detections", "mot.csv")


@pytest.mark.slow
def test_options_that_would_do_nothing_are_refused() -> None:
    for given, why in (
        ({"detections": "d", "imgsz": 320}, "--imgsz is for the detector"),
        ({"detections": "d", "save_detections": "e"}, "would only copy"),
        ({"save_detections": "e", "state": "s"}, "--state"),
        ({"save_detections": "e", "refine": True, "detect_every": 2}, "--detect-every"),
        ({"save_detections": "-"}, "standard output"),
    ):
        with pytest.raises(OptionError, match=why):
            Options(**given)  # type: ignore[arg-type]
    Path("t.csv").write_text("frame,x_min,y_min,x_max,y_max,tracker_id,time_s\n0,1,1,9,9,1,0\n")
    with pytest.raises(UsageError, match="--conf needs detections"):
        run(replay_command, "t.csv", "--line", LINE, "--conf", "0.5", "--size", "20x20")
    clip()
    live()
    with pytest.raises(OptionError, match="--appearance needs pictures"):
        run(replay_command, "d.parquet", "--appearance", "color")
    run(replay_command, "d.parquet", "--appearance", "color", "--video", "clip.mkv", *tables("video"))
    with pytest.raises(OptionError, match="belong to one video"):
        run(track_command, "clip.mkv", "clip.mkv", "--no-save", "--detections", "d.parquet")


def results(count: int) -> Iterator[Result]:
    """Yield frames with none, one, two, three boxes and so on; nobody looked at every fifth."""
    dice = np.random.default_rng(3)
    for index in range(count):
        boxes = np.sort(dice.random((index % 4, 2, 2), np.float32), axis=1).reshape(-1, 4) * 40
        score = dice.random(len(boxes), np.float32)
        found = Detections(boxes, score, dice.integers(0, 3, len(boxes)))
        looked = index % 5 != 4
        frame = Frame(picture(index), index, index / 10)
        yield Result(frame, found if looked else Detections.empty(), Tracks.empty(), looked=looked)


def about() -> dict[str, Any]:
    none = dict.fromkeys(("start_wall", "utc_offset_s", "classes", "selection", "length"))
    return {"source": "clip.mp4", "live": False, "size": [64, 48], "fps": 10.0, "network": "n",
            "names": {"0": "person"}, **none}  # fmt: skip


def stored(path: Path) -> Sequence[tuple[Any, ...]]:
    return [
        (kept.frame, kept.time)
        if kept.detections is None
        else (kept.frame, kept.time, kept.detections.xyxy.tolist(), kept.detections.score.tolist())
        for kept in SavedDetections(path).stored()
    ]


def with_features(count: int) -> Iterator[Result]:
    """Yield frames of 0 to 2 boxes; the weak second one has no features."""
    random = np.random.default_rng(0)
    for index in range(count):
        n = index % 3
        features = random.normal(size=(n, 5)).astype(np.float16).astype(np.float32)
        features[1:] = np.nan
        xyxy = np.tile(np.array([[1, 2, 30, 40]], np.float32), (n, 1))
        score = np.array([0.7, 0.15], np.float32)[:n]
        found = Detections(xyxy, score, np.zeros(n, np.int64), features)
        yield Result(Frame(picture(index, SIZE), index, index / 25), found, Tracks.empty())


@pytest.mark.parametrize("rows", [1_000_000, 100])
def test_features_are_kept_bit_for_bit_and_read_where_they_are_asked_for(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "d.parquet"
    with DetectionsSink(path, SCENE, about(), rows=rows, features_from=0.3) as sink:
        for one in with_features(20):
            sink.write(one)
    saved = SavedDetections(path)
    assert saved.features_from == 0.3 and saved.about["version"] == VERSION
    for one, kept, plain in zip(with_features(20), saved.stored(features=True), saved.stored(), strict=True):
        assert kept.detections is not None and plain.detections is not None
        assert plain.detections.features is None
        np.testing.assert_array_equal(kept.detections.features, one.detections.features)
        assert kept.detections.features is not None and kept.detections.features.dtype == np.float32


@pytest.mark.slow
def test_what_compares_features_needs_a_file_that_has_them() -> None:
    clip()
    live()
    for command, words in ((replay_command, ["d.parquet"]), (track_command, ["clip.mkv", "--no-save"])):
        more = [] if command is replay_command else ["--detections", "d.parquet"]
        with pytest.raises(OptionError, match=r"^d\.parquet: has no features, which --appearance self"):
            run(command, *words, *more, *tables("again"), "--appearance", "self")


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--refine",)], ids=["plain", "refined"])
def test_learnt_looks_go_by_the_stored_features(more: tuple[str, ...]) -> None:
    clip()
    own = "--appearance", "self", *more
    live(*own)
    run(track_command, "clip.mkv", "--no-save", "--detections", "d.parquet", *tables("again"), *own)
    same("again")
    run(replay_command, "d.parquet", *tables("replayed"), *own)
    same("replayed")
    run(replay_command, "d.parquet", *tables("without"), *more)  # whose features are left aside
    with pytest.raises(OptionError, match=r"was saved with --conf 0\.3, and has no features of weaker"):
        run(replay_command, "d.parquet", *tables("weak"), "--conf", "0.2", *own)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1 << 17, 7, 1])
def test_parts_and_pieces_make_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("tracker.offline.saved_detections.BATCH", batch)
    monkeypatch.setattr("tracker.sinks.detections.PARTS", 4)
    expected = [
        (one.frame.index, one.frame.time, one.detections.xyxy.tolist(), one.detections.score.tolist())
        if one.looked
        else (one.frame.index, one.frame.time)
        for one in results(30)
    ]
    for rows in (1_000_000, 9, 3):
        path = tmp_path / f"{rows}.parquet"
        with DetectionsSink(path, SCENE, about(), rows=rows) as sink:
            for one in results(30):
                sink.write(one)
        assert stored(path) == expected
        assert SavedDetections(path).frames == 30
    assert not [*tmp_path.glob("*.part*")]


@pytest.mark.slow
def test_a_killed_run_leaves_parts_that_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.sinks.detections.EVERY_S", 0.0)
    sink = DetectionsSink(tmp_path / "d.parquet", SCENE, about())
    sink.__enter__()
    for one in results(20):
        sink.write(one)
    parts = sorted(tmp_path.glob("d.part*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    assert len(parts) >= 2 and not (tmp_path / "d.parquet").exists()
    frames = [one[0] for part in parts if part.stat().st_size for one in stored(part)]
    assert frames == [*range(20)]
    assert "did not end in order" in SavedDetections(parts[0]).warnings[0]


@pytest.mark.parametrize("every_s", [0.0, 60.0], ids=["during the run", "at its end"])
def test_a_deleted_folder_is_told_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every_s: float
) -> None:
    monkeypatch.setattr("tracker.sinks.detections.EVERY_S", every_s)
    (tmp_path / "gone").mkdir()
    taken = 0
    with (
        pytest.raises(OutputError, match="its folder was deleted while the run wrote it"),
        DetectionsSink(tmp_path / "gone" / "d.parquet", SCENE, about()) as sink,
    ):
        for one in results(20):
            sink.write(one)
            taken += 1
            if one.frame.index == 9:
                shutil.rmtree(tmp_path / "gone")
    assert taken == 20


@pytest.mark.slow
def test_the_same_with_the_real_network(
    weights: Path, make_video: Any, monkeypatch: pytest.MonkeyPatch, shared: Path
) -> None:
    monkeypatch.undo()
    video = shared / "data/pets09-s2l1/vtest.avi"
    folder = make_video().parent
    names = [folder / name for name in ("live", "again", "replayed")]
    few = ["--no-save", "--max-frames", "30", "--line", "door=0,300 768,300"]

    def written(name: Path) -> list[str | Path]:
        return ["--save-csv", name.with_suffix(".csv"), "--events", name.with_suffix(".jsonl")]

    file = folder / "d.parquet"
    run(track_command, video, *few, "--weights", weights, "--save-detections", file, *written(names[0]))
    run(track_command, video, *few, "--detections", file, *written(names[1]))
    run(replay_command, file, "--line", "door=0,300 768,300", *written(names[2]))
    for suffix in (".csv", ".jsonl"):
        assert len({name.with_suffix(suffix).read_bytes() for name in names}) == 1
    assert names[0].with_suffix(".csv").stat().st_size > 1000


def test_what_was_live_is_replayed_at_the_time_it_was() -> None:
    start = 1_800_000_000.25
    scene = Scene("camera0", SIZE, 25.0, True, {0: "person"}, utc_offset_s=3600.0)
    told = {**about(), "source": "camera0", "live": True, "size": list(SIZE), "fps": 25.0,
            "utc_offset_s": 3600.0}  # fmt: skip
    with DetectionsSink("d.parquet", scene, told) as sink:
        for index in range(60):
            box = np.array([[4 + index * 2, 20, 24 + index * 2, 40]], np.float32)
            found = Detections(box, np.array([0.9], np.float32), np.array([0]))
            frame = Frame(picture(index, SIZE), index, start + index / 25)
            sink.write(Result(frame, found, Tracks.empty()))
    run(replay_command, "d.parquet", *tables("live"))
    (event,) = map(json.loads, Path("live.jsonl").read_text().splitlines())
    assert start < event["time_s"] < start + 60 / 25
    assert event["wall_time"].startswith("2027-01-15T09:00:0") and event["wall_time"].endswith("+01:00")


def test_without_polars_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    clip()
    monkeypatch.setitem(sys.modules, "polars", None)
    for words in (["--save-detections", "d.parquet"], ["--detections", "d.parquet"]):
        with pytest.raises(
            OptionError, match="stored detections need polars; install it: pip install polars"
        ):
            run(track_command, "clip.mkv", "--no-save", *words)
    assert not [*Path().glob("*.part*")]


@pytest.mark.slow
def test_a_run_on_stored_boxes_can_be_cut_in_two() -> None:
    clip()
    live()

    def followed(stop: int | None = None, **more: Any) -> list[tuple[int, list[int]]]:
        found = []
        results = track("clip.mkv", detections="d.parquet", **more)
        for result in results:
            found.append((result.frame.index, result.tracks.track_id.tolist()))
            if result.frame.index == stop:
                results.close()
        return found

    first = followed(25, state="s.json")
    assert first + followed(state="s.json", resume=True) == followed()
