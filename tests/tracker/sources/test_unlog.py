"""FFmpeg's messages go nowhere, whatever another library asked for."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.tracker.videos import write_video
from tracker.sources import open_source


@pytest.mark.parametrize("late", [False, True])
def test_who_asked_for_messages_gets_none_while_a_film_is_read(tmp_path: Path, late: bool) -> None:
    path = write_video(tmp_path / "clip.ts", 8)
    path.write_bytes(path.read_bytes()[:-600])  # something to complain of
    if not late:
        av.logging.set_level(av.logging.ERROR)  # torchvision does so when it is imported
    with open_source(str(path)) as source:
        if not late:
            assert av.logging.get_level() is None
        av.logging.set_level(av.logging.ERROR)
        assert sum(1 for _ in source) > 0
    assert av.logging.get_level() is None
