"""A source that wraps another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from tracker.contracts import Source
from tracker.types import Event, Frame


class SourceWrapper(Source):
    """Forwards everything to the wrapped source; subclasses override what they change."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.name)
        self.source = source
        self.live, self.warnings = source.live, source.warnings

    def __enter__(self) -> SourceWrapper:
        """Open; raises ``InputError``."""
        source = self.source
        source.__enter__()
        self.fps, self.size, self.length = source.fps, source.size, source.length
        self.sound, self.recorded = source.sound, source.recorded
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.source.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        return iter(self.source)

    @property
    def queued(self) -> int:
        """How many frames are ready and not yet asked for."""
        return self.source.queued

    @property
    def dropped(self) -> int:
        """How many frames were given up to stay live."""
        return self.source.dropped

    @property
    def delay_s(self) -> float:
        """Median age of recent frames."""
        return self.source.delay_s

    def drain_events(self) -> list[Event]:
        """Return what happened to the source since the last call."""
        return self.source.drain_events()

    def when_idle(self, call: Callable[[Sequence[Event]], None]) -> None:
        """Let ``call`` be called while no frame comes."""
        self.source.when_idle(call)

    def when_ready(self, call: Callable[[], None]) -> None:
        """Let ``call`` be called when a frame is there."""
        self.source.when_ready(call)

    def unseen(self) -> str | None:
        """Return why no picture has come at all."""
        return self.source.unseen()
