"""``python -m tracker`` is ``track``: what has to happen before anything else is imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Run ``track`` and exit, with standard streams that exist, and without a word when interrupted."""
    _open_streams()
    try:
        from tracker.cli import main as track  # takes a moment, in which Ctrl-C may come

        track()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _open_streams() -> None:
    """Let what was closed (``2>&-``, pythonw) lead nowhere.

    The next file that is opened would get the number of a closed stream, and whatever a library complains of
    would be written into the middle of it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free is this one
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("r" if name == "stdin" else "w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, nowhere)  # for good


if __name__ == "__main__":
    main()
