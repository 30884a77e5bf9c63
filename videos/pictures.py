"""Make the pictures of the manual again: ``python -m videos.pictures`` in the root of the repository.

Runs the manual's own commands on the sample clip and keeps one frame of what each writes, as a JPEG.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

from videos.street import render

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "docs" / "counting.md", ROOT / "docs" / "zones.md")
PICTURES = ROOT / "docs" / "pictures"
MOMENTS = {"door.mp4": 5.2, "lanes.mp4": 9.4, "wait.mp4": 5.9}  # what is written -> second shown
QUALITY = 85


def commands(text: str) -> list[list[str]]:
    """Return the commands of a page that write one of the videos, as words.

    >>> commands("track a.mp4 -o door.mp4  # who comes in\\ntrack b.mp4 -o b.mp4")
    [['track', 'a.mp4', '-o', 'door.mp4']]
    """
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.startswith("track ")]
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for command in words if command[-1] in MOMENTS]


def files(text: str) -> dict[str, str]:
    """Return the zone files of a page by the name in their first line, ``# NAME.yaml``."""
    blocks = re.findall(r"```yaml\n(# ([\w.]+)\n.*?)```", text, re.DOTALL)
    return {name: block for block, name in blocks}


def main() -> None:
    """Run the commands and keep the pictures."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    with tempfile.TemporaryDirectory() as folder:
        render(folder)
        for name, content in files(text).items():
            Path(folder, name).write_text(content, "utf-8")
        for command in commands(text):
            subprocess.run([sys.executable, "-m", "tracker", *command[1:]], cwd=folder, check=True)
            video = command[-1]
            recording = cv2.VideoCapture(str(Path(folder, video)))
            recording.set(cv2.CAP_PROP_POS_MSEC, 1000 * MOMENTS[video])
            picture = recording.read()[1]
            place = PICTURES / f"{Path(video).stem}.jpg"
            place.write_bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
            print(place)


if __name__ == "__main__":
    main()
