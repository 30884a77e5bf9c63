"""The lines and zones of one source: those of its zone file, each with an id that outlives its name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tracker.run.live_shapes import key_of, renamed
from tracker.types import Json, OptionError
from tracker.web.orders import ConflictError
from tracker.zones.edit import ShapeError, ZoneDocument, replace_file
from tracker.zones.file import KEYS, from_yaml
from tracker.zones.rewrite import Edited
from tracker.zones.shape_json import from_json, moved_to, to_json
from tracker.zones.shapes import Shape

MOST_SHAPES = 200
MOST_KEPT = 1000  # names of counters of earlier days
SETTLED_S = 1.0  # who writes the file by hand has finished when it has not changed for so long
Named = tuple[str, Shape]  # what it is called here for good, and how it is drawn


class BrokenFileError(OptionError):
    """The zone file cannot be used as it is; ``versions`` are earlier ones that can be brought back."""

    def __init__(self, text: str, version: str, versions: Sequence[str]) -> None:
        super().__init__(text)
        self.version, self.versions = version, versions


class Drawn:
    """The zone file of a source as it was read last; used by one thread at a time.

    ``memory`` is where ids, and who counted last, are kept for the time after a restart; None: nowhere.
    """

    def __init__(self, zones: Path, memory: Path | None = None) -> None:
        self.zones = zones
        self.version = ""  # of the file when it was read
        self.known: list[Named] | None = None  # None: not read yet
        self.problem = ""  # why the file cannot be used as it is now
        self.counted: dict[str, Shape] = {}  # id -> shape of the run of late
        self._keys: dict[str, Named] = {}  # key of a counter's state -> whose it is
        self._memory = memory
        self._remembered: dict[str, str] = {}  # name -> id, before the file was read
        self._seen: object = None  # what the file looked like when it was read
        self._pending: tuple[object, float] = (None, 0.0)  # what it looks like now, and since when
        self._number = 0
        self._recall()

    # -- the file

    def read(self, size: tuple[int, int], names: Mapping[int, str]) -> list[Named]:
        """Return the shapes, as the file has them; raises ``OptionError`` where it is wrong."""
        document = ZoneDocument(self.zones, size)
        looks = self._looks()
        version = document.version
        if self.known is None or version != self.version:
            try:
                found = document.read()
                for shape in found.shapes:
                    moved_to(shape, size)
                    if names:
                        shape.check(names)
            except OptionError as error:
                self.problem = str(error)
                raise
            ids = {shape.name: key for key, shape in self.known or ()} or self._remembered
            self.known = [(ids.get(shape.name) or self._fresh(), shape) for shape in found.shapes]
            self.version = version
            self._remember()
        self.problem, self._seen = "", looks
        return self.known

    def changed_by_hand(self) -> bool:
        """Whether somebody else has written the file since it was read, and has finished."""
        looks = self._looks()
        if looks == self._seen:
            self._pending = None, 0.0
            return False
        now = time.monotonic()
        if looks != self._pending[0] or not self._pending[1]:
            self._pending = looks, now
        return now - self._pending[1] >= SETTLED_S

    def look_away(self) -> None:
        """Do not read again what is wrong, before it changes."""
        self._seen = self._looks()

    def broken(self, error: OptionError, size: tuple[int, int]) -> BrokenFileError:
        """Return an error that tells what can be brought back instead."""
        document = ZoneDocument(self.zones, size)
        return BrokenFileError(str(error), document.version, document.versions())

    def wanted(
        self, given: Json, version: str, size: tuple[int, int], names: Mapping[int, str],
        taken: Iterable[str],
    ) -> tuple[str, list[Named]]:  # fmt: skip
        """Return the text of the file with the shapes that a page sent, and these; ``taken`` are names.

        Raises ``ConflictError`` where ``version`` is not the one that is there, `ShapeError` for a shape that
        cannot be used.
        """
        if version != ZoneDocument(self.zones, size).version:
            raise ConflictError("the shapes were changed by somebody else meanwhile")
        before = dict(self.read(size, names))
        if not isinstance(given, list) or len(given) > MOST_SHAPES:
            raise ShapeError(f"give a list of at most {MOST_SHAPES} shapes")
        fixed, used = set(taken), set[str]()
        wanted: list[Named] = []
        edited = []
        for index, each in enumerate(given):
            try:
                shape = from_json(each, size, names)
                if shape.name in fixed:
                    raise OptionError(f"the name {shape.name!r} is taken; names must differ")
                key = each.get("id")
                known = before.get(key) if isinstance(key, str) else None
                if known is not None and key in used:
                    raise OptionError(f"two shapes have the id {key!r}: send a new one without an id")
            except OptionError as error:
                raise ShapeError(str(error), index) from error
            used.add(key if known else "")
            wanted.append((key if known else self._fresh(), shape))
            edited.append(Edited(shape, known.name if known else None))
        return ZoneDocument(self.zones, size).changed(edited), wanted

    def earlier(self, name: str, version: str, size: tuple[int, int]) -> tuple[str, list[Named]]:
        """Return the text of an earlier version, and its shapes; raises as `wanted`.

        The file itself may be broken: that is what earlier versions are for.
        """
        document = ZoneDocument(self.zones, size)
        if version != document.version:
            raise ConflictError("the shapes were changed by somebody else meanwhile")
        text = document.earlier(name)
        shapes = from_yaml(text, str(self.zones), size, may_be_empty=True).shapes
        ids = {shape.name: key for key, shape in self.known or ()} or self._remembered
        return text, [(ids.get(shape.name) or self._fresh(), shape) for shape in shapes]

    def save(self, text: str, wanted: list[Named], size: tuple[int, int]) -> None:
        """Write the file; raises ``OutputError``, and nothing has changed then."""
        document = ZoneDocument(self.zones, size)
        document.save(text)
        self.known, self.version, self.problem = wanted, document.version, ""
        self._seen = self._looks()
        self._remember()

    def told(self, size: tuple[int, int]) -> dict[str, Json]:
        """Return the shapes for the page."""
        return {
            "version": self.version,
            "size": list(size),
            "file": self.zones.name,
            "shapes": [{"id": key, **to_json(shape, size)} for key, shape in self.known or ()],
            "versions": ZoneDocument(self.zones, size).versions(),
        }

    # -- who counted

    def count_at(self, counting: Iterable[Named]) -> None:
        """Note who counts now."""
        self.counted = dict(counting)
        mine = {key_of(shape): (key, shape) for key, shape in self.counted.items()}
        keys = [*((key, each) for key, each in self._keys.items() if key not in mine), *mine.items()]
        self._keys = dict(keys[-MOST_KEPT:])  # another thread may be reading those of before
        self._remember()

    def follow(self, now: Mapping[str, Shape], key: str, state: Json) -> tuple[str, Json] | None:
        """Return whose a saved state is now, and what it is then; None: nobody's.

        The state may be of a time before lines and zones were changed.
        """
        if key.partition(" ")[0] not in KEYS:
            return key, state
        known, old = self._keys.get(key, (None, None))
        new = now.get(known) if known else None
        if old is not None and new is not None and old.kind == new.kind:
            return key_of(new), renamed(state, old, new)
        mine = {key_of(shape) for shape in now.values()}
        return (key, state) if old is None and key in mine else None

    def changes(self, now: Mapping[str, Shape]) -> list[tuple[str, Shape | None, Shape | None]]:
        """Return what was changed since the last run: id, old and new shape, None for what is new or gone."""
        if not self.counted:
            return []
        found: list[tuple[str, Shape | None, Shape | None]] = []
        for key in {**self.counted, **now}:
            old, new = self.counted.get(key), now.get(key)
            if old is None or new is None or replace(old, where="") != replace(new, where=""):
                found.append((key, old, new))
        return found

    # -- what stands on the disk

    def _fresh(self) -> str:
        self._number += 1
        return f"s{self._number}"

    def _looks(self) -> object:
        try:
            stat = self.zones.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _remember(self) -> None:
        if self._memory is None:
            return
        told = {
            "number": self._number,
            "ids": {shape.name: key for key, shape in self.known or ()},
            "counted": {key: _plain(shape) for key, shape in self.counted.items()},
            "keys": {each: [key, _plain(shape)] for each, (key, shape) in self._keys.items()},
        }
        with suppress(OSError):  # a full disk: totals follow as long as the program lives
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._memory, json.dumps(told).encode(), lasting=False)

    def _recall(self) -> None:
        if self._memory is None:
            return
        try:
            told = json.loads(self._memory.read_bytes())
            number, ids = int(told["number"]), {str(name): str(key) for name, key in told["ids"].items()}
            counted = {str(key): _shape(each) for key, each in told["counted"].items()}
            keys = {str(each): (str(key), _shape(shape)) for each, (key, shape) in told["keys"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return  # there is none, or it is damaged: totals follow names
        self._number, self._remembered, self.counted, self._keys = number, ids, counted, keys


def _plain(shape: Shape) -> dict[str, Json]:
    return {**vars(shape), "where": ""}


def _shape(told: Mapping[str, Json]) -> Shape:
    points = tuple((float(x), float(y)) for x, y in told["points"])
    size = None if told["size"] is None else (float(told["size"][0]), float(told["size"][1]))
    names = (str(told["names"][0]), str(told["names"][1]))
    more = {"points": points, "size": size, "names": names, "classes": tuple(told["classes"])}
    return Shape(**{**told, **more})
