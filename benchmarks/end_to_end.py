"""Frames per second from a video file to tracks, ours beside ultralytics' own, in one run.

    python -m benchmarks.end_to_end VIDEO [--frames N] [--rounds N] [--only WORDS] [--json FILE]

Every road runs in a process of its own, in turns, round by round, so that a machine that gets slower or
busier does so for all of them. Same weights, network size, score floor, overlap, tracker (ByteTrack) and
thresholds on both sides. OpenVINO chooses bf16 by itself where the processor has it, theirs as ours; the
column "exact" tells what ours ran in.
Frames per second count from the first result to the last; the median over the rounds is shown. On a machine
that does other things too, CPU seconds per frame tell more than frames per second.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from tracker.run.profile import peak_bytes

BASE = "ultralytics torch, video"
ROADS: dict[str, dict[str, Any]] = {
    BASE: {"who": "ultralytics", "model": "torch", "save": True},
    "ultralytics openvino, video": {"who": "ultralytics", "model": "openvino", "save": True},
    "ultralytics openvino, numbers": {"who": "ultralytics", "model": "openvino", "save": False},
    "ours torch, video": {"who": "ours", "backend": "torch", "save": True},
    "ours openvino, video": {"who": "ours", "backend": "openvino", "save": True},
    "ours openvino, numbers": {"who": "ours", "backend": "openvino", "save": False},
    "ours openvino fp32, video": {"who": "ours", "backend": "openvino", "save": True, "precision": "fp32"},
    "ours openvino, all, video": {"who": "ours", "backend": "openvino", "save": True, "look": "all"},
    "ours openvino int8, video": {"who": "ours", "backend": "openvino", "save": True, "int8": True},
    "ours openvino int8, numbers": {"who": "ours", "backend": "openvino", "save": False, "int8": True},
}
THRESHOLDS: dict[str, Any] = {
    "tracker_type": "bytetrack",
    "track_high_thresh": 0.5,
    "track_low_thresh": 0.1,
    "new_track_thresh": 0.6,
    "track_buffer": 30,
    "match_thresh": 0.8,
    "fuse_score": True,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video")
    parser.add_argument("--weights", default="yolov8n.pt")
    parser.add_argument("--imgsz", type=int, default=640)
    parser.add_argument("--frames", type=int, default=200, help="frames per run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", help="roads whose name holds one of these comma separated words")
    parser.add_argument("--json", type=Path, help="keep every run")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(ROADS[options.one], options)))
        return
    from tracker.detectors.weights import find_weights

    options.weights = str(find_weights(options.weights).resolve())
    words = options.only.split(",") if options.only else [""]
    runs: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ROADS if any(word.strip() in name for word in words)
    }
    with tempfile.TemporaryDirectory() as folder:
        options.exported = prepare(options, Path(folder), list(runs))
        for turn in range(options.rounds):
            for name in list(runs):
                print(f"round {turn + 1} of {options.rounds}: {name}", end="\r", file=sys.stderr)
                answer = in_a_process(name, options, Path(folder))
                if "error" in answer:
                    print(f"{name}: left out: {answer['error']}", file=sys.stderr)
                    del runs[name]
                else:
                    runs[name].append(answer)
    print(" " * 78, end="\r", file=sys.stderr)
    print(table(runs, options))
    if options.json:
        kept = {
            "machine": machine(),
            "video": Path(options.video).name,
            "frames": options.frames,
            "runs": runs,
        }
        options.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def prepare(options: Any, folder: Path, names: list[str]) -> str:
    """Convert models before anything is timed; return where ultralytics' own export lies."""
    from tracker.detectors.openvino_model import converted

    converted(Path(options.weights))
    if not any("ultralytics openvino" in name for name in names):
        return ""
    import shutil

    from ultralytics import YOLO

    copy = shutil.copyfile(options.weights, folder / "model.pt")
    return str(YOLO(copy).export(format="openvino", imgsz=input_size(options), verbose=False))


def frame_rate(video: str) -> float:
    """Return frames per second, by which ultralytics' buffer of frames becomes seconds."""
    from tracker.sources import open_source

    with open_source(video) as source:
        return source.fps


def input_size(options: Any) -> list[int]:
    """Return height and width of the network's input for this video."""
    from tracker.detectors.letterbox import Letterbox
    from tracker.sources import open_source

    with open_source(options.video) as source:
        width, height = source.size
    return list(Letterbox.fit((height, width), (options.imgsz, options.imgsz)).shape)


def in_a_process(name: str, options: Any, folder: Path) -> dict[str, Any]:
    """Run one road in a process of its own; add its CPU seconds and peak memory."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.end_to_end",
        str(Path(options.video).resolve()),
        "--one",
        name,
    ]
    command += ["--weights", options.exported if "ultralytics openvino" in name else options.weights]
    command += ["--imgsz", str(options.imgsz), "--frames", str(options.frames)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "YOLO_AUTOINSTALL": "False"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if ran.returncode:
        return {"error": (ran.stderr.strip().splitlines() or ["?"])[-1]}
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def run_one(road: dict[str, Any], options: Any) -> dict[str, Any]:
    """Run one road and return what was measured."""
    boxes: list[int] = []
    extra: dict[str, Any] = {}
    begin = time.perf_counter()
    results = (ours if road["who"] == "ours" else theirs)(road, options, extra)
    first, cpu = 0.0, 0.0
    for count in results:
        if not boxes:
            first, cpu = time.perf_counter(), time.process_time()
        boxes.append(count)
    end = time.perf_counter()
    return {
        "fps": (len(boxes) - 1) / (end - first),
        "cpu_s": (time.process_time() - cpu) / (len(boxes) - 1),
        "start_s": first - begin,
        "peak_bytes": peak_bytes(),
        "boxes": sum(boxes) / len(boxes),
        "frames": len(boxes),
        **extra,
    }


def ours(road: dict[str, Any], options: Any, extra: dict[str, Any]) -> Iterator[int]:
    from tracker.options import Options
    from tracker.run.session import Session

    chosen = Options(
        weights=options.weights,
        imgsz=options.imgsz,
        backend=road["backend"],
        int8=road.get("int8", False),
        look=road.get("look", "auto"),
        precision=road.get("precision", "auto"),
        tracker="bytetrack",
        conf=THRESHOLDS["track_high_thresh"],
        new_track_thresh=THRESHOLDS["new_track_thresh"],
        match_thresh=THRESHOLDS["match_thresh"],
        lost=THRESHOLDS["track_buffer"] / frame_rate(options.video),
        max_frames=options.frames,
        output="out.mp4" if road["save"] else None,
        overwrite=True,
    )
    with Session(options.video, chosen) as session:
        for result in session:
            yield len(result.tracks)
        if session.detector.idle_share is not None:
            extra["idle"] = session.detector.idle_share
        extra["exact"] = session.detector.description.rsplit(", ", 1)[-1]
    extra["stages_s"] = {name: spent / options.frames for name, spent in session.stopwatch.seconds.items()}


def theirs(road: dict[str, Any], options: Any, extra: dict[str, Any]) -> Iterator[int]:
    from ultralytics import YOLO

    replace_torchvision()
    settings = Path("bytetrack.yaml")
    settings.write_text("\n".join(f"{key}: {value}" for key, value in THRESHOLDS.items()), encoding="utf-8")
    size = options.imgsz if road["model"] == "torch" else input_size(options)
    results = YOLO(options.weights, task="detect").track(
        options.video,
        stream=True,
        save=road["save"],
        project=str(Path.cwd()),
        exist_ok=True,
        tracker=str(settings),
        conf=0.1,
        iou=0.7,
        agnostic_nms=True,
        imgsz=size,
        device="cpu",
        verbose=False,
    )
    for index, result in enumerate(results, start=1):
        yield 0 if result.boxes.id is None else len(result.boxes)
        if index == options.frames:
            return


def replace_torchvision() -> None:
    """Let ultralytics run where torchvision is not here, or not of this torch: it suppresses boxes itself."""
    from ultralytics.utils.nms import TorchNMS

    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        stub: Any = ModuleType("torchvision")
        stub.ops = SimpleNamespace(nms=TorchNMS.nms)
        sys.modules["torchvision"] = stub


def table(runs: dict[str, list[dict[str, Any]]], options: Any) -> str:
    """Return the medians as Markdown."""

    def median(name: str, key: str) -> float:
        return statistics.median(run[key] for run in runs[name])

    base = median(BASE, "fps") if runs.get(BASE) else None
    base_cpu = median(BASE, "cpu_s") if runs.get(BASE) else None
    lines = [
        f"{machine()}; {Path(options.video).name}, {options.frames} frames, {options.rounds} rounds",
        "",
        "| road | exact | frames/s | ratio | CPU ms/frame | less CPU | start s | peak MB | tracks/frame "
        "| idle | stages, ms |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, answers in runs.items():
        if not answers:
            continue
        fps, cpu = median(name, "fps"), median(name, "cpu_s")
        stages = {
            key: statistics.median(run["stages_s"][key] for run in answers)
            for key in answers[0].get("stages_s", {})
        }
        shown = ", ".join(f"{key} {1000 * spent:.1f}" for key, spent in stages.items())
        idle = f"{median(name, 'idle'):.0%}" if "idle" in answers[0] else ""
        lines.append(
            f"| {name} | {answers[0].get('exact', '')} | {fps:.1f} | {f'{fps / base:.2f}' if base else ''} "
            f"| {1000 * cpu:.0f} "
            f"| {f'{base_cpu / cpu:.2f}' if base_cpu else ''} | {median(name, 'start_s'):.1f} "
            f"| {median(name, 'peak_bytes') / 1e6:.0f} | {median(name, 'boxes'):.2f} "
            f"| {idle} | {shown} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """Return processor, cores and versions."""
    name = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        name = next(
            (line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line),
            name,
        )
    import torch
    import ultralytics

    return f"{name}, {os.cpu_count()} cores, torch {torch.__version__}, ultralytics {ultralytics.__version__}"


if __name__ == "__main__":
    main()
