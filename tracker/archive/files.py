"""Recordings wherever they are: in a folder, or in an object store (s3://, gs://, ...) by fsspec."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from tracker.errors import InputError, OptionError, system_reason
from tracker.run.fingerprint import fingerprint
from tracker.sinks import output_file
from tracker.sources import address

BLOCK_BYTES = 1 << 17  # of an object are fetched at once: with 1 MB a short piece fetches three times as much
EXTRA = "track-anything-in-video[archive]"
OWN = ("http", "https")  # addresses that the reader of videos opens by itself


class Found(NamedTuple):
    """A file of a folder."""

    uri: str
    name: str  # relative to the folder, with / between folders


def is_object(uri: str) -> bool:
    """Whether an address is one of an object store.

    >>> is_object("s3://bucket/cam"), is_object("clips/a.mp4"), is_object("https://host/a.mp4")
    (True, False, False)
    """
    return address.scheme(uri) not in ("", *OWN)


def file_system(uri: str) -> Any:
    """Return fsspec's file system for an address; raises ``OptionError`` where it is not installed."""
    scheme = address.scheme(uri)
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True)
    except ImportError as error:
        raise OptionError(
            f"{scheme}:// needs a package that is not installed ({error}): pip install '{EXTRA}'"
        ) from error
    except ValueError as error:
        raise OptionError(
            f"{address.redact(uri)}: there is no kind of store {scheme}://; give s3://, gs:// or a folder"
        ) from error


@contextmanager
def opened(uri: str) -> Iterator[BinaryIO | None]:
    """Give an object as an open file that fetches small blocks; None for what has a path of its own."""
    if not is_object(uri):
        yield None
        return
    files = file_system(uri)
    try:
        file = files.open(uri, "rb", block_size=BLOCK_BYTES, cache_type="blockcache")
    except Exception as error:  # each store has errors of its own
        raise InputError(f"{address.redact(uri)}: {reason(error)}") from error
    with file:
        yield file


def known_by(uri: str) -> str:
    """Return eight letters by which what is in a recording is known again; raises ``InputError``."""
    if is_object(uri):
        about = _info(uri)
        mark: object = [about.get("size"), about.get("ETag") or about.get("etag") or about.get("mtime")]
    else:
        mark = fingerprint(uri) or uri
    return hashlib.sha256(repr(mark).encode()).hexdigest()[:8]


def stamp(uri: str) -> list[str | int]:
    """Return size and time of change of a recording: if both are the same, so is the recording."""
    try:
        if is_object(uri):
            about = _info(uri)
            return [
                int(about["size"]),
                str(about.get("ETag") or about.get("LastModified") or about.get("mtime")),
            ]
        told = Path(uri).stat()
        return [told.st_size, told.st_mtime_ns]
    except (OSError, InputError):
        return []


def files_below(folder: str, suffixes: Sequence[str]) -> list[Found]:
    """Return the files with one of these endings in a folder and in those in it, by name."""
    if is_object(folder):
        files = file_system(folder)
        scheme, root = address.scheme(folder), str(files._strip_protocol(folder)).rstrip("/")
        try:
            names = [str(name) for name in files.find(folder)]
        except Exception as error:  # each store has errors of its own
            raise InputError(f"{address.redact(folder)}: {reason(error)}") from error
        found = [Found(f"{scheme}://{name}", name[len(root) :].lstrip("/")) for name in names]
    else:
        root_path = Path(folder)
        paths = [Path(above, name) for above, _, names in os.walk(root_path) for name in names]
        found = [Found(str(path), path.relative_to(root_path).as_posix()) for path in paths]
        found = [
            one for one in found if output_file.is_file(Path(one.uri))
        ]  # no pipe, nothing that is locked away
    usable = [one for one in found if one.name.lower().endswith(tuple(suffixes))]
    return sorted((one for one in usable if not _hidden(one.name)), key=lambda one: one.name)


def _hidden(name: str) -> bool:
    """Whether a file or a folder above it is hidden, as unfinished copies are."""
    return any(part.startswith(".") for part in name.split("/"))


def _info(uri: str) -> dict[str, Any]:
    try:
        return dict(file_system(uri).info(uri))
    except FileNotFoundError:
        raise InputError(f"{address.redact(uri)}: no such file") from None
    except OptionError:
        raise
    except Exception as error:  # each store has errors of its own
        raise InputError(f"{address.redact(uri)}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Return why a store refused, in one line."""
    if isinstance(error, FileNotFoundError):
        return "no such file or bucket"
    text = system_reason(error) or " ".join(str(error).split()) or type(error).__name__
    return f"the store does not answer as expected ({text})"
