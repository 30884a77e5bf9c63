"""The folders in which this program keeps downloaded and converted files."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_data_path


def cache_folder() -> Path:
    """Return the cache of this program in the user's folder; it may not exist."""
    return user_cache_path("track", appauthor=False)


def data_folder() -> Path:
    """Return the folder for files that must not be deleted with the cache."""
    return user_data_path("track", appauthor=False)
