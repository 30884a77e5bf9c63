"""What the quick loop (`pytest -m "not slow"`) leaves out: most examples of a law, most values of a table."""

from __future__ import annotations

from hypothesis import settings

FULL, QUICK = "full", "quick"
FEWEST = 3  # of an explicit number: the first examples are the plainest, where the worst mistakes show

# A busy machine must not fail a law, so no deadlines; the same examples every time, so a run can be repeated.
settings.register_profile(FULL, deadline=None, derandomize=True, max_examples=100)
settings.register_profile(QUICK, deadline=None, derandomize=True, max_examples=10)


def examples(number: int) -> settings:
    """Return the decorator for a law that needs `number` examples; the quick loop tries a tenth of them.

    A law without it is tried on the 100 (10) of the profile.
    """
    share = settings.default.max_examples / settings.get_profile(FULL).max_examples
    return settings(max_examples=max(min(FEWEST, number), round(number * share)))
