"""What wraps a source forwards whatever one may be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.tracker.fakes import frames
from tracker.contracts import Source
from tracker.sources.wrapper import SourceWrapper
from tracker.types import Event, Frame, Recorded


class Odd(Source):
    """A source that answers everything differently than `Source` does."""

    live, length, recorded = True, 3, Recorded(1.0, 2.0)
    fps, size = 7.0, (64, 48)
    queued, dropped, delay_s = 3, 5, 0.25

    def __init__(self) -> None:
        super().__init__("odd")
        self.warnings.append("odd indeed")
        self.calls: list[object] = []

    def __enter__(self) -> Odd:
        self.calls.append("enter")
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append("exit")

    def __iter__(self) -> Iterator[Frame]:
        return iter(frames(3))

    def drain_events(self) -> list[Event]:
        return [Event("source.lost", 1.0, 2)]

    def when_idle(self, call: Callable[[Sequence[Event]], None]) -> None:
        self.calls.append(call)

    def when_ready(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def unseen(self) -> str:
        return "no picture yet"


def test_everything_is_forwarded() -> None:
    odd = Odd()
    with SourceWrapper(odd) as wrapped:
        for name in {*vars(Source), *Source.__annotations__, "name", "warnings"}:
            value = None if name.startswith("_") else getattr(wrapped, name)
            if not name.startswith("_") and not callable(value):
                assert value == getattr(odd, name), name
        assert wrapped.drain_events() == odd.drain_events()
        assert [frame.index for frame in wrapped] == [0, 1, 2]
        assert wrapped.unseen() == "no picture yet"
        wrapped.when_idle(print)
        wrapped.when_ready(breakpoint)
    assert odd.calls == ["enter", print, breakpoint, "exit"]
