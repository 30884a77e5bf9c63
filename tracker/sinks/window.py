"""A window that shows the results of a run."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from tracker.contracts import Sink
from tracker.sinks import output_file, viewer
from tracker.types import EndRun, Image, OutputError, Result

END = {ord("q"), ord("Q"), 27}  # 27 is Esc
SAVE = {ord("s"), ord("S")}
TITLE_S = 0.5  # between two updates of the title
QUIET_S = 2.0  # without a picture, after which the title tells so; slow cameras send one per second
ANSWER_S = 20.0  # a display that has not answered by then is not usable
CLOSE_S = 1.0  # the longest that closing the window may take
LATE_S = 1.0  # a delay behind the source that the window no longer tries to catch up


class WindowSink(Sink):
    """Shows results at the pace of the source; ``q``, Esc or closing the window ends the run.

    Space pauses a file, ``s`` saves the picture as PNG in the working directory. The title has the frames
    per second and, of live sources, the age of the picture or for how long there was none. Without a display,
    with an OpenCV without windows, or when the display goes away, the run continues, with one line about it
    on standard error.
    """

    def __init__(self, title: str, painter: Callable[[Result], Image], *, live: bool = False) -> None:
        super().__init__()
        self.title = title
        self.blind = True  # until a picture was shown
        self._painter, self._live = painter, live
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._first: tuple[float, float] | None = None  # clock and media time from which the pace is measured
        self._shown, self._titled, self._status = 0, time.monotonic(), title
        self._wrote = time.monotonic()  # when the last picture was shown

    def __enter__(self) -> WindowSink:
        """Start the window's process; the window itself comes with the first picture."""
        reason = self._start()
        if reason is not None:
            self._give_up(reason)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the window and its process."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(timeout=CLOSE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._thread.join()
        process.stdout.close()

    def write(self, result: Result) -> None:
        """Show one result until the next is due; raises ``EndRun`` when the user closes the window."""
        if self._process is None:
            return
        hold_s = self._hold(result.frame.time)
        image = np.ascontiguousarray(self._painter(result))
        if self._send(self._describe(result), hold_s, image) in SAVE:
            self._save(image, result.frame.index)

    def on_idle(self) -> None:
        """Handle the window's events while no frame comes; raises ``EndRun`` as ``write`` does."""
        if self._process is None or self._first is None:
            return
        waited_s = time.monotonic() - self._wrote
        self._send(
            self._status if waited_s < QUIET_S else f"{self.title}: no picture for {waited_s:.0f} s", 0.0
        )

    def _send(self, title: str, hold_s: float, image: Image | None = None) -> int:
        """Show a picture, or the last one again; return the key pressed meanwhile, -1 for none."""
        assert self._process is not None and self._process.stdin is not None
        message = {
            "name": self.title,
            "title": title,
            "shape": None if image is None else image.shape,
            "hold_s": hold_s,
            "may_pause": not self._live,
        }
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            if image is not None:
                self._process.stdin.write(image.data)
            self._process.stdin.flush()
            answer = self._answer(hold_s + ANSWER_S)
        except OSError:
            answer = None
        if image is not None:
            self._wrote = time.monotonic()
        if answer is None:
            self._give_up("the display has gone")
            return -1
        key = -1 if answer == viewer.CLOSED else int(answer)
        if answer == viewer.CLOSED or key in END:
            raise EndRun(f"{self.title}: closed by the user")
        return key

    def _hold(self, media_s: float) -> float:
        """Return how long to show this picture, in seconds: a file is not shown faster than its own pace."""
        now = time.monotonic()
        if self._first is None or self._live:
            self._first = (now, media_s)
        ahead_s = self._first[0] + media_s - self._first[1] - now
        if ahead_s < -LATE_S:
            self._first = (now, media_s)
        return max(ahead_s, 0.0)

    def _describe(self, result: Result) -> str:
        now = time.monotonic()
        self._shown += 1
        self.blind = False
        if now - self._titled >= TITLE_S:
            delay = f", {max(time.time() - result.frame.time, 0) * 1000:.0f} ms old" if self._live else ""
            self._status = f"{self.title}: {self._shown / (now - self._titled):.1f} fps{delay}"
            self._titled, self._shown = now, 0
        return self._status

    def _save(self, image: Image, index: int) -> None:
        stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in self.title)
        path = Path(f"{stem}_{index:06d}.png")
        written, data = cv2.imencode(".png", image)
        with suppress(OutputError):
            if written:
                path = output_file.write(output_file.next_free(path), bytes(data), overwrite=False)
                print(f"saved {path}", file=sys.stderr)

    def _give_up(self, reason: str) -> None:
        self.__exit__(None, None, None)
        print(f"--show: {reason}; the run goes on without a window", file=sys.stderr)

    def _start(self) -> str | None:
        """Start the process; return why there can be no window, or None."""
        display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        if sys.platform.startswith("linux") and not display:
            return "this machine has no display ($DISPLAY is not set)"
        self._process = subprocess.Popen(
            [sys.executable, viewer.__file__, self.title],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._thread.start()
        answer = self._answer(ANSWER_S)
        if answer == viewer.READY:
            return None
        if answer == viewer.NO_WINDOWS:
            return "this OpenCV has no windows (opencv-python-headless); install opencv-python"
        return f"the display {display or ''} cannot be used".replace("  ", " ")

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._answers.put(line.decode().strip())
        self._answers.put(None)

    def _answer(self, patience_s: float | None) -> str | None:
        """Return the next answer; None if the process has ended or hangs."""
        try:
            answer = self._answers.get(timeout=patience_s)
        except queue.Empty:
            return None
        if answer != viewer.PAUSED:
            return answer
        self._first = None  # the pace is measured anew after the pause
        return self._answer(None)
