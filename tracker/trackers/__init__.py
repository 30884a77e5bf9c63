"""From options to a tracker, with or without the picture."""
