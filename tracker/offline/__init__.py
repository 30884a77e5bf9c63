"""Without a camera: saved tracks, refinement, MOTChallenge files, scores."""
