from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bytetrack import BYTETracker
from tracker.offline.motchallenge import (
    find_result,
    find_sequences,
    follow,
    frames_of,
    read_rows,
    rows_of,
    write_rows,
)
from tracker.types import InputError


def sequence(folder: Path, name: str, text: str, part: str = "gt", ini: str | None = None) -> Path:
    place = folder / name / part / f"{part}.txt"
    place.parent.mkdir(parents=True)
    place.write_text(text)
    if ini is not None:
        (folder / name / "seqinfo.ini").write_text(ini)
    return folder / name


def test_commas_blanks_and_missing_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1,2,3,4,5,6,0.5,-1,-1,-1\r\n\n2 7 3.5 4 5 6\n")
    rows = read_rows(path)
    assert rows.tolist() == [[1, 2, 3, 4, 5, 6, 0.5, -1, -1, -1], [2, 7, 3.5, 4, 5, 6, -1, -1, -1, -1]]


@pytest.mark.parametrize("line", ["1,2,3", "1,2,x,4,5,6", "frame,id,left,top,width,height"])
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"1,2,3,4,5,6\n{line}\n")
    with pytest.raises(InputError, match="line 2"):
        read_rows(path)


def test_a_folder_of_sequences_and_a_sequence_are_both_found(tmp_path: Path) -> None:
    ini = "[Sequence]\nseqLength=9\nframeRate=14\nimWidth=640\nimHeight=480\n"
    one = sequence(tmp_path, "MOT17-05", "1,1,0,0,5,5,1,1,1\n", ini=ini)
    sequence(tmp_path, "other", "3,1,0,0,5,5,1,1,1\n")
    named, guessed = find_sequences(tmp_path)
    assert (named.name, named.frames, named.fps, named.size) == ("MOT17-05", 9, 14.0, (640, 480))
    assert (guessed.name, guessed.frames, guessed.size) == ("other", 3, None)
    assert find_sequences(one) == [named]
    assert find_sequences(tmp_path, names=["MOT17"]) == [named]
    with pytest.raises(InputError, match="MOT20"):
        find_sequences(tmp_path, names=["MOT20"])
    with pytest.raises(InputError, match=r"det/det\.txt"):
        find_sequences(tmp_path, "det")


def test_a_sequence_without_length_says_what_is_missing(tmp_path: Path) -> None:
    sequence(tmp_path, "a", "1,1,0,0,5,5,1,1,1\n", ini="[Sequence]\nname=a\n")
    with pytest.raises(InputError, match="seqLength"):
        find_sequences(tmp_path)


def test_results_of_another_detectors_set_are_found(tmp_path: Path) -> None:
    (tmp_path / "MOT17-02-SDP.txt").write_text("")
    assert find_result(tmp_path, "MOT17-02-FRCNN").name == "MOT17-02-SDP.txt"
    with pytest.raises(InputError, match=r"MOT17-04\.txt"):
        find_result(tmp_path, "MOT17-04")


def test_every_frame_is_given_and_in_order() -> None:
    rows = np.array([[3, -1, 1, 2, 10, 20, 0.9, -1, -1, -1], [1, -1, 5, 6, 10, 20, 0.8, -1, -1, -1]])
    first, second, third, fourth = frames_of(rows, 4)
    assert [len(boxes) for boxes in (first, second, third, fourth)] == [1, 0, 1, 0]
    assert first.xyxy.tolist() == [[5, 6, 15, 26]]
    assert third.score.tolist() == [0.9]


def test_tracks_survive_the_way_to_a_file_and_back(tmp_path: Path) -> None:
    lines = [f"{frame},-1,{10 + frame},20,30,40,0.9\n" for frame in range(1, 6) if frame != 3]
    folder = sequence(tmp_path, "a", "".join(lines), part="det", ini="[Sequence]\nseqLength=5\n")
    (one,) = find_sequences(folder, "det")
    rows = follow(one, BYTETracker())
    assert rows[:, 0].tolist() == [1, 2, 4, 5]
    assert set(rows[:, 1]) == {1}
    write_rows(tmp_path / "deep" / "a.txt", rows)
    np.testing.assert_allclose(read_rows(tmp_path / "deep" / "a.txt"), rows, atol=1e-4)
    assert rows_of([]).shape == (0, 10)


def test_scores_without_bounds_are_noted_and_count_as_one(caplog: pytest.LogCaptureFixture) -> None:
    rows = np.array([[1, -1, 1, 2, 10, 20, 90, -1, -1, -1], [1, -1, 5, 6, 10, 20, -0.5, -1, -1, -1]])
    (found,) = frames_of(rows, 1)
    assert found.score.tolist() == [1, 0]
    assert "scores reach 90" in caplog.text
