"""Without a camera: saved tracks, a second look, MOTChallenge files, scores."""
