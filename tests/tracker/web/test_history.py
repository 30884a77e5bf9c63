from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.tracker.web.stage import opened
from tracker.types import OutputError
from tracker.web import history
from tracker.web.history import Happened, History
from tracker.web.server import Where

NOON = 1_800_000_000.0  # a whole minute of 2027


@pytest.fixture
def kept() -> Iterator[History]:
    found = History(None)
    yield found
    found.close()


def crossing(wall: float, way: str = "in", *, doubt: bool = False) -> Happened:
    row = {"kind": f"line.{way}", "name": "door", "direction": way, "class": "person", "track_id": 1}
    return Happened(wall, 1, ("door", way, "person"), row | ({"why": "small"} if doubt else {}))


def test_counts_add_up_whatever_the_step(kept: History) -> None:
    rng = random.Random(1)
    walls = sorted(NOON + rng.uniform(0, 7200) for _ in range(300))
    kept.add("cam", [crossing(wall, rng.choice(["in", "out"]), doubt=rng.random() < 0.1) for wall in walls])
    kept.add("other", [crossing(NOON)])
    for step in (60, 300, 900, 3600, 86400):
        rows = kept.counts("cam", NOON - 60, NOON + 7260, step)
        assert sum(row["count"] for row in rows) == 300
        assert all(row["start"] % step == 0 for row in rows)
    truth = Counter(int(wall // 900) * 900 for wall in walls)
    rows = kept.counts("cam", NOON - 60, NOON + 7260, 900)
    assert Counter({row["start"]: 0 for row in rows}) | truth == truth
    doubtful = len(kept.events("cam", doubtful=True, most=1000))
    assert sum(row["doubtful"] for row in rows) == doubtful > 0


def test_steps_begin_at_local_midnight(kept: History) -> None:
    kept.add("cam", [crossing(NOON)])
    for offset in (5.5 * 3600, -3.5 * 3600, 0.0):
        (row,) = kept.counts("cam", NOON - 86400, NOON + 86400, 86400, offset)
        assert (row["start"] + offset) % 86400 == 0
        assert row["start"] <= NOON < row["start"] + 86400


def test_events_come_newest_first_and_can_be_read_on(kept: History) -> None:
    ids = kept.add("cam", [crossing(NOON + n)._replace(jpeg=None if n else b"jpeg") for n in range(10)])
    rows = kept.events("cam", most=4)
    assert [row["id"] for row in rows] == ids[:5:-1]
    assert [row["id"] for row in kept.events("cam", before=rows[-1]["id"], most=2)] == ids[5:3:-1]
    assert [row["id"] for row in kept.events("cam", after=ids[7])] == ids[:7:-1]
    assert [row["wall"] for row in kept.events("cam", since=NOON + 2, until=NOON + 4)] == [NOON + 3, NOON + 2]
    assert kept.picture("cam", ids[0]) == b"jpeg"
    assert kept.picture("other", ids[0]) is None
    assert kept.events("cam", after=ids[0] - 1)[-1]["picture"]


def test_the_number_of_an_event_is_not_that_of_its_shape(kept: History) -> None:
    row = {"kind": "shape.changed", "name": "door", "id": "s1"}
    (number,) = kept.add("cam", [Happened(NOON, 0, None, row)])
    assert [each["id"] for each in kept.events("cam", after=number - 1)] == [number]


def test_what_a_resumed_run_will_tell_again_is_forgotten(tmp_path: Path) -> None:
    kept = History(tmp_path / "h.sqlite")
    kept.add("cam", [crossing(NOON + second) for second in range(100)])
    kept.add("other", [crossing(NOON + 90)])
    kept.forget_after("cam", NOON + 49)
    assert len(kept.events("cam", most=1000)) == 50
    assert sum(row["count"] for row in kept.counts("cam", NOON, NOON + 600, 60)) == 50
    assert len(kept.events("other")) == 1
    kept.close()
    again = History(tmp_path / "h.sqlite")
    assert len(again.events("cam", most=1000)) == 50
    again.close()


def test_old_events_go_counts_and_films_stay(kept: History, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    old, film = now - history.EVENTS_S - 10, 12.0
    kept.add("cam", [crossing(old), crossing(now), crossing(film)])
    monkeypatch.setattr(history, "CLEAN_EVERY_S", 0.0)
    kept.add("cam", [crossing(now)])
    assert [row["wall"] for row in kept.events("cam")] == [now, film, now]
    assert sum(row["count"] for row in kept.counts("cam", old - 60, now + 60, 86400)) == 3


def test_a_file_of_others_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    path.write_bytes(b"no database at all, but long enough to be read as one" * 40)
    with pytest.raises(OutputError, match=r"h\.sqlite"):
        History(path)
    other = tmp_path / "o.sqlite"
    database = sqlite3.connect(other)
    database.execute("PRAGMA user_version=7")
    database.commit()
    database.close()
    with pytest.raises(OutputError, match="another version"):
        History(other)
    for nowhere in ("/proc/none/h.sqlite", f"{'x' * 300}/h.sqlite"):
        with pytest.raises(OutputError, match="choose another -o"):
            History(Path(nowhere))


@pytest.mark.slow
def test_a_week_in_quarter_hours_is_answered_at_once(kept: History) -> None:
    """Twenty events a minute for a week; asked for is a quarter of a second, here with a margin."""
    for day in range(7):
        walls = (NOON + day * 86400 + second for second in range(0, 86400, 6))
        kept.add("cam", [crossing(wall, "in" if wall % 12 else "out") for wall in walls])
    began = time.perf_counter()
    rows = kept.counts("cam", NOON, NOON + 7 * 86400, 900)
    assert time.perf_counter() - began < 2
    assert sum(row["count"] for row in rows) == 7 * 14400


@pytest.mark.slow
def test_a_history_that_is_damaged_meanwhile_is_told_and_pictures_go_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.sqlite"
    with opened(tmp_path, where=Where(port=0, history=path)) as page:
        cookie = page.enter()
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP TABLE events")
        with page.listen(cookie) as socket:
            socket.send(json.dumps({"watch": [{"source": 1, "width": 320}]}))
            page.wait(lambda: isinstance(socket.recv(timeout=5), bytes))
        for what in ("events", "timeline"):
            status, _, told = page.ask("GET", f"/api/sources/1/{what}", cookie=cookie)
            assert (status, "cannot be read" in json.loads(told)["error"]) == (507, True)
    assert "Traceback" not in capfd.readouterr().err
