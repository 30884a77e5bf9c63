"""The page beside a run that the command line started: it shows, and changes lines and zones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from tracker.contracts import Sink
from tracker.options import Options
from tracker.run.listed import find_runs
from tracker.run.session import Companion, Session
from tracker.types import OptionError
from tracker.web.server import Server, Where
from tracker.web.station import Station, fix_shared
from tracker.web.watch import WatchSink
from tracker.zones import shapes


class Beside:
    """The page of one run or of several; opened by ``with`` around it.

    Where the options name no zone file, NAME_zones.yaml is taken; it is written when somebody draws.
    """

    def __init__(
        self, sources: Sequence[str], options: Options, where: Where, announce: Callable[[str], None]
    ) -> None:
        if options.refine:
            raise OptionError(
                "--web shows a run as it goes on, and --refine needs the whole file; leave one out"
            )
        self.options = options
        self._stations: dict[str, Station] = {}
        for number, run in enumerate(find_runs(sources), 1):
            zones = Path(run.zones or options.zones or f"{run.name}_zones.yaml")
            self._stations[run.name] = Station(number, run.name, False, zones)
        self.zones: dict[str, str] = {}  # by name of the source: what was drawn earlier
        for name, station in self._stations.items() if options.zones is None else ():
            if (drawn := station.counting.zone_file()) is not None:
                announce(f"lines and zones of {station.zones}, which were drawn earlier")
                self.zones[name] = drawn
        if len(self._stations) == 1:
            (station,) = self._stations.values()
            self.options = replace(options, zones=self.zones.get(station.name, options.zones))
        fix_shared([*self._stations.values()])
        self._server = Server([*self._stations.values()], where, announce)

    def __enter__(self) -> Beside:
        """Begin to serve."""
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End with the run."""
        self._server.__exit__(kind, error, trace)

    @property
    def companion(self) -> Companion:
        """The sink of a run that is alone."""
        (name,) = self._stations
        return self.companion_of(name)

    def companion_of(self, name: str) -> Companion:
        """Return what makes the sink of the run of this name."""
        station = self._stations[name]

        def attach(session: Session) -> Sink:
            scene, options = session.scene, session.options
            station.live = scene.live
            station.counting.fixed = [
                shapes.from_text(kind, text, number + 1, scene.size)
                for kind, texts in (("line", options.line), ("zone", options.zone))
                for number, text in enumerate(texts)
            ]
            station.attach(session)
            station.stop = session.stop.set
            return WatchSink(station, self._server.history, scene, detach=True)

        return attach
