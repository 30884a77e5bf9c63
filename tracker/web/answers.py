"""Small answers of the page's server: our own files, JSON, CSV, and errors in one sentence."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tracker.errors import OutputError, TrackError
from tracker.text import cell, told
from tracker.types import Json
from tracker.web.drawn import BrokenFileError
from tracker.web.orders import ConflictError
from tracker.zones.edit import ShapeError

STATIC = files("tracker.web") / "static"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def static_file(name: str) -> Response:
    """Return one of our own files."""
    path = STATIC / name
    kind = KINDS.get(Path(name).suffix)
    if not re.fullmatch(r"[a-z]+\.(html|js|css|svg)", name) or kind is None or not path.is_file():
        raise HTTPException(404, "there is no such file")
    return Response(path.read_bytes(), media_type=kind)


def page(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with one of our own files."""

    async def answer(request: Request) -> Response:
        return static_file(name)

    return answer


async def static(request: Request) -> Response:
    """Return a file of ours by name."""
    return static_file(request.path_params["name"])


async def body_of(request: Request) -> dict[str, Json]:
    """Return the JSON object that was sent; answers 422 for anything else."""
    try:
        given = json.loads(await request.body())
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise HTTPException(422, "the request is not an object in JSON")
    return given


async def asked(call: Callable[[], Json], answer: Json = None) -> Response:
    """Return what a call answers, or its error in one sentence."""
    try:
        found = await run_in_threadpool(call)
    except ConflictError as error:
        return JSONResponse({"error": str(error)}, 409)
    except BrokenFileError as error:
        more = {"version": error.version, "versions": [*error.versions]}  # it can go back
        return JSONResponse({"error": told(str(error)), **more}, 422)
    except ShapeError as error:
        return JSONResponse({"error": told(str(error)), "index": error.index}, 422)
    except TrackError as error:
        return _told(error)
    return JSONResponse(found if answer is None else answer)


async def failed(request: Request, error: Exception) -> Response:
    """Return an error of a route as JSON."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def told_of(request: Request, error: Exception) -> Response:
    """Return what a route could not do as JSON: the disk is full, or the history damaged."""
    return _told(error)


def _told(error: Exception) -> Response:
    return JSONResponse({"error": told(str(error))}, 507 if isinstance(error, OutputError) else 422)


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else ""


def number_of(request: Request, name: str, default: float) -> float:
    """Return a number of the query; answers 422 for what is none."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e12:
        raise HTTPException(422, f"{name} is a number")
    return value


def clock(wall: float) -> str:
    """Return a Unix time as ISO 8601 with offset."""
    return datetime.fromtimestamp(wall).astimezone().isoformat(timespec="seconds")


def safe(name: str) -> str:
    """Return a name without what could mean something in a header."""
    return re.sub(r"[^\w.-]", "_", name)


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, 0 where it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def as_csv(columns: tuple[str, ...], rows: list[dict[str, Json]], name: str) -> Response:
    """Return rows as a table to download."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            [cell(str(value)) if isinstance(value, str) else value for value in map(row.get, columns)]
        )
    headers = {"content-disposition": f'attachment; filename="{safe(name)}"'}
    return Response(text.getvalue(), media_type="text/csv", headers=headers)
