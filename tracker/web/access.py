"""Who may look, and who may change: passwords, one-time links, and the cookie that follows.

A cookie holds role, time and a random number, sealed by HMAC (RFC 2104) with a key of this user, so that it
outlives the program: after a restart the page comes back by itself. Of a cookie that was given back an empty
file stays, so that it is worth nothing after a restart either. Passwords are compared through scrypt
(RFC 7914).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from tracker.errors import OptionError, OutputError, system_reason

OWNER, VIEWER = "owner", "viewer"  # may change; may look
SHORTEST = 8  # letters of a password
LONGEST = 4096  # bytes of one
SCRYPT = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and some 50 ms for each try
LINK_S = 3600.0  # how long a link is good
COOKIE_S = 30 * 86400.0
TRIES, TRIES_S = 5, 60.0  # attempts that one address has in so many seconds
MOST_ADDRESSES = 10_000
PASSWORD, VIEWER_PASSWORD = "TRACK_WEB_PASSWORD", "TRACK_WEB_VIEWER_PASSWORD"  # variables of the environment


class Password:
    """A password, of which only a digest is kept."""

    def __init__(self, text: str) -> None:
        self._salt = secrets.token_bytes(16)
        self._digest = self._derive(text)
        self.tag = hashlib.sha256(
            b"track cookie" + _bytes(text)
        ).digest()  # only ever mixed with a secret key

    def matches(self, text: str) -> bool:
        """Whether this is the password; takes the same time either way."""
        return hmac.compare_digest(self._derive(text), self._digest)

    def _derive(self, text: str) -> bytes:
        return hashlib.scrypt(_bytes(text), salt=self._salt, **SCRYPT)


def read_password(path: Path | None, variable: str, option: str) -> str | None:
    """Return the password in a file, or in the environment; None where neither is given.

    Raises ``OptionError`` for a file that cannot be read and for a password that is too short.
    """
    if path is not None:
        try:
            with path.open("rb") as file:  # a pipe may be one, and a device has no end
                text = file.read(LONGEST + 1).decode("utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = system_reason(error) or "not text in UTF-8"
            raise OptionError(f"{option} {path}: cannot be read ({reason})") from error
        where = f"{option} {path}"
    elif variable in os.environ:
        text, where = os.environ[variable], variable
    else:
        return None
    if len(text) > LONGEST:
        raise OptionError(f"{where}: is no password; give a file with one line")
    if len(text) < SHORTEST:
        raise OptionError(f"{where}: a password has at least {SHORTEST} letters")
    return text


@dataclass
class Access:
    """Tells who somebody is. Used by any thread."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    password: Password | None = None
    viewer_password: Password | None = None
    given_back: Path | None = None  # folder with a file for each cookie of who logged out; None: in memory
    _links: dict[str, float] = field(default_factory=dict, repr=False)  # token -> until when it is good
    _out: set[str] = field(default_factory=set, repr=False)  # cookies of who logged out
    _tries: dict[str, deque[float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def link(self) -> str:
        """Return a new token, which can be used once."""
        with self._lock:
            token = secrets.token_urlsafe(24)
            self._links[token] = time.monotonic() + LINK_S
            return token

    def follow(self, token: str) -> str | None:
        """Return the role of who came by a link, which is used up; None where it is not good."""
        if not token.isascii():  # none of ours, and nothing that can be compared in constant time
            return None
        with self._lock:
            found = next((known for known in self._links if hmac.compare_digest(known, token)), None)
            good = found is not None and self._links.pop(found) > time.monotonic()
            return OWNER if good else None

    def login(self, password: str) -> str | None:
        """Return the role that a password gives; None: none."""
        for known, role in ((self.password, OWNER), (self.viewer_password, VIEWER)):
            if known is not None and known.matches(password):
                return role
        return None

    def may_try(self, address: str) -> bool:
        """Whether somebody at this address may try a password or a link now; notes that it did."""
        now = time.monotonic()
        with self._lock:
            if len(self._tries) > MOST_ADDRESSES:
                self._tries = {a: t for a, t in self._tries.items() if t and now - t[-1] < TRIES_S}
            tries = self._tries.setdefault(address, deque(maxlen=TRIES))
            if len(tries) == TRIES and now - tries[0] < TRIES_S:
                return False
            tries.append(now)
            return True

    def succeeded(self, address: str) -> None:
        """Forget the attempts of who got in."""
        with self._lock:
            self._tries.pop(address, None)

    def cookie(self, role: str) -> str:
        """Return the value of a cookie."""
        body = json.dumps({"role": role, "until": time.time() + COOKIE_S, "is": secrets.token_hex(8)})
        plain = base64.urlsafe_b64encode(body.encode()).decode()
        return f"{plain}.{self._seal(plain)}"

    def role(self, cookie: str | None) -> str | None:
        """Return the role that a cookie gives; None: none."""
        plain, _, seal = (cookie or "").rpartition(".")
        if not plain or not seal.isascii() or not hmac.compare_digest(self._seal(plain), seal):
            return None
        told = json.loads(base64.urlsafe_b64decode(plain))
        if told["until"] < time.time() or self._was_given_back(str(told["is"])):
            return None
        return str(told["role"])

    def logout(self, cookie: str) -> None:
        """Let a cookie be worth nothing from now on.

        Raises ``OutputError`` where that cannot be kept for the time after a restart; until then it holds.
        """
        if self.role(cookie) is None:
            return
        known = str(json.loads(base64.urlsafe_b64decode(cookie.rpartition(".")[0]))["is"])
        with self._lock:
            self._out.add(known)
        folder = self.given_back
        if folder is None:
            return
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / known).touch()
            for path in folder.iterdir():  # whose cookie has ended by itself
                if path.stat().st_mtime < time.time() - COOKIE_S:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be written ({system_reason(error)}); a logout holds until a restart"
            ) from error

    def _was_given_back(self, known: str) -> bool:
        return known in self._out or (self.given_back is not None and (self.given_back / known).exists())

    def _seal(self, plain: str) -> str:
        return hmac.new(self._seal_key(), plain.encode(), hashlib.sha256).hexdigest()

    def _seal_key(self) -> bytes:
        """Return the key of cookies; another password makes the old ones worthless."""
        known = [b"" if each is None else each.tag for each in (self.password, self.viewer_password)]
        return hashlib.sha256(self.key + b"|".join(known)).digest()


def _bytes(text: str) -> bytes:
    """Return any text as bytes, also what is no text in UTF-8: it comes from strangers."""
    return text.encode("utf-8", "surrogatepass")
