"""Several RTSP cameras at once: frames per second, dropped, age of results, and how busy the machine is.

    python -m benchmarks.cameras [VIDEO ...] [--cameras 1 4 8] [--fps 10] [--size 640x480] [--seconds 30]

A server in a process of its own sends the videos (vtest.avi of the shared recordings, if none is given) in a
circle, encoded beforehand, each camera another one, or another part of the same. Picture k of a camera leaves
at a known time, so that the true age of a result is known: ours counts the pictures it receives; for
ultralytics' multi-stream, which does not, the number stands in the picture. Both have the same weights,
network size and ByteTrack; ours also two lines and a zone per camera. "told" is the delay of our table.
"machine" is how busy all cores were, with everything that ran, the server among it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.end_to_end import THRESHOLDS, machine, replace_torchvision
from tests.tracker.sources.rtsp import BITS, RtspServer, encoder, stamp, stamped
from tracker.sources import open_source

VTEST = Path(__file__).parents[2] / "shared" / "data" / "pets09-s2l1" / "vtest.avi"
STRIP = 24  # pixels at the top that bear the number, for who cannot count
WARM_S = 8.0  # until models are compiled and rates are steady
TELLING = threading.Lock()  # cameras tell one after the other
ROADS: dict[str, dict[str, Any]] = {
    "ours, --look auto": {"look": "auto"},
    "ours, --look all": {"look": "all"},
    "ultralytics openvino": {},
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="*", type=Path, default=[VTEST])
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--fps", type=int, default=10)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--seconds", type=int, default=30, help="measured, after a start of 8 s")
    parser.add_argument("--weights", default="yolov8n.pt")
    parser.add_argument(
        "--only", default="", help="roads whose name holds one of these comma separated words"
    )
    parser.add_argument("--stamped", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=2, metavar=("ROAD", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.videos = [video.resolve() for video in given.videos]
    if given.serve:
        serve(given)
    elif given.one:
        print(json.dumps(run_one(given, given.one[0], Path(given.one[1]))), flush=True)
        os._exit(0)  # their reading threads would end the process with an error
    else:
        compare(given)


def compare(given: argparse.Namespace) -> None:
    """Run every road with every number of cameras, and print the table."""
    from tracker.detectors.weights import find_weights

    given.weights = str(find_weights(given.weights).resolve())
    print(f"{machine()}; {', '.join(v.name for v in given.videos)} as {given.size} at {given.fps} a second\n")
    print("| | cameras | frames/s each | slowest | dropped | age, ms | p95 | told, ms | machine | its CPU |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for count in given.cameras:
        for road in ROADS:
            if any(word in road for word in given.only.split(",")):
                with tempfile.TemporaryDirectory() as folder:
                    print(row(road, count, in_processes(given, road, count, Path(folder)), given), flush=True)


def in_processes(given: argparse.Namespace, road: str, count: int, folder: Path) -> dict[str, Any]:
    """Start the cameras and one road, each in a process of its own; return what the road measured."""
    shared = [*map(str, given.videos), "--fps", str(given.fps), "--size", given.size]
    shared += ["--seconds", str(given.seconds), "--cameras", str(count), "--weights", given.weights]
    shared += ["--stamped"] if road.startswith("ultralytics") else []
    command = [sys.executable, "-m", "benchmarks.cameras", *shared]
    server = subprocess.Popen([*command, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None and server.stdout is not None
    told = folder / "told.jsonl"

    def note() -> None:  # what the server tells: where the cameras are, and who began with which picture
        with told.open("w", encoding="utf-8", buffering=1) as out:
            out.writelines(iter(server.stdout.readline, ""))  # type: ignore[union-attr]

    reader = threading.Thread(target=note)
    reader.start()
    try:
        while not told.exists() or not told.read_text(encoding="utf-8").count("\n"):
            time.sleep(0.05)
        ran = subprocess.run([*command, "--one", road, str(folder)], capture_output=True, text=True)
    finally:
        server.stdin.close()
        server.wait()
        reader.join()
    answered = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if not answered:  # whatever the exit status is: their threads may end in an error after all is said
        return {"error": (ran.stderr.strip().splitlines() or ["?"])[-1]}
    answer: dict[str, Any] = json.loads(answered[-1])
    return answer


def row(road: str, count: int, found: dict[str, Any], given: argparse.Namespace) -> str:
    """Return one line of the table."""
    if "error" in found:
        return f"| {road} | {count} | left out: {found['error']} |"
    rates = found["rates"]
    dropped = 1 - min(1.0, statistics.mean(rates) / given.fps)
    told = f"{found['told_ms']:.0f}" if found["told_ms"] is not None else ""
    return (
        f"| {road} | {count} | {statistics.mean(rates):.1f} | {min(rates):.1f} | {dropped:.0%} "
        f"| {np.median(found['ages_ms']):.0f} | {np.percentile(found['ages_ms'], 95):.0f} | {told} "
        f"| {100 * found['machine']:.0f} of {100 * (os.cpu_count() or 1)} % | {100 * found['own']:.0f} % |"
    )


class Camera(RtspServer):
    """Sends encoded pictures in a circle, picture k at ``began + k / fps``, whoever watches."""

    def __init__(self, name: int, circle: list[bytes], key_every: int, fps: int, began: float) -> None:
        super().__init__(lambda: np.zeros((2, 2, 3), np.uint8), fps)
        self._name, self._circle, self._key_every, self._began = name, circle, key_every, began

    def _encoded(self) -> Iterator[bytes]:
        number = int((time.time() - self._began) * self.fps) // self._key_every * self._key_every
        number += self._key_every
        with TELLING:
            print(json.dumps({"camera": self._name, "first": number}), flush=True)
        while self._alive:
            time.sleep(max(0.0, self._began + number / self.fps - time.time()))
            yield self._circle[number % len(self._circle)]
            number += 1


def serve(given: argparse.Namespace) -> None:
    """Send the videos until standard input ends; tell addresses and who began with which picture."""
    count = given.cameras[0]
    size = tuple(map(int, given.size.split("x")))
    began = time.time() + 1.0
    cameras = [
        Camera(place, circle(given, place, (size[0], size[1])), given.fps, given.fps, began)
        for place in range(count)
    ]
    for camera in cameras:
        camera.start()
    print(json.dumps({"urls": [camera.url for camera in cameras], "began": began}), flush=True)
    sys.stdin.read()
    for camera in cameras:
        camera.kill()


def circle(given: argparse.Namespace, place: int, size: tuple[int, int]) -> list[bytes]:
    """Return 20 s of a video, encoded, a key frame each second; the number stands in it if need be."""
    video = given.videos[place % len(given.videos)]
    frames = 20 * given.fps
    with open_source(video) as source:
        step = max(1, round(source.fps / given.fps))
        skip = place // len(given.videos) * 5 * given.fps  # another part of it
        pictures = [
            cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA)
            for index, frame in enumerate(source)
            if index % step == 0 and index // step < skip + frames
        ][skip:]
    # There and back again, so that nothing jumps.
    pictures = (pictures + pictures[-2:0:-1])[:frames] or pictures
    pictures = pictures[: len(pictures) // given.fps * given.fps]
    context = encoder(size, given.fps, preset="veryfast", crf="23", **{"x264-params": "scenecut=0"})
    context.gop_size = given.fps
    encoded: list[bytes] = []
    for number, image in enumerate(pictures):
        if given.stamped:
            image[:STRIP] = stamped((size[0] // BITS * BITS, STRIP), number)[:, : size[0]]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "bgr24")
        frame.pts, frame.time_base = number, Fraction(1, given.fps)
        encoded += map(bytes, context.encode(frame))
    assert len(encoded) == len(pictures)
    return encoded


class Told:
    """What the server tells: where the cameras are, and with which picture each connection began."""

    def __init__(self, folder: Path, fps: int) -> None:
        self._path, self._fps = folder / "told.jsonl", fps
        first = json.loads(self._path.read_text(encoding="utf-8").splitlines()[0])
        self.urls: list[str] = first["urls"]
        self.began: float = first["began"]

    def first(self) -> dict[int, int]:
        """Return the first picture of the last connection to each camera."""
        lines = self._path.read_text(encoding="utf-8").splitlines()[1:]
        return {line["camera"]: line["first"] for line in map(json.loads, lines)}

    def left(self, number: int) -> float:
        """Return when a picture was sent."""
        return self.began + number / self._fps


def run_one(given: argparse.Namespace, road: str, folder: Path) -> dict[str, Any]:
    """Follow all cameras on one road, and return what was measured."""
    told = Told(folder, given.fps)
    seen: list[tuple[int, int, float]] = []  # camera, picture, when its result came
    begun: tuple[float, float, float] | None = None
    extra: dict[str, Any] = {"told_ms": None}
    ways = theirs if road.startswith("ultralytics") else ours
    first_at: float | None = None
    for camera, number in ways(given, ROADS[road], told, folder, extra):
        now = time.time()
        first_at = first_at or now
        if begun is None:
            if now - first_at < WARM_S:
                continue
            begun = now, time.process_time(), busy_s()
        seen.append((camera, number, now))
        if now - begun[0] > given.seconds:
            break
    assert begun is not None
    wall = time.time() - begun[0]
    counts = [sum(camera == each for each, _, _ in seen) for camera in range(len(told.urls))]
    return {
        "rates": [count / wall for count in counts],
        "ages_ms": ages_ms(seen, told, road, 20 * given.fps),
        "machine": (busy_s() - begun[2]) / wall,
        "own": (time.process_time() - begun[1]) / wall,
        **extra,
    }


def ages_ms(seen: list[tuple[int, int, float]], told: Told, road: str, around: int) -> list[float]:
    """Return how old each result was when it came."""
    if road.startswith("ultralytics"):  # the number in the picture is that in the circle
        ages = []
        for _, number, now in seen:
            latest = int((now - told.began) * told._fps)
            ages.append(1000 * (now - told.left(latest - (latest - number) % around)))
        return ages
    first = told.first()
    return [1000 * (now - told.left(first[camera] + index)) for camera, index, now in seen]


def ours(
    given: argparse.Namespace, road: dict[str, Any], told: Told, folder: Path, extra: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    from tracker.options import Options
    from tracker.run.multi import Several

    width, height = map(int, given.size.split("x"))
    half = f"0,{height // 2} {width // 2},{height // 2} {width // 2},{height} 0,{height}"
    options = Options(
        weights=given.weights,
        tracker="bytetrack",
        line=(f"0,{height // 2} {width},{height // 2}", f"{width // 2},0 {width // 2},{height}"),
        zone=(half,),
        **road,
    )
    with Several(told.urls, options, save=False) as several:
        places = {run.name: place for place, run in enumerate(several.runs)}
        try:
            for run, result in several:
                yield places[run.name], result.frame.index
        finally:
            delays = [run.session.source.delay_s for run in several.runs if run.session is not None]
            extra["told_ms"] = 1000 * statistics.median(delays)


def theirs(
    given: argparse.Namespace, road: dict[str, Any], told: Told, folder: Path, extra: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    from ultralytics import YOLO

    replace_torchvision()
    os.chdir(folder)
    Path("all.streams").write_text("\n".join(told.urls), encoding="utf-8")
    settings = Path("bytetrack.yaml")
    settings.write_text("\n".join(f"{key}: {value}" for key, value in THRESHOLDS.items()), encoding="utf-8")
    width, height = map(int, given.size.split("x"))
    copy = shutil.copyfile(given.weights, "model.pt")
    exported = YOLO(copy).export(
        format="openvino", imgsz=[height, width], batch=len(told.urls), dynamic=False, verbose=False
    )
    results = YOLO(exported, task="detect").track(
        "all.streams",
        stream=True,
        tracker=str(settings),
        conf=0.1,
        iou=0.7,
        agnostic_nms=True,
        imgsz=[height, width],
        device="cpu",
        verbose=False,
    )
    for index, result in enumerate(results):
        width = result.orig_img.shape[1] // BITS * BITS
        yield index % len(told.urls), round(1000 * stamp(result.orig_img[:STRIP, :width]))


def busy_s() -> float:
    """Return seconds that all cores together have worked since the machine began."""
    user, nice, system, _, _, irq, soft, steal = map(
        int, Path("/proc/stat").read_text(encoding="ascii").split()[1:9]
    )
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
