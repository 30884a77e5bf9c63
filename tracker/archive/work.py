"""The whole of an archive: what is missing is detected anywhere, and each camera is followed meanwhile."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tracker.archive import kept, manifest, pieces, tables
from tracker.archive.arrivals import Part
from tracker.archive.detect import Detect, Detected, Place
from tracker.archive.file import File
from tracker.archive.files import stamp
from tracker.archive.follow import Follow, Followed
from tracker.archive.manifest import Row
from tracker.archive.pieces import Piece, Probed
from tracker.archive.pool import Pool
from tracker.archive.probe import Probe
from tracker.archive.progress import Progress
from tracker.archive.recordings import Camera
from tracker.archive.settings import detecting
from tracker.archive.store import Store
from tracker.archive.tasks import Outcome, Task
from tracker.options import Options
from tracker.sources import address
from tracker.types import Json, OptionError

LOOK_S = 0.5  # the longest time in which nothing is looked at, so that Ctrl-C is heard
GONE_S = 5.0  # between two looks at whether what is waited for is still there
MOST_AHEAD = 2  # pieces that are given out for each core


class Work:
    """Makes what is missing of an archive; `rows` tells of all files in the end."""

    def __init__(
        self,
        store: Store,
        cameras: Sequence[Camera],
        options: Options,
        settings: Json,
        pool: Pool,
        *,
        piece_s: float,
        zones: str | None = None,
        sketched: str = "",
        progress: Progress,
    ) -> None:
        self._store, self._cameras, self._options, self._settings = store, cameras, options, settings
        self._pool, self._piece_s, self._zones, self._progress = pool, piece_s, zones, progress
        self._sketched = sketched
        self._by_key = {camera.key: camera for camera in cameras}
        self._files: dict[tuple[str, str], File] = {}
        self._by_folder: dict[str, File] = {}
        self._detecting = detecting(options)
        self._pieces: deque[Detect] = deque()
        self._following: deque[Follow] = deque()
        self._running: dict[Task, None] = {}
        self._waiting: deque[Camera] = deque()  # whose first piece has not been given out
        self._missing: Counter[str] = Counter()  # pieces of each camera, when the run began
        self._begun: set[str] = set()  # cameras of which a piece was given out
        self._looked = time.monotonic()  # at what is gone
        self.rows: dict[str, list[Row]] = {}  # by camera
        self.notes: list[str] = []
        self.detected = self.frames = 0
        self.media_s = self.cpu_s = self.follow_s = 0.0

    def run(self) -> None:
        """Do everything; raises ``TrackError`` where nothing can be done."""
        cameras = [camera for camera in self._cameras if not self._is_done(camera)]
        self._probe(cameras)
        for camera in cameras:
            self._plan(camera)
        self._give()
        while self._running:
            for task, outcome in self._pool.wait(LOOK_S):
                self._running.pop(task, None)
                if outcome.refused:
                    raise OptionError(outcome.error)
                if isinstance(task, Detect):
                    self._part(task, outcome)
                elif isinstance(task, Follow):
                    self._followed(task, outcome)
            self._again()
            self._give()
        self.write_manifest()

    def write_manifest(self, not_drawn: Mapping[str, str] | None = None) -> None:
        """Store the table of all files that are known by now, and why videos of them are not drawn."""
        known = [row for camera in self._cameras for row in self.rows.get(camera.key, ())]
        missing = not_drawn or {}
        manifest.write_table(
            self._store, [replace(row, not_drawn=missing.get(row.file, "")) for row in known]
        )

    def _is_done(self, camera: Camera) -> bool:
        """Whether an earlier run has done everything, and no file has changed since."""
        rows = manifest.load(self._store, camera, self._settings)
        known = {row.file: row for row in rows if row.state != manifest.FAILED}
        for recording in camera.recordings:
            row = known.get(address.redact(recording.uri))
            if row is None or row.stamp != json.dumps(stamp(recording.uri)):
                return False
        if len(rows) == len(camera.recordings):
            self.rows[camera.key] = rows
            return True
        return False

    def _probe(self, cameras: Sequence[Camera]) -> None:
        """Open all files, by as many at a time as there are cores."""
        release = pieces.release()
        left = deque(File(camera, each) for camera in cameras for each in camera.recordings)
        asked: dict[Task, File] = {}
        while left or asked:
            while left and len(asked) < MOST_AHEAD * self._pool.cores:
                file = left.popleft()
                task = Probe(release, file.recording, self._detecting)
                asked[task] = file
                self._files[file.camera.key, file.recording.name] = file
                self._pool.submit(task)
            for done, outcome in self._pool.wait(LOOK_S):
                if outcome.refused:
                    raise OptionError(outcome.error)
                file = asked.pop(done)
                file.probed = outcome.value or Probed(error=outcome.error)
                file.error = file.probed.error
                if file.error:
                    file.probed = replace(file.probed, error=file.error)

    def _plan(self, camera: Camera) -> None:
        """Queue the pieces of a camera that are missing."""
        usable = False
        for recording in camera.recordings:
            file = self._files[camera.key, recording.name]
            if file.error:
                continue
            usable = True
            file.folder = pieces.folder_of(camera.key, recording.name, file.probed.known)
            self._by_folder[file.folder] = file
            file.there = self._store.names(file.folder)
            if pieces.FAILED in file.there:
                self._store.delete(f"{file.folder}/{pieces.FAILED}")
            file.cut, file.why_whole = pieces.cut(file.probed, self._piece_s), file.probed.why_whole
            if pieces.WHOLE in file.there and not file.whole:
                self._only_whole(file, "its pieces did not fit in an earlier run")
            missing = [piece for piece in file.cut if piece.part not in file.there]
            share = (file.probed.duration_s or 0.0) / len(file.cut)
            self._progress.expect(share * len(missing))
            self._missing[camera.key] += len(missing)
            self._pieces += [self._task(file, piece) for piece in missing]
        manifest.forget(self._store, camera)
        if usable:
            self._waiting.append(camera)
        else:
            self._end(camera, {}, "")

    def _task(self, file: File, piece: Piece) -> Detect:
        place = Place(self._store.root, file.folder)
        return Detect(pieces.release(), file.recording, piece, place, self._detecting)

    def _give(self) -> None:
        """Give out pieces, twice as many as there are cores, and follow cameras whose turn has come."""
        running = sum(isinstance(task, Detect) for task in self._running)
        while self._pieces and running < MOST_AHEAD * self._pool.cores:
            self._start(self._pieces.popleft())
            running += 1
        while self._waiting and (
            self._waiting[0].key in self._begun or not self._missing[self._waiting[0].key]
        ):
            self._following.append(self._follow(self._waiting.popleft()))
        followed = sum(isinstance(task, Follow) for task in self._running)
        while self._following and followed < self._pool.followers:
            self._start(self._following.popleft())
            followed += 1

    def _again(self) -> None:
        """Detect again what a camera waits for and somebody has removed: nothing else would bring it."""
        waits = self._running and not self._pieces and all(isinstance(task, Follow) for task in self._running)
        if not waits or time.monotonic() - self._looked < GONE_S:
            return
        self._looked = time.monotonic()
        for file in self._by_folder.values():
            followed = any(isinstance(task, Follow) and task.key == file.camera.key for task in self._running)
            if not followed or file.error:
                continue
            names = self._store.names(file.folder)
            gone = [piece for piece in file.cut if piece.part in file.there - names]
            file.there -= {piece.part for piece in gone}
            self._pieces += [self._task(file, piece) for piece in gone]

    def _start(self, task: Task) -> None:
        self._running[task] = None
        if isinstance(task, Detect):
            file = self._by_folder[task.place.folder]
            self._begun.add(file.camera.key)
            self._progress.begin(file.camera.name, *file.progress)
        self._pool.submit(task)

    def _follow(self, camera: Camera) -> Follow:
        """Return the task of following a camera, with what is known of its files now."""
        parts = []
        for recording in camera.recordings:
            file = self._files[camera.key, recording.name]
            probed = replace(file.probed, error=file.error)
            parts.append(Part(recording, probed, file.folder, 0 if file.whole else len(file.cut)))
        return Follow(
            pieces.release(),
            camera.name,
            camera.key,
            camera.dated,
            tuple(parts),
            self._store.root,
            self._options,
            self._zones,
            self._sketched,
            manifest.mark(self._settings),
            bool(self._settings["csv"]),
        )

    def _part(self, task: Detect, outcome: Outcome) -> None:
        """Take what came of a piece."""
        file = self._by_folder[task.place.folder]
        if outcome.error:
            self._fail(file, outcome.error)
            return
        found: Detected = outcome.value
        self.cpu_s += found.cpu_s
        if task.piece.number is not None and (found.fault or file.whole):
            if found.fault:
                self._decode_whole(file, found.fault)
            else:  # it came late
                self._store.delete(f"{file.folder}/{task.piece.part}")
            return
        file.there.add(task.piece.part)
        self.detected += 1
        self.frames += found.frames
        self.media_s += found.media_s
        if file.whole:
            self._only_whole(file, file.why_whole)
        self._progress.piece(file.camera.name, *file.progress, found.media_s, found.frames)

    def _decode_whole(self, file: File, why: str) -> None:
        """Give up cutting a file."""
        if file.whole:
            return
        file.cut, file.why_whole = [Piece(None)], why
        self._drop(file)
        self._pieces.appendleft(self._task(file, file.cut[0]))

    def _only_whole(self, file: File, why: str) -> None:
        """Remove the pieces of a file that was decoded whole: readers of the folder would count them too."""
        file.cut, file.why_whole = [Piece(None)], why
        for name in file.there - {pieces.WHOLE}:
            self._store.delete(f"{file.folder}/{name}")
        file.there &= {pieces.WHOLE}

    def _fail(self, file: File, error: str) -> None:
        if file.error:
            return
        file.error = error
        self._drop(file)
        self._store.write(f"{file.folder}/{pieces.FAILED}", json.dumps({"error": error}).encode())

    def _drop(self, file: File) -> None:
        """Take the pieces of a file out of the queue."""
        self._pieces = deque(task for task in self._pieces if task.place.folder != file.folder)

    def _followed(self, task: Follow, outcome: Outcome) -> None:
        """Take what came of a camera."""
        camera = self._by_key[task.key]
        if outcome.error:
            self._end(camera, {}, outcome.error)
            return
        found: Followed = outcome.value
        if found.not_cut is not None:
            recording, why = found.not_cut
            self._decode_whole(self._files[camera.key, recording], why)
        files = [self._files[camera.key, each.name] for each in camera.recordings]
        if found.not_cut is not None or found.again:
            if all(file.error for file in files):
                self._end(camera, {}, "")
            else:
                self._following.appendleft(self._follow(camera))
            return
        self.follow_s += found.cpu_s
        self.notes += [f"{camera.name}: {note}" for note in found.notes]
        self._end(camera, found.files, "")

    def _end(self, camera: Camera, told: Mapping[str, Json], error: str) -> None:
        """Keep what has come of a camera."""
        files = [self._files[camera.key, each.name] for each in camera.recordings]
        rows = [file.row(told.get(file.recording.name), error) for file in files]
        if not any(row.frames for row in rows):
            tables.withdraw(self._store, camera.key)
            kept.forget(self._store, camera.key)
        self.rows[camera.key] = rows
        manifest.save(self._store, camera, self._settings, rows)
        self._progress.camera(camera.name)
