"""Sign the files that this program puts into its cache, so that files of others are not trusted.

A checksum beside a file detects damage, not intent: who changes one can change the other. The seal is an HMAC
(RFC 2104) with a key in another folder that only the user can read.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from tracker.detectors.user_folders import data_folder
from tracker.types import Json

BYTES = 32
TRIES = 20  # while another process writes the key
PAUSE_S = 0.05


def seal(content: Json) -> str:
    """Return the seal of something JSON-able, in hexadecimal digits."""
    text = json.dumps(json.loads(json.dumps(content)), sort_keys=True)  # keys as they will be read from JSON
    return hmac.new(_key(data_folder() / "cache.key"), text.encode(), hashlib.sha256).hexdigest()


def user_key(name: str) -> bytes:
    """Return a key of this user for one purpose, made when it is first asked for."""
    return _key(data_folder() / name)


def sealed(content: Json, mark: object) -> bool:
    """Whether ``mark`` is the seal of the content."""
    return isinstance(mark, str) and hmac.compare_digest(seal(content), mark)


@cache
def _key(path: Path) -> bytes:
    """Return this user's key; if it cannot be stored, one of this process, so that others convert again."""
    made = secrets.token_bytes(BYTES)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(made)
        except FileExistsError:
            for _ in range(TRIES):
                if len(kept := path.read_bytes()) == BYTES:
                    return kept
                time.sleep(PAUSE_S)
            path.unlink()  # left by a process that was killed while writing
    return made
