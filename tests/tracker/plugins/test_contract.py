"""What every plugin promises its host, and what the host promises every plugin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest

from bytetrack import Tracks
from tests.tracker.plugins.stage import NAMES, standing
from tracker.contracts import Plugin, PluginLike
from tracker.plugin_host import HOOKS, Host
from tracker.plugins import available, make
from tracker.plugins.line import Line
from tracker.plugins.movement import Movement
from tracker.types import Canvas, Event, Frame, Picture, PluginError, Scene

SCENE = Scene("street.mp4", (640, 480), 10.0, False, NAMES)
FRAMES, CUT = 40, 25
OPTIONS: dict[str, dict[str, Any]] = {
    "line": {"points": [(320, 0), (320, 480)]},
    "zone": {"points": [(200, 100), (450, 100), (450, 470), (200, 470)], "loiter_s": 1.0},
    "speed": {
        "image": [(100, 460), (540, 460), (400, 200), (240, 200)],
        "metres": "10x20",
        "limit_kmh": 5.0,
    },
    "follow": {"target": "1"},
    "movement": {"sections": ["left", "right"]},
}


@dataclass
class Crowd:
    """As somebody else writes one: no base class, nothing but ``update``."""

    limit: int = 2

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        if len(tracks) >= self.limit:
            yield Event("crowd.full", frame.time, frame.index, data={"present": len(tracks)})


@dataclass
class Derived(Plugin):
    """The same, derived."""

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        return Crowd().update(frame, tracks)


OURS = sorted(name for name, entry in available().items() if entry.value.startswith("tracker."))
MAKERS: dict[str, Callable[[], PluginLike]] = {
    **{name: partial(make, name, **OPTIONS.get(name, {})) for name in OURS},
    "somebody else's": Crowd,
    "derived": Derived,
}


@pytest.fixture(params=MAKERS)
def made(request: pytest.FixtureRequest) -> Callable[[], PluginLike]:
    return MAKERS[request.param]


def moments(first: int = 0, last: int = FRAMES) -> list[tuple[Frame, Tracks]]:
    """Two people who cross the picture in opposite directions, and a car that stands."""
    picture = np.full((480, 640, 3), 90, np.uint8)
    picture.flags.writeable = False
    shown = []
    for index in range(first, last):
        step = 12.0 * index
        tracks = standing({1: (80 + step, 400), 2: (560 - step, 300), 3: (350, 250)}, classes=[0, 0, 2])
        for column in filter(lambda one: one is not None, vars(tracks).values()):
            column.flags.writeable = False
        shown.append((Frame(picture, index, index / 10), tracks))
    return shown


def started(plugin: PluginLike) -> Host:
    """A host of this plugin, which is the last, and of those whose events it needs."""
    ways = {"left": (120, "right"), "right": (520, "left")} if isinstance(plugin, Movement) else {}
    lines = [Line([(x, 0), (x, 480)], name, towards=way) for name, (x, way) in ways.items()]
    host = Host([*lines, plugin])
    host.start(SCENE)
    return host


def told(events: Iterable[Event]) -> list[Any]:
    return [json.loads(json.dumps(vars(event), default=np.ndarray.tolist)) for event in events]


def played(host: Host, shown: Iterable[tuple[Frame, Tracks]], *, sketch: bool = False) -> list[Any]:
    return told(event for frame, tracks in shown for event in host.look(frame, tracks, sketch=sketch)[0])


class TestEveryPlugin:
    def test_sees_frames_that_nobody_may_change_and_has_a_last_word(
        self, made: Callable[[], PluginLike]
    ) -> None:
        host = started(made())
        events = played(host, moments(), sketch=True) + told(host.finish())
        assert events or list(host.files()), "it has seen something"
        assert host.errors == []

    @pytest.mark.slow
    def test_leaves_only_what_it_announced(self, made: Callable[[], PluginLike]) -> None:
        host = started(made())
        announced = host.leaves(host.members[-1])
        played(host, moments())
        host.finish()
        left = list(host.files())
        assert sorted(suffix for _, suffix, _ in left) == sorted(announced)
        for _, _, content in left:
            assert isinstance(content, Picture) or json.dumps(content)

    def test_has_rows_of_two_texts_for_the_table(self, made: Callable[[], PluginLike]) -> None:
        host = started(made())
        played(host, moments())
        host.finish()
        for rows in host.summaries():
            assert all(isinstance(text, str) and text for row in rows for text in row)

    def test_what_it_draws_changes_nothing(self, made: Callable[[], PluginLike]) -> None:
        drawn, blind = started(made()), started(made())
        assert played(drawn, moments(), sketch=True) == played(blind, moments())
        assert told(drawn.finish()) == told(blind.finish())

    def test_goes_on_from_a_state_as_if_never_cut(self, made: Callable[[], PluginLike]) -> None:
        whole, first, second = started(made()), started(made()), started(made())
        expected = played(whole, moments()) + told(whole.finish())
        events = played(first, moments(last=CUT))
        states = json.loads(json.dumps(first.states()))
        if not states:  # a plugin without a state begins anew, and this one remembers nothing
            assert type(second.members[-1].given) in (Crowd, Derived)
        for member in second.members:
            if member.key in states:
                member.plugin.restore(states[member.key], True)
        assert events + played(second, moments(CUT)) + told(second.finish()) == expected
        assert second.summaries() == whole.summaries()

    def test_sees_no_tracks_too(self, made: Callable[[], PluginLike]) -> None:
        host = started(made())
        empty = [(frame, Tracks.empty()) for frame, _ in moments()]
        assert played(host, empty, sketch=True) == []
        host.finish()
        assert host.errors == []


class TestTheHost:
    def test_knows_every_method_of_a_plugin(self) -> None:
        assert set(HOOKS) == {
            *("update", "start", "hear", "draw", "finish", "summary", "files", "leaves", "state", "restore")
        }

    @pytest.mark.parametrize("base", [object, Plugin], ids=["plain", "derived"])
    @pytest.mark.parametrize("hook", [name for name in HOOKS if name != "restore"])
    def test_names_plugin_method_frame_and_time(self, base: type, hook: str) -> None:
        """Of ``restore`` the test of a run tells: only that knows when the state was taken."""

        def fail(self: object, *_: object) -> None:
            raise ValueError("no such thing")

        broken: Any = type("Broken", (base,), {"update": Crowd.update, "limit": 3, hook: fail})
        host = Host([broken(), MAKERS["line"]()])
        when = "before the first frame" if hook in ("start", "leaves") else r"at frame 1 \(0\.10 s\)"
        with pytest.raises(
            PluginError, match=rf"plugin Broken\.{hook} failed {when}: ValueError: no such thing"
        ):
            host.start(SCENE)
            host.leaves(host.members[0])
            played(host, moments(1, 2), sketch=True)
            host.finish()
            list(host.files())
            host.summaries()
            host.states()
            raise host.errors[0]

    def test_asks_nobody_again_who_failed(self) -> None:
        class Broken(Crowd):
            asked = 0

            def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
                self.asked += 1
                raise ValueError

            def draw(self, canvas: Canvas) -> None:
                self.asked += 1

            def finish(self) -> Iterable[Event]:
                self.asked += 1
                return ()

        plugin = Broken()
        host = started(plugin)
        with pytest.raises(PluginError):
            played(host, moments(), sketch=True)
        host.finish()
        assert plugin.asked == 1

    def test_lets_everybody_hear_what_happened(self) -> None:
        @dataclass
        class Ear(Plugin):
            heard: list[list[str]] = field(default_factory=list)

            def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
                return ()

            def hear(self, events: Sequence[Event]) -> None:
                self.heard.append([event.kind for event in events])

            def finish(self) -> Iterable[Event]:
                return [Event("said", 0.0, 0, data={"heard": len(self.heard)})]

        first, last, zone = Ear(), Ear(), MAKERS["zone"]()
        host = Host([first, zone, last])
        host.start(SCENE)
        eventful = 1
        for index, (frame, tracks) in enumerate(moments(last=30)):
            events, _ = host.look(frame, tracks, [Event("source.back", 0.0, 0)] if index == 0 else ())
            eventful += index > 0 and bool(events)
        assert first.heard == last.heard
        assert first.heard[0] == ["source.back", "zone.enter"] and len(first.heard) == eventful
        said = [event.kind for event in host.finish()]
        assert set(said[:-2]) == {"zone.exit"} and said[-2:] == ["said", "said"], "who hears speaks last"
        assert first.heard[-1] == said[:-2] and last.heard[-1] == said[:-1]

    def test_tells_plugins_of_one_kind_apart(self) -> None:
        host = Host([make("line", points=OPTIONS["line"]["points"], name="door"), Crowd(), Crowd()])
        assert [member.key for member in host.members] == ["line door", "crowd", "crowd (2)"]
