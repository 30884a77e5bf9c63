"""The tutorial's exercise, a skater and the board: ``python -m benchmarks.skaters [--tracker KIND]``.

Needs ../shared. Prints every number that a tracker gave on the clip, with its class and the frames it was
seen in. The skater is one person on one board; a second "skateboard" of a few frames around 2.7 s is the edge
of a ledge, which the detector takes for one.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

from benchmarks.identities import SHARED
from tracker.options import Options
from tracker.run.session import Session

CLIP = SHARED / "data/videos/adirbru_skateboard.mp4"


def main() -> None:
    """Print one line per number."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracker", default=Options.tracker)
    arguments = parser.parse_args()
    options = Options(classes=("person", "skateboard"), tracker=arguments.tracker, lost=4.0)
    frames: dict[int, list[int]] = defaultdict(list)
    names = {}
    with Session(CLIP, options) as session:
        for result in session:
            for track_id, class_id in zip(
                result.tracks.track_id.tolist(), result.tracks.class_id.tolist(), strict=True
            ):
                frames[track_id].append(result.frame.index)
                names[track_id] = {0: "person", 36: "skateboard"}.get(class_id, str(class_id))
    for track_id, seen in sorted(frames.items()):
        print(f"{track_id:3d} {names[track_id]:12s} frames {seen[0]} to {seen[-1]}, seen in {len(seen)}")


if __name__ == "__main__":
    main()
