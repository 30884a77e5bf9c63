"""The time before the first picture of a live source, when nothing else of the run is open."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from tracker.contracts import Source
from tracker.options import Options
from tracker.sinks.actions import ActionSink, parse_action
from tracker.types import Event, Scene


class Waiting:
    """Opens what ``--on`` asks for before a live source is entered, so that a dead one is told at once.

    Size, rate and classes are not known yet; the actions learn them from `begin`. Raises ``OptionError``.
    """

    def __init__(self, options: Options, source: Source, stack: ExitStack) -> None:
        scene = Scene(source.name, (0, 0), 0.0, source.live, {})
        self.actions: list[ActionSink] = [parse_action(text, scene) for text in options.on]
        self.opened = source.live
        if self.opened:
            for action in self.actions:
                stack.enter_context(action)
            source.when_idle(self._tell)

    def begin(self, scene: Scene) -> None:
        """Tell what is known with the first picture."""
        for action in self.actions:
            action.scene = scene

    def give_up(self, *, interrupted: bool) -> None:
        """End without a picture."""
        for action in self.actions:
            action.finish((), interrupted=interrupted)

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            for action in self.actions:
                action.notify(events)
