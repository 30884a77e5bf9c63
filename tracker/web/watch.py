"""The page as a sink of a run: takes what happens, and never keeps the loop waiting."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Sequence
from types import TracebackType

from tracker.contracts import Sink
from tracker.sinks.events import event_row
from tracker.types import Event, Json, Result, Scene
from tracker.web.history import Happened, History
from tracker.web.picture import jpeg
from tracker.web.station import Station

WAITING = 1000  # frames with events that may wait for the disk
LOST = "events cannot be kept: is the disk full?"
PICTURE_WIDTH = 640  # of a doubtful event


class WatchSink(Sink):
    """Publishes the frames of one run to its station, and keeps its events in the history."""

    def __init__(
        self,
        station: Station,
        history: History,
        scene: Scene,
        *,
        pictures: bool = True,
        detach: bool = False,  # when the run has ended, where nobody else tells the station
    ) -> None:
        super().__init__()
        self._detach = detach
        self._pictures = pictures  # False: the frames are black, as when saved tracks are counted
        self._station, self._history, self._scene = station, history, scene
        self._queue: queue.Queue[tuple[Sequence[Event], Result | None] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._keep, name="history", daemon=True)
        self._missed = 0
        self._last_s = 0.0
        self._told: set[int] = set()  # events that a lost source has told already

    def __enter__(self) -> WatchSink:
        """Begin to write down."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until everything is written down."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=1)
        self._thread.join(2)
        if self._detach:
            self._station.detach("ended" if error is None else "failed", "" if error is None else str(error))
        if self._missed:
            self.warnings.append(
                f"the history misses the events of {self._missed} frames; the disk was too slow"
            )

    def write(self, result: Result) -> None:
        """Take one result."""
        self._last_s = result.frame.time
        events = [event for event in result.events if id(event) not in self._told]
        self._told.clear()
        if events:
            self._put((events, result))
        self._station.publish(result, picture=self._pictures)

    def notify(self, events: Sequence[Event]) -> None:
        """Take what happened to the source while no frame comes."""
        for event in events:
            if event.kind == "source.lost":
                self._station.state = "lost"
                self._station.message = str(event.data.get("reason", "")) or "no picture"
        self._told |= {id(event) for event in events}
        self._put((events, None))

    def on_idle(self) -> None:
        """Obey while no frame comes."""
        self._station.counting.obey()

    def finish(self, events: Sequence[Event], *, interrupted: bool = False) -> None:
        """Take what came after the last frame."""
        self._station.counting.close()
        if events:
            self._put((events, None))

    def state(self) -> Json:
        """Return until when the history has everything."""
        return {"last_s": self._last_s}

    def restore(self, state: Json, tracks: bool) -> None:
        """Remove what came after the state was saved: it will be counted again."""
        if tracks and state:
            self._history.forget_after(self._station.name, self._wall(float(state["last_s"])))

    @property
    def name(self) -> str:
        """The page."""
        return "web"

    def _put(self, item: tuple[Sequence[Event], Result | None]) -> None:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self._missed += 1

    def _wall(self, time_s: float) -> float:
        """Return the Unix time of a frame; of a file whose time is not known the second of the film."""
        wall = self._scene.wall(time_s) if self._scene.live else None
        return time_s if wall is None else wall.timestamp()

    def _keep(self) -> None:
        while (item := self._queue.get()) is not None:
            events, result = item
            try:
                doubtful = self._pictures and any("why" in event.data for event in events)
                seen = jpeg(result, self._station, PICTURE_WIDTH, 70) if result and doubtful else None
                self._history.add(self._station.name, [
                    Happened(self._wall(event.time), event.frame, event.counted_as if counts(event) else None,
                             event_row(event, self._scene), seen if "why" in event.data else None)
                    for event in events
                ])  # fmt: skip
                if self._station.message == LOST:
                    self._station.message = ""
            except Exception as error:  # what is shown must not end what is counted
                self._missed += 1
                self.warnings[:] = [str(error)]
                if not self._station.message:
                    self._station.message = LOST


def counts(event: Event) -> bool:
    """Whether an event is counted, and not only told."""
    return event.kind.partition(".")[0] in ("line", "zone") and event.shape is not None
