"""What finds objects: one file per backend."""
