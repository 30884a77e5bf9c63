"""The laws of text from strangers: no secret gets out, no terminal obeys, no spreadsheet computes."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import string
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tests.tracker.videos import write_video
from tracker import track, track_all
from tracker.cli import main
from tracker.errors import InputError
from tracker.run.naming import name_of
from tracker.run.terminal import default_output
from tracker.sources import address
from tracker.text import cell, cell_read, harmless, told

SECRET = "hunter2"
schemes = st.from_regex(r"[A-Za-z][A-Za-z0-9+.-]{1,8}", fullmatch=True)
around = st.text(string.ascii_letters + string.punctuation.replace("@", ""), max_size=3)
secrets = st.builds(lambda a, b: f"{a}{SECRET}{b}", around, around).filter(
    lambda t: not set(t) & set("'\"\\")
)


@examples(100)
@given(
    schemes,
    secrets,
    st.sampled_from(["host", "10.0.0.5:554", "[fe80::1]:80"]),
    st.sampled_from(["", "/cam", "/a b"]),
)
def test_no_password_of_any_scheme_is_told(scheme: str, secret: str, host: str, path: str) -> None:
    uri = f"{scheme}://me:{secret}@{host}{path}"
    for text in (
        uri,
        uri.replace("//", "/"),
        *((uri.replace(":", "", 1), uri.replace("://", "/")) if "/" not in secret + scheme else ()),
        f"{uri}: no answer",
        f"cannot open '{uri}' (refused)",
        f"a {uri}\n{uri}",
    ):
        assert SECRET not in told(text)
        assert host in told(text)
        assert SECRET not in str(InputError(text))
    for shown in (address.redact(uri), address.name(uri), name_of(uri), default_output(uri)):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "key",
    [
        *("password", "passwd", "pwd", "token", "access_token", "api_key", "apikey", "key", "auth", "secret"),
        *("signature", "X-Amz-Signature", "sig", "passphrase", "client_secret", "sessionid"),
    ],
)
def test_no_secret_of_a_query_is_told(key: str) -> None:
    for text in (
        f"https://host/x.m3u8?{key}={SECRET}&b=1: gone",
        f"x?a=1&{key}={SECRET}",
        f"{key.upper()}={SECRET}",
    ):
        assert SECRET not in told(text), told(text)


@pytest.mark.parametrize("secret", ["hunter2:", ":hunter2", "hun:hunter2:ter", "hunter2"])
def test_a_password_with_colons_is_not_told_where_the_scheme_is_broken(secret: str) -> None:
    for text in (f"rtsp//me:{secret}@host/live", f"me:{secret}@host", f"A0//me:{secret}@host: no answer"):
        assert "hunter2" not in told(text), told(text)
        assert "host" in told(text)


@pytest.mark.parametrize("path", ["x;token={}", "x;a=1;Password={};b=2", "key={}/x", "x&pwd={}"])
def test_no_secret_of_a_path_is_shown(path: str) -> None:
    uri = "http://host/" + path.format(SECRET)
    for shown in (told(uri), address.redact(uri), address.name(uri), name_of(uri), default_output(uri)):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "text",
    [
        "clip.mp4: no such file",
        "C:/films/a@b.mp4",
        "zones.yaml:12: unknown entry 'key'; use name, points",
        "320,200@12.5",
        "--line 'a=0,0 1,1'",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert told(text) == text


@examples(300)
@given(
    st.text(st.characters(), max_size=20)
    | st.text(st.sampled_from("\x00\x07\x1b\x7f\x85\x9b\u200e\u202e\u2066\u2028\ufeff\ud800a"), max_size=9)
)
def test_what_is_told_can_be_printed_and_moves_no_cursor(text: str) -> None:
    for shown in (harmless(text), told(text), cell(text)):
        assert not re.search(
            "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", shown
        )
        shown.encode()


@examples(300)
@given(st.text(st.sampled_from("=+-@\t\r;, '1.5eaＡ＝"), max_size=9))
def test_no_cell_is_a_formula_and_a_number_stays_one(text: str) -> None:
    try:
        number = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", text) and float(text)
    except ValueError:
        number = None
    shown = cell(text)
    if number is not None and number is not False:
        assert shown == text
        return
    for part in re.split("[;,\t]", shown):
        assert not part.strip().startswith(tuple("=+-@＝"))
    assert cell_read(shown) == harmless(text)
    out = io.StringIO()
    csv.writer(out).writerow([shown])
    assert next(csv.reader(io.StringIO(out.getvalue()))) == [shown]


@pytest.mark.parametrize(
    "uri",
    [
        f"gopher+x://me:{SECRET}@127.0.0.1:1/cam",
        f"http://me:{SECRET}@127.0.0.1:1/x.mp4?token={SECRET}",
        f"me:{SECRET}@127.0.0.1/cam",
    ],
)
def test_no_traceback_and_no_line_holds_a_secret(
    uri: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for start in (lambda: track(uri, give_up_after=0.1), lambda: track_all([uri, uri], give_up_after=0.1)):
        try:
            for _ in start():
                pass
        except Exception:
            text = traceback.format_exc()
            assert SECRET not in re.sub(r'.*File "[^"]*test_text.*\n.*\n', "", text), text
    for arguments in (
        [uri],
        [uri, uri],
        ["x.mp4", "-o", uri],
        ["x.mp4", "--zones", uri],
        ["x.mp4", "--on", f"*={uri}"],
        [uri, "--stat", uri],
    ):
        with pytest.raises(SystemExit):
            main([*arguments, "--give-up-after", "0.1"])
    out, err = capfd.readouterr()
    assert SECRET not in out + err
    assert not [path for path in tmp_path.iterdir() if SECRET in path.name]


def test_a_mistake_of_ours_is_shown_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot parse rtsp://me:{SECRET}@host\x1b[31m")

    monkeypatch.setattr("tracker.cli.execute", broken)
    with pytest.raises(SystemExit) as caught:
        main(["x.mp4", "--no-save"])
    err = capfd.readouterr().err
    assert caught.value.code == 1
    assert SECRET not in err and "\x1b" not in err and "RuntimeError: cannot parse rtsp://host" in err
    assert "Traceback" in err and len(err.splitlines()) > 3


@pytest.mark.slow
def test_a_film_with_a_hostile_name_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = "x\udcff\x1b]0;owned\x07\u202e=y"
    film = tmp_path / f"{name}.mp4"
    try:
        write_video(tmp_path / "plain.mp4", frames=2).rename(film)
    except (OSError, UnicodeError):
        pytest.skip("this disk takes no such names")
    with contextlib.suppress(SystemExit):
        main([str(film), "-o", str(tmp_path / f"{name}_out.mp4"), "--save-json", str(tmp_path / "j")])
    out, err = capfd.readouterr()
    assert "written" in out and not err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", out)
