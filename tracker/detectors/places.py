"""Where this program keeps what it fetched or converted."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_data_path


def cache_folder() -> Path:
    """Return the user's cache of this program, whether it exists or not."""
    return user_cache_path("track", appauthor=False)


def data_folder() -> Path:
    """Return where this program keeps what is not to be deleted with the cache."""
    return user_data_path("track", appauthor=False)
