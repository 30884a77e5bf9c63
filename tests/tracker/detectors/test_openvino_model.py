from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest

from tracker import detectors
from tracker.detectors import Settings, open_detector, openvino_model, user_folders
from tracker.detectors.openvino_model import cache_path, converted, stored
from tracker.detectors.seal import _key, seal, sealed
from tracker.detectors.shapes import Head
from tracker.types import OptionError, WeightsError


@pytest.fixture
def kept(untrained: Path, own_cache: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a converted model that this test may spoil."""
    good = models / converted(untrained).xml.parent.name
    (own_cache / "openvino").unlink()
    folder = Path(shutil.copytree(good, own_cache / "openvino" / good.name))
    assert cache_path(untrained, int8=False) == folder
    return folder


def never(weights: Path) -> None:
    raise AssertionError(f"{weights} was converted again")


def test_a_second_opening_converts_nothing(
    untrained: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_model, "convert", never)
    assert converted(untrained).xml == kept / "model.xml"


def test_the_same_weights_under_another_name_share_a_model(untrained: Path, tmp_path: Path) -> None:
    other = Path(shutil.copyfile(untrained, tmp_path / "other.pt"))
    assert (
        cache_path(other, int8=False) == cache_path(untrained, int8=False) != cache_path(untrained, int8=True)
    )


def test_other_weights_have_another_model(untrained: Path, tmp_path: Path) -> None:
    other = tmp_path / "untrained.pt"
    other.write_bytes(untrained.read_bytes() + b"x")
    assert cache_path(other, int8=False) != cache_path(untrained, int8=False)


@pytest.mark.parametrize("library", ["openvino", "ultralytics"])
def test_another_version_of_a_library_has_another_model(
    untrained: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cache_path(untrained, int8=False)
    real = openvino_model.version
    monkeypatch.setattr(openvino_model, "version", lambda name: "9.9" if name == library else real(name))
    assert cache_path(untrained, int8=False) != before


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "about.json"])
@pytest.mark.parametrize("how", ["gone", "cut", "changed"])
def test_a_broken_cache_heals_itself(
    untrained: Path, kept: Path, name: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (kept / name).read_bytes()
    if how == "gone":
        (kept / name).unlink()
    else:
        (kept / name).write_bytes(
            whole[: len(whole) // 2] if how == "cut" else bytes([whole[0] ^ 1]) + whole[1:]
        )
    assert stored(kept) is None
    monkeypatch.setattr(openvino_model, "convert", lambda weights: _any_model())
    healed = converted(untrained)
    assert healed.names == {0: "thing"}
    assert stored(kept) == healed
    assert list(kept.parent.iterdir()) == [kept]  # nothing is left over


@pytest.mark.parametrize("part", ["model.bin", "names", "head", "another"])
def test_what_others_put_into_the_cache_is_made_again(
    untrained: Path, kept: Path, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever changes a model changes its checksums, too."""
    about = json.loads((kept / "about.json").read_text())
    if part == "model.bin":
        changed = bytearray((kept / part).read_bytes())
        changed[len(changed) // 2] ^= 1
        (kept / part).write_bytes(changed)
        about["files"][part] = hashlib.sha256(changed).hexdigest()
    elif part == "another":  # a whole model of ours, of other weights
        other = kept.with_name("0123456789abcdef-fp32")
        shutil.copytree(kept, other)
        assert stored(other) is None
        shutil.rmtree(other)
        del about["seal"]
    else:
        about[part] = {"names": {"0": "dog"}, "head": ["detect", 1, [0, 0], True]}[part]
    (kept / "about.json").write_text(json.dumps(about))
    assert stored(kept) is None
    monkeypatch.setattr(openvino_model, "convert", lambda weights: _any_model())
    assert converted(untrained).names == {0: "thing"}


def test_where_no_key_can_be_kept_a_model_lasts_as_long_as_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("tracker.detectors.seal.data_folder", lambda: tmp_path / "file" / "track")
    mark = seal({"a": 1})
    assert sealed({"a": 1}, mark) and not sealed({"a": 2}, mark) and not sealed({"a": 1}, None)


@pytest.mark.slow
def test_the_key_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.detectors.seal.data_folder", lambda: tmp_path)
    mark = seal([1])
    assert (tmp_path / "cache.key").stat().st_mode & 0o077 == 0 or os.name == "nt"
    _key.cache_clear()
    assert sealed([1], mark)  # in the next process
    (tmp_path / "cache.key").write_bytes(b"cut off")
    _key.cache_clear()
    assert not sealed([1], mark)
    _key.cache_clear()
    assert sealed([1], seal([1]))


def _any_model() -> tuple[object, dict[int, str], Head]:
    import openvino as ov
    from openvino import opset13

    given = opset13.parameter([1, 2], np.float32)
    return ov.Model([opset13.add(given, np.float32(1))], [given]), {0: "thing"}, Head()


def test_a_cache_that_cannot_be_written(untrained: Path, own_cache: Path) -> None:
    (own_cache / "openvino").unlink()
    (own_cache / "openvino").write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="cannot write the converted model"):
        openvino_model.store(cache_path(untrained, int8=False), *_any_model())


@pytest.mark.slow
def test_where_the_cache_cannot_be_written_the_run_goes_on_and_says_so(
    untrained: Path, own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (own_cache / "openvino").unlink()
    (own_cache / "openvino").write_text("a file where the folder should be")
    model = converted(untrained)
    assert model.xml.is_file() and own_cache not in model.xml.parents
    (line,) = caplog.messages
    assert str(own_cache) in line and "it is kept for this run only" in line


def test_int8_is_never_made_silently(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        user_folders, "user_cache_path", lambda *_, **__: tmp_path
    )  # others may have made one
    with pytest.raises(WeightsError, match=r"track export --weights .* --int8 --calibrate VIDEO"):
        converted(untrained, int8=True)


def test_what_openvino_cannot_do(untrained: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--half needs a GPU"):
        open_detector(untrained, Settings(backend="openvino", half=True)).__enter__()
    with pytest.raises(OptionError, match="--device 0 needs --backend torch"):
        open_detector(untrained, Settings(backend="openvino", device="0")).__enter__()
    with pytest.raises(OptionError, match="--int8 runs on OpenVINO only"):
        open_detector(untrained, Settings(backend="torch", int8=True))
    with pytest.raises(WeightsError, match=r"needs \.pt weights"):
        (tmp_path / "exported.onnx").touch()
        open_detector(tmp_path / "exported.onnx", Settings(backend="openvino"))


def test_auto_takes_the_fastest_road_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(name: str = "yolov8n.pt", device: str = "auto") -> str:
        return detectors.choose(Path(name), Settings(device=device))

    monkeypatch.setattr(detectors, "_gpu_possible", lambda: False)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert chosen() == chosen(device="cpu") == "openvino"
    assert chosen("exported.onnx") == chosen("yolov8n_openvino_model") == chosen(device="0") == "torch"
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert chosen() == "torch"
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    monkeypatch.setattr(detectors, "find_spec", lambda name: None)
    assert chosen() == "torch"
