from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bytetrack import Detections
from tests.tracker.archive.made_parts import PROBED, write_part
from tracker.archive.arrivals import Arrivals, NotCutError, Part, ReplacedError
from tracker.archive.recordings import Recording
from tracker.archive.store import Folder
from tracker.sources.video_piece import Seams, Seen
from tracker.types import InputError


def part(
    folder: Path, name: str, times: list[float], seams: Seams, processor: str = "x86", **about: object
) -> None:
    boxes = [
        Detections(np.array([[time, 0, time + 9, 20]]), np.array([0.9]), np.array([0])) for time in times
    ]
    write_part(folder / name, zip(times, boxes, strict=True), seams, processor, **about)


def seen(*times: float) -> list[Seen]:
    return [Seen(time, f"{time}") for time in times]


def of(folder: Path, *starts: float | None, count: int = 2) -> Arrivals:
    parts = [
        Part(Recording(f"{n}.mp4", f"{n}", start), PROBED, f"f{n}", count) for n, start in enumerate(starts)
    ]
    return Arrivals(Folder(str(folder)), parts, lost_s=1.0)


def two(folder: Path, name: str = "f0", **about: object) -> None:
    part(folder, f"{name}/00000.parquet", [0.0, 0.1], Seams(0.2, seen(0.0, 0.1), seen(0.2, 0.3)))
    part(folder, f"{name}/00001.parquet", [0.2, 0.3], Seams(None, seen(0.2, 0.3), []), **about)  # type: ignore[arg-type]


def test_frames_are_numbered_through_all_files(tmp_path: Path) -> None:
    two(tmp_path, "f0")
    two(tmp_path, "f1")
    arrivals = of(tmp_path, 100.0, 101.0)
    frames = [*arrivals]
    assert [frame.number for frame in frames] == [*range(8)]
    assert [frame.time for frame in frames] == pytest.approx([0.1 * n for n in range(8)])
    assert not any(frame.anew for frame in frames)


def test_a_gap_between_files_is_in_the_times_and_ends_tracks(tmp_path: Path) -> None:
    two(tmp_path, "f0")
    two(tmp_path, "f1")
    frames = [*of(tmp_path, 100.0, 110.0)]
    assert frames[4].time == 10.0 and [frame.anew for frame in frames].index(True) == 4
    assert sum(frame.anew for frame in frames) == 1
    arrivals = of(tmp_path, 100.0, 98.0)
    assert [frame.time for frame in arrivals][4] == pytest.approx(0.4)
    assert "put behind it" in arrivals.read["1"].notes[0]


def test_pieces_that_do_not_fit_are_told(tmp_path: Path) -> None:
    part(tmp_path, "f0/00000.parquet", [0.0, 0.1], Seams(0.2, seen(0.0, 0.1), seen(0.25)))
    part(tmp_path, "f0/00001.parquet", [0.2, 0.3], Seams(None, seen(0.2, 0.3), []))
    with pytest.raises(NotCutError):
        list(of(tmp_path, None))


@pytest.mark.parametrize("other, word", [
    ({"network": "net, bf16"}, "net, fp32 and net, bf16"), ({"weights_sha256": "1" * 64}, "weights"),
    ({"versions": {"numpy": "1"}}, "version of numpy"), ({"processor": "x86 avx2"}, "x86 and x86 avx2"),
])  # fmt: skip
def test_mixed_parts_are_refused_with_the_remedy(other: dict[str, object], word: str, tmp_path: Path) -> None:
    two(tmp_path, **other)
    with pytest.raises(InputError, match=f"{word}.*delete those of one kind"):
        list(of(tmp_path, None))


def test_what_is_replaced_while_it_is_read_begins_again(tmp_path: Path) -> None:
    part(tmp_path, "f0/00000.parquet", [0.0, 0.1], Seams(0.2, seen(0.0, 0.1), seen(0.2)))
    frames = iter(of(tmp_path, None))
    next(frames)
    part(tmp_path, "f0/whole.parquet", [0.0, 0.1, 0.2], Seams(None, [], []))
    with pytest.raises(ReplacedError):
        list(frames)
    assert [frame.number for frame in of(tmp_path, None)] == [0, 1, 2]


def test_a_failed_file_is_left_out(tmp_path: Path) -> None:
    two(tmp_path, "f1")
    (tmp_path / "f0").mkdir()
    (tmp_path / "f0/failed.json").write_text('{"error": "f0: is broken"}')
    arrivals = of(tmp_path, None, None)
    assert len(list(arrivals)) == 4
    assert arrivals.read["0"].error == "f0: is broken"
    broken = replace(arrivals.parts[0], probed=replace(PROBED, error="no video"))
    arrivals = Arrivals(arrivals.store, [broken, arrivals.parts[1]], 1.0)
    assert len(list(arrivals)) == 4 and arrivals.read["0"].error == "no video"
