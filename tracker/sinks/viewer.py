"""The process of ``WindowSink``: a script that shows the pictures it gets on standard input.

It is a separate process because Qt ends the whole process when a display goes away, and because OpenCV's
windows hang in a process that loaded PyAV first (PyAV issue 978, OpenCV issue 29195). It imports nothing of
the package.

It answers ``READY`` or ``NO_WINDOWS`` once, then for each picture the key pressed before its time was over
(-1 for none) or ``CLOSED``; ``PAUSED`` tells that the answer may take long.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

import cv2
import numpy as np

READY, NO_WINDOWS, CLOSED, PAUSED = "ready", "no windows", "closed", "paused"
PAUSE = ord(" ")
LARGEST = (1600, 900)  # pixels; a larger picture begins in a smaller window
STEP_MS = 20  # between two polls of the keyboard


def main(name: str) -> None:
    """Serve pictures until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the run, which then closes this process
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output of libraries must not be taken for an answer
    try:
        cv2.namedWindow(name, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    except cv2.error:
        print(NO_WINDOWS, file=answers)
        return
    print(READY, file=answers)
    sized = False
    while line := sys.stdin.buffer.readline():
        message = json.loads(line)
        if message["shape"] is not None:  # else the last picture remains
            height, width, channels = message["shape"]
            data = sys.stdin.buffer.read(height * width * channels)
            if len(data) < height * width * channels:
                return
            if not sized:
                scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
                cv2.resizeWindow(name, round(width * scale), round(height * scale))
                sized = True
            cv2.imshow(name, np.frombuffer(data, np.uint8).reshape(height, width, channels))
        cv2.setWindowTitle(name, message["title"])
        print(wait(name, message, answers), file=answers)


def wait(name: str, message: Any, answers: Any) -> int | str:
    """Handle the window's events until the picture's time is over; return the key pressed, or -1."""
    due = time.monotonic() + message["hold_s"]
    paused = False
    key = int(cv2.pollKey())
    while cv2.getWindowProperty(name, cv2.WND_PROP_VISIBLE) >= 1:
        if key == PAUSE and message["may_pause"]:
            paused = not paused
            if paused:
                print(PAUSED, file=answers)
        elif key >= 0:
            return key & 0xFF
        left_ms = float(STEP_MS) if paused else (due - time.monotonic()) * 1000
        if left_ms <= 0:
            return -1
        key = int(cv2.waitKey(max(min(STEP_MS, int(left_ms)), 1)))
    return CLOSED


if __name__ == "__main__":
    main(sys.argv[1])
