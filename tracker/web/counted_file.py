"""The file that was counted: whether what has its name now is still the same recording."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from tracker.run.fingerprint import fingerprint, is_same
from tracker.types import Json


class CountedFile:
    """Knows a recording again, also after a restart; ``note`` is where that is kept."""

    def __init__(self, uri: str, note: Path) -> None:
        self._uri, self._note = uri, note
        self._seen: tuple[int, int] | None = None  # size and time of the file when it was looked into
        self._changed = False

    def take(self) -> None:
        """Remember the file as it is: it is being counted. What cannot be kept is not known later."""
        self._seen, self._changed = self._stat(), False
        with suppress(OSError):
            self._note.write_text(json.dumps(fingerprint(self._uri)), "utf-8")

    def changed(self) -> bool:
        """Whether the file is another one than that which was counted; it is read only where it looks so."""
        now = self._stat()
        if now is not None and now != self._seen:
            self._seen, self._changed = now, is_same(self._known(), self._uri) is False
        return self._changed

    def _known(self) -> Json:
        try:
            return json.loads(self._note.read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = Path(self._uri.removeprefix("file://")).stat()
        except (OSError, ValueError):
            return None
        return found.st_size, found.st_mtime_ns
