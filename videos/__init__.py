"""The sample clip: a street that the project renders itself, and what is true in it."""
