"""Make the pictures of the manual again: ``python -m videos.pictures`` in the root of the repository.

Runs the manual's own commands on the sample clip and keeps one frame of what each writes, as a JPEG.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

from videos.street import render

ROOT = Path(__file__).parent.parent
PAGES = tuple(ROOT / "docs" / f"{name}.md" for name in ("counting", "zones", "trackers"))
PICTURES = ROOT / "docs" / "pictures"
OF_TRACKERS = tuple(
    f"{name}.mp4" for name in ("sort", "deepsort", "strongsort", "bytetrack", "botsort", "motion")
)
MOMENTS = {  # what is written -> second shown
    **{"door.mp4": 5.2, "lanes.mp4": 9.4, "wait.mp4": 5.9},
    **dict.fromkeys(OF_TRACKERS, 8.2),
}
SMALL = 640, 360  # width, height of those of trackers: they are looked at side by side
QUALITY = 85


def commands(text: str) -> list[list[str]]:
    """Return the commands of a page that write one of the videos, or boxes for them, as words.

    >>> commands("track a.mp4 -o door.mp4  # who comes in\\ntrack b.mp4 -o b.mp4")
    [['track', 'a.mp4', '-o', 'door.mp4']]
    """
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.startswith("track ")]
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for command in words if command[-1] in MOMENTS or "--save-detections" in command]


def files(text: str) -> dict[str, str]:
    """Return the zone files of a page by the name in their first line, ``# NAME.yaml``."""
    blocks = re.findall(r"```yaml\n(# ([\w.]+)\n.*?)```", text, re.DOTALL)
    return {name: block for block, name in blocks}


def main() -> None:
    """Run the commands and keep the pictures."""
    argparse.ArgumentParser(prog="python -m videos.pictures", description=__doc__).parse_args()
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    with tempfile.TemporaryDirectory() as folder:
        render(folder)
        for name, content in files(text).items():
            Path(folder, name).write_text(content, "utf-8")
        for command in commands(text):
            subprocess.run([sys.executable, "-m", "tracker", *command[1:]], cwd=folder, check=True)
            video = command[-1]
            if video not in MOMENTS:
                continue
            recording = cv2.VideoCapture(str(Path(folder, video)))
            recording.set(cv2.CAP_PROP_POS_MSEC, 1000 * MOMENTS[video])
            picture = recording.read()[1]
            if video in OF_TRACKERS:
                picture = cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA)
            place = PICTURES / f"{Path(video).stem}.jpg"
            place.write_bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
            print(place)


if __name__ == "__main__":
    main()
