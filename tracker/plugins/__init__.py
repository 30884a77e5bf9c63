"""Analyses of tracks: one file each, found by name through the entry-point group ``track.plugins``."""
