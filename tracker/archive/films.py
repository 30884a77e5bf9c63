"""The annotated videos of an archive: what is missing is drawn by pieces anywhere, and joined."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tracker.archive import kept, manifest, pieces, sketches, videos
from tracker.archive.draw import SUFFIX, Draw, Drawn, Look
from tracker.archive.join import DrawnPiece, Join, Joined
from tracker.archive.pieces import Piece
from tracker.archive.pool import Pool
from tracker.archive.progress import Progress
from tracker.archive.recordings import Camera, Recording
from tracker.archive.settings import DRAW
from tracker.archive.sketches import CameraSketch, FileSketch
from tracker.archive.store import Store
from tracker.archive.tasks import Outcome, Task
from tracker.archive.videos import Made
from tracker.options import Options
from tracker.sinks.encoding import first_step
from tracker.sources import address
from tracker.types import Json, OptionError

DRAWN = "drawn"  # folder of pieces
LOOK_S = 0.5  # the longest time in which nothing is looked at, so that Ctrl-C is heard
MOST_AHEAD = 2  # pieces that are given out for each core


@dataclass
class Film:
    """The video of one recording at work."""

    camera: Camera
    recording: Recording
    file: FileSketch
    look: Look
    goal: str  # the name of the video
    content: str  # a mark of all that is to be seen in it
    drawn: list[DrawnPiece] = field(default_factory=list)  # all its pieces, in order
    missing: set[str] = field(default_factory=set)  # those that are not there yet
    why_whole: str = ""
    error: str = ""


@dataclass
class Films:
    """Draws what is missing of the videos of an archive; ``tables`` are the settings of its tables."""

    store: Store
    cameras: Sequence[Camera]
    options: Options
    tables: Json
    pool: Pool
    piece_s: float
    progress: Progress
    notes: list[str] = field(default_factory=list)
    failed: int = 0
    joined: int = 0
    frames: int = 0
    cpu_s: float = 0.0

    def __post_init__(self) -> None:
        """Make the mark of all settings."""
        self._drawing = {name: getattr(self.options, name) for name in DRAW}
        self.made_with = manifest.mark({"tables": self.tables, "drawing": self._drawing})
        self._films: dict[str, Film] = {}  # by the folder of its pieces
        self._waiting: deque[Task] = deque()
        self._running: dict[Task, Film] = {}
        self._left: list[str] = []  # folders out of which files were removed

    def prepare(self) -> None:
        """Let those cameras be followed again whose sketches are needed and not there."""
        for camera in self.cameras:
            rows = manifest.load(self.store, camera, self.tables)
            if not videos.are_ready(self.store, camera, rows, self.made_with):
                manifest.forget(self.store, camera)
                kept.forget(self.store, camera.key)  # from its first file on
                kept.forget(self.store, camera.key)

    def run(self) -> None:
        """Draw and join everything; raises ``TrackError`` where nothing can be done."""
        for camera in self.cameras:
            known = sketches.load(self.store, camera.key)
            if known is not None and known.made_with == self.made_with:
                self._plan(camera, known)
        self._give()
        while self._running:
            for task, outcome in self.pool.wait(LOOK_S):
                film = self._running.pop(task)
                if outcome.refused:
                    raise OptionError(outcome.error)
                self._take(film, task, outcome)
            self._give()
        for folder in self._left:
            self.store.tidy(folder)

    def missing(self) -> dict[str, str]:
        """Return why videos could not be drawn, by the recording as the manifest names it."""
        return {address.redact(film.recording.uri): film.error for film in self._films.values() if film.error}

    def told(self) -> str:
        """Return what was done, for the table."""
        text = f"{self.joined} videos, {self.frames} frames"
        return f"{text}, {1000 * self.cpu_s / self.frames:.1f} ms of CPU per frame" if self.frames else text

    def _plan(self, camera: Camera, known: CameraSketch) -> None:
        """Queue what is missing of the videos of a camera."""
        made, names = videos.made(self.store, camera), videos.names_of(camera)
        for recording in camera.recordings:
            file = known.files.get(recording.name)
            if file is None:
                continue
            name = names[recording.name]
            look = Look(
                self.options,
                tuple(sorted(known.names.items())),
                known.fps,
                first_step(self.options.encode, known.size),
                file.pieces[0].names[0],
                file.pieces[0].first_s,
            )
            look_mark = [self._drawing, look.step, look.names, look.first_s, look.fps]
            content = manifest.mark([look_mark, [piece.mark for piece in file.pieces]])
            film = Film(camera, recording, file, look, f"{videos.folder_of(camera)}/{name}", content)
            there = made.get(name)
            if there is not None and (there.content == content or not videos.can_be_drawn(self.store, file)):
                self._keep(film)  # what it was drawn from is gone only where it is up to date
                continue
            self._films[self._folder(film)] = film
            self._queue(film, look_mark)

    def _queue(self, film: Film, look_mark: Json) -> None:
        """Queue the pieces of a video that are not there."""
        folder = self._folder(film)
        there = self.store.names(folder)
        for piece in film.file.pieces:
            start_s = piece.number * self.piece_s
            end_s = None if piece is film.file.pieces[-1] else (piece.number + 1) * self.piece_s
            cut = Piece(None) if film.file.whole else Piece(piece.number, start_s, end_s)
            name = f"{piece.number:05d}-{manifest.mark([look_mark, piece.mark])}{SUFFIX}"
            film.drawn.append(DrawnPiece(f"{folder}/{name}", piece.first_s, piece.frames))
            if name not in there:
                film.missing.add(f"{folder}/{name}")
                self.progress.expect(piece.frames / film.look.fps)
                self._waiting.append(self._draw(film, cut, piece.names, f"{folder}/{name}"))
        if not film.missing:
            self._waiting.append(self._join(film))

    def _give(self) -> None:
        """Give out tasks, twice as many as there are cores."""
        while self._waiting and len(self._running) < MOST_AHEAD * self.pool.cores:
            task = self._waiting.popleft()
            self._running[task] = self._film_of(task)
            self.pool.submit(task)

    def _film_of(self, task: Task) -> Film:
        assert isinstance(task, Draw | Join)
        folder = task.goal if isinstance(task, Draw) else task.pieces[0].name
        return self._films[folder.rpartition("/")[0]]

    def _take(self, film: Film, task: Task, outcome: Outcome) -> None:
        """Take what came of a task."""
        if film.error:
            return
        if outcome.error:
            self._fail(film, outcome.error)
        elif isinstance(task, Draw):
            self._take_piece(film, task, outcome.value)
        else:
            self._take_video(film, outcome.value)

    def _take_piece(self, film: Film, task: Draw, drawn: Drawn) -> None:
        self.cpu_s += drawn.cpu_s
        if task.goal not in film.missing:  # it came late
            self.store.delete(task.goal)
            return
        if drawn.fault:
            self._draw_whole(film, drawn.fault)
            return
        film.missing.discard(task.goal)
        self.frames += drawn.frames
        self.notes += [f"{film.goal}: {note}" for note in drawn.warnings]
        done = len(film.drawn) - len(film.missing)
        self.progress.piece(film.camera.name, done, len(film.drawn), drawn.media_s, drawn.frames)
        if not film.missing:
            self._waiting.appendleft(self._join(film))

    def _take_video(self, film: Film, joined: Joined) -> None:
        if joined.fault:
            self._draw_whole(film, joined.fault)
            return
        self.joined += 1
        self.notes += [f"{film.goal}: {note}" for note in joined.warnings]
        self._keep(film)
        self.progress.camera(film.camera.name)

    def _draw_whole(self, film: Film, why: str) -> None:
        """Give up drawing a recording by pieces; where that was done already, give it up."""
        if film.file.whole or film.why_whole:
            self._fail(film, why)
            return
        film.why_whole = why
        self.notes.append(f"{film.goal}: drawn whole, since {why}")
        self._drop(film)
        names = [name for piece in film.file.pieces for name in piece.names]
        goal = f"{self._folder(film)}/whole-{film.content}{SUFFIX}"
        frames = sum(piece.frames for piece in film.file.pieces)
        film.drawn, film.missing = [DrawnPiece(goal, film.look.first_s, frames)], {goal}
        self._waiting.appendleft(self._draw(film, Piece(None), names, goal))

    def _fail(self, film: Film, why: str) -> None:
        film.error = why
        self.failed += 1
        self.notes.append(f"{film.goal}: is not drawn: {why}")
        self._drop(film)

    def _drop(self, film: Film) -> None:
        """Take the pieces of a video out of the queue."""
        self._waiting = deque(task for task in self._waiting if self._film_of(task) is not film)

    def _draw(self, film: Film, piece: Piece, names: Sequence[str], goal: str) -> Draw:
        root = self.store.root
        return Draw(pieces.release(), film.recording, piece, tuple(names), film.look, root, goal)

    def _join(self, film: Film) -> Join:
        drawn = tuple(film.drawn)
        return Join(pieces.release(), film.recording, drawn, film.look, self.store.root, film.goal)

    def _keep(self, film: Film) -> None:
        """Note that a video is complete, and remove what it was made of."""
        known = film.file.folder.rpartition("~")[2]
        name = film.goal.rpartition("/")[2]
        videos.keep(self.store, film.camera, name, Made(self.made_with, known, film.content))
        for folder in (self._folder(film), sketches.folder_beside(film.file.folder)):
            for name in self.store.names(folder):
                self.store.delete(f"{folder}/{name}")
            self._left.append(folder)

    def _folder(self, film: Film) -> str:
        """Return the folder of its pieces."""
        return film.file.folder.replace(pieces.FOLDER, DRAWN, 1)
