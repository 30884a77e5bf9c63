"""What belongs to a run hangs on the run."""

from __future__ import annotations

import pickle
from dataclasses import replace

from tracker.types import Scene


def test_what_a_run_has_in_common_is_made_once_and_not_shared_with_another_run() -> None:
    one, other = (Scene("clip", (8, 6), 2.0, False, {}) for _ in range(2))
    made = one.common("things", list)
    assert made is one.common("things", list) is not other.common("things", list)
    assert made is not one.common("others", list)
    for copy in (replace(one), pickle.loads(pickle.dumps(one))):
        assert copy == one
        assert copy.common("things", list) is not made
