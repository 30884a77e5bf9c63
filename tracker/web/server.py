"""The server of the page: a thread of the run, which it never keeps waiting and does not outlive."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from tracker.detectors.seal import user_key
from tracker.detectors.user_folders import data_folder
from tracker.errors import OptionError, OutputError
from tracker.sinks import output_file
from tracker.web.access import PASSWORD, VIEWER_PASSWORD, Access, Password, read_password
from tracker.web.app import Site
from tracker.web.guard import Guard, host_name, names_of_this_machine
from tracker.web.history import EVENTS_S, History
from tracker.web.patience import Patient
from tracker.web.station import Station

PORT = 8765
LOCAL = ("127.0.0.1", "localhost", "::1")
CLOSE_S = 1.5
MOST_CONNECTIONS = 128


@dataclass(frozen=True)
class Where:
    """Where the page is to be found, and who may come."""

    host: str = "127.0.0.1"
    port: int = PORT
    password_file: Path | None = None
    viewer_password_file: Path | None = None
    allow_hosts: Sequence[str] = ()
    certificate: Path | None = None
    key: Path | None = None
    proxies: Sequence[str] = ()
    history: Path | None = None
    keep_s: float = EVENTS_S
    lasting: bool = False  # cookies outlive the program: their key, and who logged out, is this user's

    @classmethod
    def of(cls, text: str) -> Where:
        """Return the place that ``[HOST:]PORT`` means; raises ``OptionError``.

        >>> Where.of("9000").port, Where.of("0.0.0.0:80").host, Where.of("[::1]:80").host
        (9000, '0.0.0.0', '::1')
        """
        host, _, port = text.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            raise OptionError(f"--web {text}: give a port, or HOST:PORT, such as 8765 or 0.0.0.0:8765")
        return cls(host.strip("[]") or "127.0.0.1", int(port))


class Server:
    """Serves some stations; opened by ``with``. Raises ``OptionError`` and ``OutputError``."""

    def __init__(self, stations: Sequence[Station], where: Where, announce: Callable[[str], None]) -> None:
        self._where, self._announce = where, announce
        password = read_password(where.password_file, PASSWORD, "--password-file")
        viewer = read_password(where.viewer_password_file, VIEWER_PASSWORD, "--viewer-password-file")
        if where.host not in LOCAL and password is None:
            raise OptionError(
                f"the page at {where.host} can be seen by others: give a password file, or set {PASSWORD}"
            )
        if (where.certificate is None) != (where.key is None):
            raise OptionError("--certfile and --keyfile belong together; give both")
        for path in filter(None, (where.certificate, where.key)):
            if not output_file.exists(path):
                raise OptionError(f"{path}: there is no such file; give a certificate and its key in PEM")
        self.history = History(where.history, keep_s=where.keep_s)
        self._access = Access(
            user_key("web.key") if where.lasting else secrets.token_bytes(32),
            Password(password) if password else None,
            Password(viewer) if viewer else None,
            data_folder() / "web.out" if where.lasting else None,
        )
        self._stations, self._crowded = stations, False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Server:
        """Bind and begin to serve."""
        where = self._where
        try:
            family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
            self._socket = socket.socket(family, socket.SOCK_STREAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((where.host, where.port))
            self._socket.listen(MOST_CONNECTIONS)  # who comes before the thread has begun only waits
        except OSError as error:
            self._socket.close()
            self.history.close()
            wrong = isinstance(error, socket.gaierror) or error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL)
            what = "give an address of this machine" if wrong else "choose another port"
            raise OutputError(
                f"the page at {where.host}:{where.port} cannot be opened ({error.strerror or error}); {what}"
            ) from error
        self.port = int(self._socket.getsockname()[1])
        self.site = Site([*self._stations], self.history, self._access, f"track-{self.port}")
        self.site.renewed = self._renewed
        hosts = {where.host, *where.allow_hosts, *names_of_this_machine()}
        app = Guard(self.site.app(), self._access, hosts, f"track-{self.port}")
        settings = uvicorn.Config(
            app, http=Patient, ws="websockets-sansio", lifespan="off", server_header=False,
            log_config=None, log_level="error", access_log=False,
            timeout_graceful_shutdown=1, limit_concurrency=MOST_CONNECTIONS,
            backlog=MOST_CONNECTIONS,
            ws_max_size=64 * 1024,
            ws_per_message_deflate=False,  # nearly all that is sent is JPEG, which cannot be made smaller
            proxy_headers=bool(where.proxies), forwarded_allow_ips=list(where.proxies) or None,
            ssl_certfile=where.certificate, ssl_keyfile=where.key,
        )  # fmt: skip
        try:
            settings.load()
        except OSError as error:  # a certificate that does not fit its key
            self._socket.close()
            raise OptionError(f"--certfile {where.certificate}: cannot be used ({error})") from error
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._thread.start()
        self._announce(f"the page: {self.link()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every page and end."""
        self.end()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
            if self._thread.is_alive():
                self._server.force_exit = True
                self._thread.join(CLOSE_S)
        self._socket.close()
        self.history.close()

    def end(self) -> None:
        """Begin to close every page; returns at once, so that runs can end meanwhile."""
        self._server.should_exit = True
        with contextlib.suppress(RuntimeError, AttributeError):  # it may have ended by itself
            self._loop.call_soon_threadsafe(self.site.sockets.ended.set)

    def link(self) -> str:
        """Return an address that lets one browser in, once."""
        scheme = "https" if self._where.certificate else "http"
        host = self._where.host if self._where.host not in ("0.0.0.0", "::") else socket.gethostname()
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}:{self.port}/login?link={self._access.link()}"

    def _renewed(self) -> None:
        with contextlib.suppress(OSError):  # whoever started it has closed the terminal; the page goes on
            self._announce(f"the page, for another browser: {self.link()}")

    def _serve(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.set_exception_handler(self._wrong)
            await self._server.serve(sockets=[self._socket])

        asyncio.run(main())

    def _wrong(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say once that there are too many open files, which asyncio says thousands of times a second."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif not self._crowded:
            self._crowded = True
            with contextlib.suppress(OSError):
                self._announce("too many files are open: whoever comes to the page waits; raise `ulimit -n`")


def hosts_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return names without ports, in lower case; raises ``OptionError`` for what no browser asks for.

    >>> hosts_of(["Cam.example:8443"])
    ('cam.example',)
    """
    names = []
    for text in texts:
        name = host_name(text.strip())
        if "/" in text or not re.fullmatch(r"[\w.:-]+", name):
            raise OptionError(f"--allow-host {text!r:.80}: give a name as browsers ask for, cam.example.org")
        names.append(name)
    return tuple(names)


def proxies_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses of proxies; raises ``OptionError`` for what can never be one's address."""
    for text in texts:
        try:
            if text != "*":  # everybody
                ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise OptionError(
                f"--proxy {text!r:.80}: give its address, such as 10.0.0.2, or a network, such as 10.0.0.0/8"
            ) from None
    return tuple(texts)
