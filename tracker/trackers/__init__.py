"""Trackers made from options: with boxes alone, or with camera motion and appearance."""
