"""Every command of the pages: its options are ones that `track` takes, and, slowly, it runs."""

from __future__ import annotations

import csv
import dataclasses
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import click
import cv2
import pytest

from tests.docs.pages import PAGES, ROOT, blocks, lines, name
from tracker import cli
from tracker.arguments.mistakes import plugin_to_explain
from tracker.options import Options
from videos.pictures import files
from videos.street import render

WITH_COMMANDS = [page for page in PAGES if lines(page)]
SPANISH = ROOT / "README.es.md"
BY_THE_GATE = "a test of the gate, .ci/run"
# What no test here runs, and who does. The options of those that begin with `track` are parsed all the same.
WITHOUT_END = "tests/tracker/commands/test_serve.py: it serves until it is stopped"
OF_SHAPES = "tests/tracker/detectors/test_shapes.py, on weights that need no download"
NOT_RUN = {
    "pip install -e . && track demo": BY_THE_GATE,
    "pip install -e '.[test]' && pytest": BY_THE_GATE,
    "track demo --clip street.mp4": "tests/tracker/commands/test_demo.py, on the whole clip",
    "grep zone.loiter wait.jsonl": "the last test here, on the whole clip",
    "track serve 0 rtsp://10.0.0.5/stream": WITHOUT_END,
    "track serve street.mp4": WITHOUT_END,
    "track archive recordings -o results": "docs/archive.md, with a zone file",
    "track serve rtsp://10.0.0.5/stream --allow-host cam.example.org --proxy 127.0.0.1": WITHOUT_END,
    "track zones edit street.mp4 zones.yaml": WITHOUT_END,
    "track street.mp4 --weights yolov8n-seg.pt -o masks.mp4": OF_SHAPES,
    "track street.mp4 --weights yolov8n-seg.pt --blur person -o blurred.mp4": OF_SHAPES,
    "track street.mp4 --weights yolov8n-pose.pt -o skeletons.mp4": OF_SHAPES,
    "track harbour.mp4 --weights yolov8n-obb.pt -o boats.mp4": OF_SHAPES,
    "track street.mp4 --weights yolov8n-pose.pt --match-by keypoints -o by_keypoints.mp4": OF_SHAPES,
    "track street.mp4 --int8 -o int8.mp4": "tests/tracker/run/test_int8.py: half a minute of CPU",
}
# What is not here when tests run, and what stands for it.
STAND_INS = {
    "track 0 ": "track street.mp4 ",
    "rtsp://user:password@10.0.0.5/stream": "street.mp4",
    "rtsp://10.0.0.5/stream": "street.mp4",
    "rtsp://10.0.0.6/stream": "yard.mp4",
    "/dev/video2": "road.mp4",
    "archive recordings -o": "archive street.mp4 -q -o",
    "https://example.org/hook": "http://127.0.0.1:9/hook",
    "mqtt://broker.local/street": "mqtt://127.0.0.1:9/street",
}
FPS, EVERY, FRAMES = 4, 6, 26  # of the short clip: every sixth frame of the street, for six seconds


def parsed(words: list[str]) -> None:
    """Go as far as a run does before it opens anything."""
    if plugin_to_explain(words) is not None:
        return
    command: click.Command = cli.run
    if words[0] in cli.COMMANDS:
        command = importlib.import_module(cli.COMMANDS[words[0]][0]).command
        words = words[1:]
    while isinstance(command, click.Group):
        command, words = command.commands[words[0]], words[1:]
    with command.make_context("track", words, obj=words) as context:
        known = {spec.name for spec in dataclasses.fields(Options)}
        Options(**{key: value for key, value in context.params.items() if key in known})


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name)
def test_the_options_of_every_command_are_ones_that_track_takes(page: Path) -> None:
    for line in lines(page):
        for part in re.split(r" && |; ", line):
            words = shlex.split(part, comments=True)
            if words[0] == "track":
                parsed(words[1:])


def test_the_spanish_readme_tells_to_type_what_the_english_one_does() -> None:
    """So that only the English one's commands need to be run."""
    assert commands(SPANISH) == commands(ROOT / "README.md")


def commands(page: Path) -> list[str]:
    return [line.partition("  #")[0].strip() for line in lines(page)]


def test_what_is_not_run_is_on_a_page() -> None:
    assert set(NOT_RUN) <= {command for page in PAGES for command in commands(page)}


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the sample street as `track demo --clip` leaves it."""
    return Path(render(tmp_path_factory.mktemp("street"))[0])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, street: Path) -> Path:
    """Return a folder with everything that the commands of the pages need: clips, tables, zone files."""
    folder = tmp_path_factory.mktemp("bench")
    shorten(street, folder / "street.mp4", (960, 540))
    shorten(street, folder / "road.mp4", (1280, 720))
    for video in ("video.mp4", "gate.mp4", "yard.mp4"):
        shutil.copy(folder / "street.mp4", folder / video)
    (folder / "frames").mkdir()
    for index in range(5):
        cv2.imwrite(
            str(folder / "frames" / f"{index:03}.png"), cv2.imread(str(ROOT / "docs/pictures/street.jpg"))
        )
    for page in PAGES:
        for file, content in files(page.read_text("utf-8")).items():
            (folder / file).write_text(content, "utf-8")
    shutil.copy(folder / "lanes.yaml", folder / "other.yaml")
    shutil.copy(folder / "lanes.yaml", folder / "gate.yaml")
    (streams,) = (block for block in blocks(ROOT / "docs/cameras.md", "text") if "zones=" in block)
    (folder / "all.streams").write_text(stand_in(streams), "utf-8")
    (folder / "hand.csv").write_text(blocks(ROOT / "docs/report.md", "csv")[0])
    ring = folder / "ring.sh"
    ring.write_text("#!/bin/sh\ncat >> rung.jsonl\n")
    ring.chmod(0o755)
    rows = "".join(f"{f},{{}},{9 * f},50,40,90,1,1,1\n" for f in range(1, 11))
    for path, identity in (("GT/walk/gt/gt.txt", 1), ("GT/walk/det/det.txt", -1), ("results/walk.txt", 1)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(rows.replace("{}", str(identity)))
    (folder / "bin").mkdir()
    track = folder / "bin" / "track"
    track.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tracker "$@"\n')
    track.chmod(0o755)
    return folder


def shorten(video: Path, place: Path, size: tuple[int, int]) -> None:
    """Write some frames of a video, at their own times."""
    with av.open(str(video)) as source, av.open(str(place), "w") as target:
        stream = target.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index, frame in enumerate(islice(source.decode(video=0), 0, EVERY * FRAMES, EVERY)):
            scaled = frame.reformat(*size, format="yuv420p")
            scaled.pts, scaled.time_base = index, Fraction(1, FPS)
            target.mux(stream.encode(scaled))
        target.mux(stream.encode())


def stand_in(line: str) -> str:
    for there, here in STAND_INS.items():
        line = line.replace(there, here)
    return line


def shell(line: str, folder: Path, bench: Path, weights: Path) -> str:
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(bench / "bin"), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "TRACK_WEIGHTS_DIR": str(weights.parent),
        "DISPLAY": "",  # no window, whoever runs this
    }
    done = subprocess.run(
        line,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "page", [page for page in WITH_COMMANDS if page not in (SPANISH, ROOT / "CONTRIBUTING.md")], ids=name
)
def test_the_commands_of_a_page_run(page: Path, bench: Path, weights: Path, tmp_path: Path) -> None:
    """One after the other, with the real detector, where somebody would type them."""
    if "track eval" in " ".join(lines(page)):
        pytest.importorskip("trackeval", reason="needs the extra eval")
    folder = tmp_path / "here"
    shutil.copytree(bench, folder)
    if page.name == "plugins.md":  # counting.md has made them
        shell("track road.mp4 --no-save --save-csv tracks.csv", folder, bench, weights)
    for command in commands(page):
        if command not in NOT_RUN:
            shell(stand_in(command), folder, bench, weights)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_results_on_the_pages_are_those_of_a_run(
    bench: Path, street: Path, weights: Path, tmp_path: Path
) -> None:
    """The detector looks once; what the pages count is counted from its tracks."""
    shutil.copy(street, tmp_path / "street.mp4")
    for zones in ("lanes.yaml", "shelter.yaml"):
        shutil.copy(bench / zones, tmp_path)

    def run(line: str) -> str:
        return shell(line, tmp_path, bench, weights)

    run("track street.mp4 --classes person --no-save --save-csv tracks.csv")
    table = run('track replay tracks.csv --size 960x540 --line "bakery=200,300 200,540"')
    assert re.search(r"bakery in +3\n", table) and re.search(r"bakery out +2\n", table)

    run("track replay tracks.csv --zones lanes.yaml --counts lanes.csv --interval 5s")
    counting = ROOT / "docs" / "counting.md"
    assert list(csv.reader((tmp_path / "lanes.csv").read_text().splitlines())) == list(
        csv.reader(blocks(counting, "csv")[0].splitlines())
    )

    table = run("track replay tracks.csv --zones shelter.yaml --events wait.jsonl")
    assert re.search(r"shelter longer than 3 s +1\n", table)
    events = [json.loads(line) for line in (tmp_path / "wait.jsonl").read_text().splitlines()]
    (loiter,) = (event for event in events if event["kind"] == "zone.loiter")
    shown = json.loads(blocks(ROOT / "docs" / "zones.md", "json")[0])
    assert loiter.keys() == shown.keys()
    assert loiter["time_s"] == pytest.approx(shown["time_s"], abs=0.2)
    assert any(
        event["kind"] == "zone.exit" and event["dwell_s"] == pytest.approx(3.84, abs=0.15) for event in events
    )
