"""The law of tables: however a program writes them they are read alike, or refused in one line."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tracker.offline.motchallenge import find_sequences, read_rows, read_tracks
from tracker.offline.saved_tracks import MOST_MISSING, SavedTracks, blank
from tracker.types import InputError

HEADER = ["frame", "time_s", "x_min", "y_min", "x_max", "y_max", "class_id", "class_name", "confidence"]
HEADER += ["tracker_id"]
FOLDER = Path()
MOT_HEADER = ["frame", "id", "bb_left", "bb_top", "bb_width", "bb_height", "conf"]


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global FOLDER
    FOLDER = tmp_path_factory.mktemp("tables")


def write(text: str | bytes, name: str = "t.csv") -> Path:
    path = FOLDER / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def columns(saved: SavedTracks) -> list[Any]:
    results = []
    for frame, _ in saved.stream(saved.frames(blank((9, 9)))):
        tracks = saved.update(_)
        results.append(
            (
                frame.index,
                round(frame.time, 9),
                tracks.track_id.tolist(),
                tracks.xyxy.tolist(),
                tracks.score.tolist(),
                [saved.names[one] for one in tracks.class_id.tolist()],
            )
        )
    return results


tables = st.lists(
    st.lists(
        st.tuples(st.integers(0, 10**15), st.sampled_from(["person", "car, red", 'the "big" one'])),
        max_size=3,
        unique_by=lambda t: t[0],
    ),
    min_size=1,
    max_size=6,
).filter(any)


@examples(60)
@given(
    table=tables,
    delimiter=st.sampled_from([",", ";", "\t"]),
    comma=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    float_ids=st.booleans(),
    empty_rows=st.integers(0, 3),
    order=st.permutations(range(10)),
    sep=st.booleans(),
)
def test_every_way_to_write_a_table_means_the_same(
    table: list[list[tuple[int, str]]],
    delimiter: str,
    comma: bool,
    encoding: str,
    ending: str,
    quoting: int,
    float_ids: bool,
    empty_rows: int,
    order: list[int],
    sep: bool,
) -> None:
    def real(value: float) -> str:
        return f"{value:.3f}".replace(".", "," if comma else ".")

    def whole(value: int) -> str:
        return f"{value}{',' if comma else '.'}0" if float_ids else str(value)

    class_ids = {"person": 0, "car, red": 2, 'the "big" one': 7}
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=quoting)  # type: ignore[arg-type]
    if sep:
        text.write(f"sep={delimiter}{ending}")
    expected = []
    writer.writerow([HEADER[place] for place in order])
    for frame, objects in enumerate(table):
        expected.append(
            (
                frame,
                frame / 8,
                [one for one, _ in objects],
                [[1.5, 2.25, 30.5 + frame, 40.125] for _ in objects],
                [0.5] * len(objects),
                [name for _, name in objects],
            )
        )
        rows = [
            [
                *(whole(frame), *map(real, (frame / 8, 1.5, 2.25, 30.5 + frame, 40.125))),
                *(whole(class_ids[name]), name, real(0.5), whole(one)),
            ]
            for one, name in objects
        ] or [[whole(frame), real(frame / 8), *[""] * 8]]
        for row in rows:
            writer.writerow([row[place] for place in order])
    text.write((delimiter * 9 + ending) * empty_rows)
    saved = SavedTracks(write(text.getvalue().encode(encoding)))
    assert columns(saved) == expected


@examples(40)
@given(
    ids=st.lists(st.integers(0, 10**15), min_size=1, max_size=5, unique=True),
    style=st.sampled_from(["1,2", "1, 2", "1 2", "1;2", "1;2,5", "1\t2", "1\t2,5", "1 2,5", "header"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    score=st.booleans(),
)
def test_every_way_to_write_motchallenge_text_means_the_same(
    ids: list[int], style: str, encoding: str, score: bool
) -> None:
    between = (
        {"header": ","}.get(style, style.strip("125,") or ",")
        if style not in ("1,2", "1, 2")
        else style[1:-1]
    )
    point = "," if style.endswith(",5") else "."
    lines = []
    for frame in (1, 2, 4):
        for one in ids:
            box = [f"{value:.2f}".replace(".", point) for value in (10.25, 20, 5.5, 8)]
            lines.append(between.join([str(frame), str(one), *box, *(["0" + point + "5"] if score else [])]))
    if style == "header":
        lines.insert(0, ",".join(MOT_HEADER[: 6 + score]))
    path = write("\r\n".join(lines).encode(encoding), "t.txt")
    saved = SavedTracks(path, fps=10)
    expected = [
        (
            frame,
            frame / 10,
            sorted(ids) if frame in (0, 1, 3) else [],
            [[10.25, 20, 15.75, 28]] * len(ids) * (frame != 2),
            [0.5 if score else 1.0] * len(ids) * (frame != 2),
        )
        for frame in range(4)
    ]
    assert [(f, t, sorted(i), x, s) for f, t, i, x, s, _ in columns(saved)] == expected
    rows = read_tracks(path)
    assert rows[:, :7].tolist() == [
        [frame, one, 10.25, 20, 5.5, 8, 0.5 if score else -1] for frame in (1, 2, 4) for one in ids
    ]


junk = st.text(st.sampled_from("0123456789.,;\t \"'-+eEnaif\nxNI_#=\x00\x1b\ud800é"), max_size=120)


@pytest.mark.slow
@examples(100)
@given(
    text=st.one_of(
        junk,
        junk.map(lambda t: ",".join(HEADER) + "\n" + t),
        junk.map(lambda t: "1,1,2,3,4,5,1\n" + t),
        st.binary(max_size=80),
    )
)
def test_whatever_stands_there_it_is_read_or_refused_in_one_line(text: str | bytes) -> None:
    path = write(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    for read in (
        lambda: list(columns(SavedTracks(path, fps=25))),
        lambda: read_rows(path),
        lambda: read_tracks(path),
    ):
        try:
            read()
        except InputError as error:
            assert str(path) in str(error) and "\n" not in str(error) and len(str(error)) < 600


ROW = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id\n0,0,1,2,3,4,0,a,1,1\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,0.1,nan,2,3,4,0,a,1,1", r":3: .*'x_min' has 'nan'; a number is expected"),
        ("1,0.1,1,2,inf,4,0,a,1,1", r":3: .*'x_max' has 'inf'"),
        ("1,0.1,1,2,3,1e400,0,a,1,1", r":3: .*'y_max' has '1e400'"),
        ("1,0.1,1,2,3,4e9,0,a,1,1", r":3: .*'y_max' has '4e9'; expected pixels"),
        ("1,nan,1,2,3,4,0,a,1,1", r":3: .*'time_s' has 'nan'"),
        ("1,,1,2,3,4,0,a,1,1", r":3: .*'time_s' has nothing; expected seconds"),
        ("1,0.1,1,2,3,,0,a,1,1", r":3: .*'y_max' has nothing; expected pixels"),
        ("1,0.1,1,2,3,4,0,a,1,12345678901234567890", r":3: .*'tracker_id' has '12345678901234567890'"),
        ("1,0.1,1,2,3,4,0,a,1,1.5", r":3: .*'tracker_id' has '1\.5'"),
        ("1,0.1,1,2,3,4,0,a,1,-7", r":3: .*'tracker_id' has '-7'"),
        ("1,0.1,1,2,3,4,0.5,a,1,1", r":3: .*'class_id' has '0\.5'"),
        ("1,0.1,1,2,3,4,0,a,90,1", r":3: .*'confidence' has '90'; expected 0 to 1"),
        ("1,0.1,1,2,3,4,0,a,-3,1", r":3: .*'confidence' has '-3'"),
        ("-1,0.1,1,2,3,4,0,a,1,1", r":3: .*'frame' has '-1'; expected a whole number from 0"),
        ("1.5,0.1,1,2,3,4,0,a,1,1", r":3: .*'frame' has '1\.5'"),
        (",0.1,1,2,3,4,0,a,1,1", r":3: .*'frame' has nothing"),
        ("1000000000000,9,1,2,3,4,0,a,1,1", r":3: .*'frame' has '1000000000000'"),
        ("9000000000,9,1,2,3,4,0,a,1,1\n9000000001,9.1,1,2,3,4,0,a,1,1", r":3: frame 9000000000 comes"),
        ("0,0,5,6,7,8,0,a,1,1", r":3: id 1 is already in this frame, in line 2"),
        ("2,0.2,1,2,3,4,0,a,1,2\n1,0.1,1,2,3,4,0,a,1,2", r":4: frame 1 comes after 2; sort by frame"),
        ("1,-5,1,2,3,4,0,a,1,1", r":3: time -5 s comes after 0 s"),
        ("1,0.1,one,2,3,4,0,a,1,1", r":3: .*'x_min' has 'one'; a number is expected"),
        ("1,0.1,1,2,3,4,0,\"a,1,1", r":3: a quotation mark is opened here"),
        ("1,0.1,1,2,3,4,0,a,1,\x00", r":3: .*not text"),
        ("1,0.1," + "1" * 70_000, r":3: .*too long"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_are_named_with_file_row_and_column(row: str, said: str) -> None:
    path = write(ROW + row + "\n")
    with pytest.raises(InputError, match=re.escape(str(path)) + said):
        SavedTracks(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,1,5,6,7,8,1", r":2: id 1 is already in this frame"),
        ("0,1,5,6,7,8,1", r":2: .*'frame' has '0'; expected a whole number from 1"),
        ("2,1,nan,6,7,8,1", r":2: .*column 3 \(left\) has 'nan'"),
        ("1000000000000,1,5,6,7,8,1", r":2: .*'frame' has '1000000000000'"),
        ("9000000000,1,5,6,7,8,1\n9000000001,1,5,6,7,8,1", r":2: frame 8999999999 comes directly after 0"),
    ],
)
def test_the_same_of_motchallenge_text(row: str, said: str) -> None:
    path = write(f"1,1,2,3,4,5,1\n{row}\n")
    with pytest.raises(InputError, match=re.escape(str(path)) + said):
        SavedTracks(path, fps=10)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,1,5,6,7,8,1", "line 2: id 1 is already in frame 1, in line 1"),
        ("2,-1,5,6,7,8,1", "line 2: id -1: these are detections"),
        ("2,1.5,5,6,7,8,1", "line 2: id 1.5: no identity"),
        ("2,12345678901234567890,5,6,7,8,1", "line 2: id 1234567890123456"),
        ("0,1,5,6,7,8,1", "line 2: frame has 0"),
        ("2,1,nan,6,7,8,1", "line 2: .*left.* has 'nan'"),
        ("2,1,5,6,7e9,8,1", "line 2: width has 7000000000"),
        ("1000000000000,1,5,6,7,8,1", "line 2: frame has 1000000000000"),
    ],
)
def test_the_same_where_tracks_are_scored(row: str, said: str) -> None:
    path = write(f"1,1,2,3,4,5,1\n{row}\n")
    with pytest.raises(InputError, match=said):
        read_tracks(path)


def test_detections_are_no_tracks() -> None:
    with pytest.raises(InputError, match="contains detections, not tracks"):
        SavedTracks(write("1,-1,2,3,4,5,0.5\n1,-1,5,6,7,8,0.5\n"), fps=10)


def test_what_is_odd_but_can_be_counted_is_noted() -> None:
    saved = SavedTracks(write("1,1,2,3,4,5,90\n2,1,2,3,0,5,1\n2,2,2,3,-4,5,1\n"), fps=10)
    assert [note.partition(": ")[2] for note in saved.warnings] == [
        "1 scores that are not between 0 and 1, first in line 1",
        "2 boxes without area, first in line 2",
    ] or [note.partition(": ")[2] for note in saved.warnings] == [
        "2 boxes without area, first in line 2",
        "1 scores that are not between 0 and 1, first in line 1",
    ]


def test_who_has_names_of_classes_alone_gets_classes() -> None:
    saved = SavedTracks(
        write("Frame;Track ID;X1;Y1;X2;Y2;Label\n0;1;1,5;2;3;4;car\n0;2;1;2;3;4;bus\n1;1;1;2;3;4;car\n"),
        fps=5,
    )
    assert [names for *_, names in columns(saved)] == [["car", "bus"], ["car"]]


def test_a_table_that_lacks_a_column_says_which() -> None:
    with pytest.raises(InputError, match=r":1: the column 'tracker_id' is missing; .*here: 'x_min, y_min"):
        SavedTracks(write("x_min,y_min,x_max,y_max,frame\n1,2,3,4,0\n"), fps=5)
    with pytest.raises(InputError, match=r":1: the columns 'id' and 'track_id' mean the same"):
        SavedTracks(write("frame,id,track_id,x1,y1,x2,y2\n"), fps=5)


@pytest.mark.parametrize("fps", [float("nan"), float("inf"), 0.0, -5.0, 1e9])
def test_a_rate_that_cannot_be(fps: float) -> None:
    with pytest.raises(InputError, match=r"--fps .* is not a frame rate"):
        SavedTracks(write("1,1,2,3,4,5,1\n"), fps=fps)


def test_as_many_frames_may_be_left_out_as_two_days_have() -> None:
    assert (
        SavedTracks(write(f"1,1,2,3,4,5,1\n2,1,2,3,4,5,1\n{MOST_MISSING + 2},1,2,3,4,5,1\n"), fps=30).length
        == MOST_MISSING + 2
    )


@pytest.mark.parametrize(
    "ini",
    [
        "[Sequence]\nseqLength=nan\n",
        "[Sequence]\nseqLength=5\nframeRate=nan\n",
        "[Sequence]\nseqLength=5\nframeRate=0\n",
        "[Sequence]\nseqLength=0\n",
        "[Sequence]\nseqLength=1000000000000\n",
        "[Sequence]\nseqLength=5\nimWidth=x\n",
        "seqLength=5\n",
        "[Sequence]\nseqLength=5\nseqLength=6\n",
        "[Sequence]\nseqLength=%(x)s\n",
        "[Sequence\x00\xff",
    ],
)
def test_a_seqinfo_that_cannot_be_is_named(tmp_path: Path, ini: str) -> None:
    place = tmp_path / "a" / "gt"
    place.mkdir(parents=True)
    (place / "gt.txt").write_text("1,1,0,0,5,5,1,1,1\n")
    (tmp_path / "a" / "seqinfo.ini").write_text(ini, encoding="latin-1")
    with pytest.raises(InputError, match=r"seqinfo\.ini: [^\n]*$"):
        find_sequences(tmp_path)


def test_a_sequence_of_a_million_million_frames(tmp_path: Path) -> None:
    place = tmp_path / "a" / "gt"
    place.mkdir(parents=True)
    (place / "gt.txt").write_text("1000000000,1,0,0,5,5,1,1,1\n")
    with pytest.raises(InputError, match=r"gt\.txt: 1000000000 frames; a sequence may have"):
        find_sequences(tmp_path)


def test_a_table_of_ours_is_scored_like_the_text() -> None:
    table = write(
        "frame,time_s,x_min,y_min,x_max,y_max,tracker_id\n0,0,1,2,4,6,3\n1,0.1,,,,,\n2,0.2,1,2,4,6,3\n"
    )
    text = write("1,3,1,2,3,4,-1\n3,3,1,2,3,4,-1\n", "t.txt")
    np.testing.assert_array_equal(read_tracks(table), read_tracks(text))


def test_a_row_that_was_cut_off_is_noted() -> None:
    head = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id\n"
    whole = "0,0,1,2,3,4,0,person,0.9,1\n1,0.1,,,,,,,,\n"
    assert SavedTracks(write(head + whole)).warnings == []
    (note,) = SavedTracks(write(head + whole + "2,0.2,1,2")).warnings
    assert note.endswith("1 rows of a box that belongs to nobody (cut off?), first in line 4")
