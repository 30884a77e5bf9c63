from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av

from bytetrack import Detections, Tracks
from tracker.sinks import VideoSink
from tracker.sources import open_source
from tracker.types import Image, Result, Scene


def plain(result: Result) -> Image:
    return result.frame.image


def test_a_file_goes_through_whole(make_video: Callable[..., Path], tmp_path: Path) -> None:
    path = make_video(frames=12)
    out = tmp_path / "out.mp4"
    with open_source(path) as source:
        scene = Scene(source.name, source.size, source.fps, source.live, {})
        with VideoSink(out, scene, plain) as sink:
            for frame in source:
                sink.write(Result(frame, Detections.empty(), Tracks.empty()))
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        times = [float(f.pts * stream.time_base) for f in container.decode(stream)]
    assert times == [index / 25 for index in range(12)]
    assert {p.name for p in tmp_path.iterdir()} == {"clip.mp4", "out.mp4"}
