"""The manual's pages with pictures: zone files are sound, pictures there, truths those of the street."""

from __future__ import annotations

import re
from pathlib import Path

import cv2

from tracker.cli import run
from tracker.zones import file as zone_file
from videos.pictures import MOMENTS, OF_TRACKERS, PAGES, PICTURES, commands, files
from videos.street import HEIGHT, LINES, WIDTH, ZONES

MANUAL = "\n".join(page.read_text("utf-8") for page in PAGES)


def test_every_picture_has_its_command_and_is_small() -> None:
    assert [command[-1] for command in commands(MANUAL) if command[-1] in MOMENTS] == list(MOMENTS)
    for video in MOMENTS:
        place = PICTURES / f"{Path(video).stem}.jpg"
        assert f"(pictures/{place.name})" in MANUAL
        assert place.stat().st_size < 150_000
        picture = cv2.imread(str(place))
        size = (640, 360) if video in OF_TRACKERS else (WIDTH, HEIGHT)
        assert picture is not None and picture.shape == (*size[::-1], 3)


def test_the_commands_are_ones_that_track_takes() -> None:
    for command in commands(MANUAL):
        with run.make_context("track", command[1:]) as context:
            assert context.params["source"] == ("street.mp4",)
            assert context.params["output"] in MOMENTS or context.params["save_detections"]


def test_the_zone_files_are_sound_and_in_the_commands(tmp_path: Path) -> None:
    found = files(MANUAL)
    used = [word for command in commands(MANUAL) for word in command if word.endswith(".yaml")]
    assert sorted(found) == sorted(used)
    for name, content in found.items():
        path = tmp_path / name
        path.write_text(content, "utf-8")
        assert zone_file.load(path, (WIDTH, HEIGHT))


def test_line_and_zone_are_those_whose_truth_is_known() -> None:
    (bakery,) = (line for line in LINES if line.name == "bakery")
    (shelter,) = (zone for zone in ZONES if zone.name == "shelter")
    ends = " ".join(f"{x},{y}" for x, y in (bakery.start, bakery.end))
    assert f'--line "bakery={ends}"' in MANUAL
    (points,) = re.findall(r"points: (738[^\n]*)", MANUAL)
    x1, y1, x2, y2 = shelter.xyxy
    assert points.split() == [f"{x},{y}" for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))]
