"""Whether memory stays level over a long file: ``python -m benchmarks.memory VIDEO``.

The file is repeated ``--times`` over, without being encoded again, and `track` writes its annotated video.
Printed is the resident memory of the process at each tenth of the run, and its peak.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from tracker.options import Options
from tracker.run.profile import peak_bytes
from tracker.run.session import Session


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--int8", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        long = Path(folder, f"long{options.video.suffix}")
        frames = repeat(options.video, long, options.times)
        print(f"{options.video.name} {options.times} times over, {frames} frames")
        print("\n| frame | resident, MB |\n|---|---|")
        chosen = Options(output=f"{folder}/out.mp4", int8=options.int8)
        with Session(str(long), chosen) as session:
            for index, _ in enumerate(session, start=1):
                if index in (200, frames) or index % max(frames // 10, 1) == 0:
                    print(f"| {index} | {resident_bytes() / 1e6:.0f} |", flush=True)
        rate = session.report.frames / session.report.elapsed_s()
        print(f"\npeak {peak_bytes() / 1e6:.0f} MB, {rate:.1f} fps")


def repeat(video: Path, long: Path, times: int) -> int:
    """Write the video's packets again and again, one after the other in time; return their number."""
    packets = 0
    with av.open(str(long), "w") as target:
        stream, shift = None, 0
        for _ in range(times):
            with av.open(str(video)) as source:
                original = source.streams.video[0]
                stream = stream or target.add_stream_from_template(original)
                first = end = None
                for packet in source.demux(original):
                    if packet.dts is None:
                        continue
                    first = packet.dts if first is None else first
                    end = packet.dts + (packet.duration or 1)
                    packet.dts += shift
                    packet.pts = None if packet.pts is None else packet.pts + shift
                    packet.stream = stream
                    target.mux(packet)
                    packets += 1
                shift += (end or 0) - (first or 0)
    return packets


def resident_bytes() -> int:
    """Return what the process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
