from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracker.types import OptionError, OutputError
from tracker.web import access
from tracker.web.access import OWNER, VIEWER, Access, Password, read_password


def test_a_link_lets_in_once() -> None:
    door = Access()
    token = door.link()
    assert door.follow(token) == OWNER
    assert door.follow(token) is None
    assert door.follow("x" * len(token)) is None
    assert door.follow("é") is None
    assert Access(password=Password("correct horse")).login("\ud800 is half a letter") is None


def test_a_link_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Access()
    token = door.link()
    now = access.time.monotonic()
    monkeypatch.setattr(access.time, "monotonic", lambda: now + access.LINK_S + 1)
    assert door.follow(token) is None


@pytest.mark.slow
def test_each_password_gives_its_role() -> None:
    door = Access(password=Password("correct horse"), viewer_password=Password("only looking"))
    assert [door.login(text) for text in ("correct horse", "only looking", "wrong", "\ud800")] == [
        OWNER,
        VIEWER,
        None,
        None,
    ]


def test_a_cookie_is_sealed_ends_and_can_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Access(b"k" * 32)
    cookie = door.cookie(VIEWER)
    assert door.role(cookie) == VIEWER
    assert Access(b"k" * 32).role(cookie) == VIEWER  # after a restart
    assert Access(b"l" * 32).role(cookie) is None
    assert Access(b"k" * 32, Password("another one")).role(cookie) is None
    plain, _, seal = cookie.rpartition(".")
    forged = door.cookie(OWNER).rpartition(".")[0] + "." + seal
    for bad in (None, "", ".", plain, f"{plain}.", f"{plain}.{'0' * 64}", forged, "é.é"):
        assert door.role(bad) is None
    door.logout(cookie)
    assert door.role(cookie) is None
    fresh, now = door.cookie(OWNER), access.time.time()
    monkeypatch.setattr(access.time, "time", lambda: now + access.COOKIE_S + 1)
    assert door.role(fresh) is None


def test_who_logged_out_stays_out_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "web.out"
    door = Access(b"k" * 32, given_back=folder)
    cookie, other = door.cookie(OWNER), door.cookie(OWNER)
    door.logout(cookie)
    again = Access(b"k" * 32, given_back=folder)
    assert (again.role(cookie), again.role(other)) == (None, OWNER)
    for rubbish in (cookie, "", "../../x.y", "é"):
        again.logout(rubbish)
    assert len(list(folder.iterdir())) == 1
    (old,) = folder.iterdir()
    os.utime(old, (1e9, 1e9))
    again.logout(other)
    assert len(list(folder.iterdir())) == 1  # what has ended by itself need not be known


def test_a_logout_that_cannot_be_kept_is_told_and_holds_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "web.out").write_text("a file where a folder should be", encoding="utf-8")
    door = Access(b"k" * 32, given_back=tmp_path / "web.out")
    cookie = door.cookie(OWNER)
    with pytest.raises(OutputError, match="until a restart"):
        door.logout(cookie)
    assert door.role(cookie) is None


def test_five_attempts_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    door, now = Access(), 1000.0
    monkeypatch.setattr(access.time, "monotonic", lambda: now)
    assert [door.may_try("a") for _ in range(7)] == [True] * 5 + [False] * 2
    assert door.may_try("b")
    now += access.TRIES_S
    assert door.may_try("a")
    door.succeeded("a")
    assert [door.may_try("a") for _ in range(6)] == [True] * 5 + [False]


def test_passwords_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "password"
    path.write_text("correct horse\n", encoding="utf-8")
    assert read_password(path, "NOBODY", "--password-file") == "correct horse"
    monkeypatch.setenv("SOMEBODY", "battery staple")
    assert read_password(None, "SOMEBODY", "--password-file") == "battery staple"
    assert read_password(None, "NOBODY", "--password-file") is None
    path.write_text("short", encoding="utf-8")
    with pytest.raises(OptionError, match="at least 8"):
        read_password(path, "NOBODY", "--password-file")
    with pytest.raises(OptionError, match="cannot be read"):
        read_password(tmp_path / "none", "NOBODY", "--password-file")
    with pytest.raises(OptionError, match="no password"):
        read_password(Path("/dev/zero"), "NOBODY", "--password-file")
