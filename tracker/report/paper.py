"""The page on paper: printed to PDF by a Chromium, where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tracker.types import OptionError, OutputError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
MOST_S = 120.0  # of printing


def browser() -> str:
    """Return a browser that prints; raises ``OptionError`` where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    found = found or next((place for place in PLACES if Path(place).is_file()), None)
    if found is None:
        raise OptionError(
            "--pdf needs Chromium or Chrome, and none is installed; print the page from a browser"
        )
    return found


def printed(html: str, program: str) -> bytes:
    """Return a page as PDF; raises ``OutputError``."""
    with tempfile.TemporaryDirectory(prefix="track-pdf-", ignore_cleanup_errors=True) as folder:
        page, pdf = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_text(html, encoding="utf-8")
        command = [
            *(program, "--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"),
            *(f"--user-data-dir={folder}/profile", f"--print-to-pdf={pdf}", page.as_uri()),
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # Chromium's sandbox refuses root
            command.insert(1, "--no-sandbox")
        try:
            subprocess.run(command, capture_output=True, timeout=MOST_S, check=True)
            return pdf.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise OutputError(f"--pdf: {Path(program).name} did not print the page ({error})") from error
