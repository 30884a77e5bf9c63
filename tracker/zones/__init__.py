"""Lines and zones by name, and the files that hold them."""
