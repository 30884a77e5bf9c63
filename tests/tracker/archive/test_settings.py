from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tracker.archive import settings
from tracker.archive.recordings import Names
from tracker.archive.store import Folder, open_store
from tracker.cli import main
from tracker.options import Options
from tracker.types import OptionError


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(["archive", *arguments])
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.startswith("track: ")
    return told


@pytest.mark.parametrize("option, why", [
    (["--appearance", "color"], "needs pictures"), (["--camera-motion", "on"], "needs pictures"),
    (["--vid-stride", "2"], "needs the whole file"), (["--detect-every", "2"], "needs the whole file"),
    (["--look", "changed"], "needs the whole file"), (["--int8"], "track export --int8"),
    (["--save-csv", "t.csv"], "always writes"), (["--state", "s.json"], "only what is missing"),
    (["--on", "line.*=cmd:x"], "happens now"), (["--crf", "20"], "add --draw"),
    (["--blur", "all"], "add --draw"), (["--plugin", "heatmap"], "add --draw"),
    (["--segment", "1h"], "for one run"),
])  # fmt: skip
def test_what_needs_pixels_or_the_whole_file_is_refused(
    option: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert why in refusal(capsys, str(tmp_path), "-o", str(tmp_path / "out"), *option)
    assert not (tmp_path / "out").exists()


def test_what_an_archive_does_anyhow_may_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(capsys, str(tmp_path), "-o", str(tmp_path / "out"), "--look", "all")
    assert "contains no video" in told


def test_counts_are_per_interval_without_a_file_of_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = refusal(capsys, str(tmp_path), "-o", str(tmp_path / "out"), "--interval", "60")
    assert "contains no video" in told  # and not that --counts is missing


def test_without_the_extra_one_line_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    for name, arguments in (
        ("ray", [str(tmp_path), "-o", str(tmp_path / "out"), "--address", "127.0.0.1:6379"]),
        ("fsspec", ["s3://bucket/a.mp4", "-o", str(tmp_path / "out")]),
    ):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setattr(settings, "told", lambda *_, **__: {"detection": {}, "tables": {}})
        assert "pip install 'track-anything-in-video[archive]'" in refusal(capsys, *arguments)


@pytest.mark.slow
def test_no_cluster_is_joined_without_a_token_or_by_chance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setattr(settings, "told", lambda *_, **__: {"detection": {}, "tables": {}})
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    here = [str(tmp_path), "-o", str(tmp_path / "out"), "--address"]
    assert "would join any cluster" in refusal(capsys, *here, "auto")
    assert "RAY_AUTH_MODE=token" in refusal(capsys, *here, "127.0.0.1:1")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    pytest.importorskip("ray", reason="needs the extra: pip install -e '.[archive]'")
    assert "no Ray cluster answers there" in refusal(capsys, *here, "127.0.0.1:1")


@pytest.mark.slow
def test_what_could_only_fail_later_is_refused_before_anything_is_written(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "junk.yaml").write_text("x: 1\n")
    here = str(tmp_path), "-o", str(tmp_path / "out"), "--weights", str(weights)
    assert "-pose weights" in refusal(capsys, *here, "--match-by", "keypoints")
    assert "junk.yaml" in refusal(capsys, *here, "--zones", str(tmp_path / "junk.yaml"))
    assert "device or a pipe" in refusal(capsys, *here, "--zones", "/dev/zero")
    assert "no.yaml" in refusal(capsys, *here, "--zones", str(tmp_path / "no.yaml"))
    assert "--output is empty" in refusal(capsys, str(tmp_path), "-o", " ")
    assert not (tmp_path / "out").exists()


def test_changed_settings_are_refused(tmp_path: Path, weights: Path) -> None:
    store = Folder(str(tmp_path))
    options = Options(weights=str(weights), line=("0,0 9,9",))
    before = settings.told(options, 60.0, Names())
    assert settings.compare(store, before, overwrite=False) is False
    settings.write(store, before, options)
    assert settings.compare(store, before, overwrite=False) is False
    other = settings.told(Options(weights=str(weights), imgsz=320, line=("0,0 9,9",)), 60.0, Names())
    with pytest.raises(OptionError, match=r"--imgsz 640, now it is 320; give another -o"):
        settings.compare(store, other, overwrite=True)
    moved = settings.told(Options(weights=str(weights), line=("0,0 9,8",)), 60.0, Names())
    with pytest.raises(OptionError, match="--overwrite makes them anew"):
        settings.compare(store, moved, overwrite=False)
    assert settings.compare(store, moved, overwrite=True) is True
    settings.write(store, settings.told(options, 60.0, Names(), draw=True), options)
    settings.write(store, before, options)  # tables alone: what is known of the videos stays
    fine = settings.told(Options(weights=str(weights), line=("0,0 9,9",), crf=20), 60.0, Names(), draw=True)
    with pytest.raises(OptionError, match="videos were drawn with --crf 23, now it is 20; --overwrite draws"):
        settings.compare(store, fine, overwrite=False)
    assert settings.compare(store, before, overwrite=False) is False


def test_a_store_replaces_files_whole(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    assert store.read("a/b.json") is None and store.names("a") == set()
    for text in (b"one", b"two"):
        store.write("a/b.json", text)
        assert store.read("a/b.json") == text
    assert store.names("a") == {"b.json"} and store.below("a") == ["a/b.json"]
    assert [path.name for path in tmp_path.rglob("*")].count("b.json") == 1
    store.delete("a/b.json")
    store.delete("a/b.json")
    assert store.below("a") == []
