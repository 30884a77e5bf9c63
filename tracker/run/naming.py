"""What outputs are called after their source."""

from __future__ import annotations

from pathlib import Path


def name_of(source: str) -> str:
    """Return what outputs of a source are called.

    A file is named after itself, whatever letters are in its name; a pattern after its folder.

    >>> name_of("clips/street.avi"), name_of("frames/*.png"), name_of("rtsp://me:secret@host/1"), name_of("0")
    ('street', 'frames', 'host_1', 'camera0')
    """
    from tracker.sinks import output_file  # brings numpy, for which --help should not wait
    from tracker.sources import address

    if "://" in source and not source.startswith("file://"):
        return address.name(source)  # never what may hold a password
    path = Path(source.removeprefix("file://"))
    if output_file.exists(path):
        path = path.resolve() if path.name in ("", "..") else path
        return path.name if path.is_dir() else path.stem
    if source.isdecimal():
        return f"camera{source}"
    while any(letter in path.name for letter in "*?["):
        path = path.parent
    return path.stem or path.resolve().name or "track"


def default_output(source: str) -> str:
    """Return ``<name>_output.mp4`` for the working folder.

    >>> default_output("clips/street.avi"), default_output("frames/*.png")
    ('street_output.mp4', 'frames_output.mp4')
    """
    return str(output_in(Path(), source if source.isdecimal() else name_of(source)))


def made_output_in(folder: Path, source: str) -> str:
    """Return ``<name>_output.mp4`` in a folder, which is made where it is missing; raises ``OutputError``."""
    from tracker.sinks import output_file

    output_file.make_folder(folder)
    return str(folder / default_output(source))


def output_in(folder: Path, name: str) -> Path:
    """Return ``<name>_output.mp4`` in a folder; the name is cut where a file's would be too long.

    >>> output_in(Path("films"), "street").as_posix()
    'films/street_output.mp4'
    """
    from tracker.sinks import output_file

    return output_file.beside(folder / "x", name, "_output.mp4")


def distinct(names: list[str]) -> list[str]:
    """Return the names with a number behind those that an earlier one has, in letters of either case.

    >>> distinct(["a-2", "a", "A", "b"])
    ['a-2', 'a', 'A-3', 'b']
    """
    given = {name.casefold() for name in names}
    used: set[str] = set()
    result = []
    for name in names:
        new, count = name, 1
        while new.casefold() in used or (count > 1 and new.casefold() in given):
            count += 1
            new = f"{name}-{count}"
        used.add(new.casefold())
        result.append(new)
    return result
