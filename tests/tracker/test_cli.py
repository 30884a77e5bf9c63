"""The command line as a user meets it: every mistake ends in one line and exit code 2."""

from __future__ import annotations

import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tracker.cli import COMMANDS, default_output, main


@pytest.fixture
def track(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs ``track`` in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return int(caught.value.code or 0), out, err

    return call


def refused(answer: tuple[int, str, str], *words: str) -> None:
    code, _, err = answer
    lines = err.strip().splitlines()
    assert code == 2, answer
    assert len(lines) == 1, f"more than one line: {lines}"
    assert lines[0].startswith("track: ")
    for word in words:
        assert word in lines[0], lines[0]


Track = Callable[..., tuple[int, str, str]]
MakeVideo = Callable[..., Path]


class TestBadInput:
    def test_missing_file(self, track: Track, tmp_path: Path) -> None:
        refused(track(tmp_path / "none.mp4", "--no-save"), "none.mp4")

    def test_directory_without_images(self, track: Track, tmp_path: Path) -> None:
        refused(track(tmp_path, "--no-save"), tmp_path.name)

    def test_text_named_mp4(self, track: Track, tmp_path: Path) -> None:
        (tmp_path / "notes.mp4").write_text("not a video at all\n" * 50)
        refused(track(tmp_path / "notes.mp4", "--no-save"), "notes.mp4")

    def test_empty_file(self, track: Track, tmp_path: Path) -> None:
        (tmp_path / "empty.mp4").touch()
        refused(track(tmp_path / "empty.mp4", "--no-save"), "empty.mp4", "empty")

    def test_no_video_stream(self, track: Track, tmp_path: Path) -> None:
        path = tmp_path / "sound.wav"
        with wave.open(str(path), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(16000))
        refused(track(path, "--no-save"), "sound.wav", "video")

    def test_weights_that_are_none(self, track: Track, make_video: MakeVideo, tmp_path: Path) -> None:
        (tmp_path / "bad.pt").write_bytes(b"these are no weights")
        refused(track(make_video(), "--no-save", "--weights", tmp_path / "bad.pt"), "bad.pt")

    def test_unknown_class_lists_near_misses(
        self, track: Track, make_video: MakeVideo, weights: Path
    ) -> None:
        refused(
            track(make_video(), "--no-save", "--weights", weights, "--classes", "persn"), "persn", "person"
        )

    def test_output_folder_missing(
        self, track: Track, make_video: MakeVideo, weights: Path, tmp_path: Path
    ) -> None:
        refused(track(make_video(), "--weights", weights, "-o", tmp_path / "nowhere" / "out.mp4"), "nowhere")

    def test_output_is_the_input(self, track: Track, make_video: MakeVideo, weights: Path) -> None:
        clip = make_video()
        before = clip.read_bytes()
        refused(track(clip, "--weights", weights, "-o", clip, "--overwrite"), clip.name)
        assert clip.read_bytes() == before

    def test_an_existing_file_is_kept(
        self, track: Track, make_video: MakeVideo, weights: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "mine.mp4").write_text("precious")
        refused(track(make_video(), "--weights", weights, "-o", tmp_path / "mine.mp4"), "--overwrite")
        assert (tmp_path / "mine.mp4").read_text() == "precious"

    def test_no_such_gpu(self, track: Track, make_video: MakeVideo, weights: Path) -> None:
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
        refused(track(make_video(), "--no-save", "--weights", weights, "--device", "0"), "--device", "cpu")

    @pytest.mark.parametrize(
        ("flag", "value"),
        [
            ("--conf", "-1"),
            ("--conf", "7"),
            ("--conf", "high"),
            ("--imgsz", "0"),
            ("--imgsz", "-640"),
            ("--vid-stride", "0"),
            ("--max-frames", "-1"),
            ("--crf", "100"),
            ("--lost", "-1"),
            ("--start", "-3"),
        ],
    )
    def test_absurd_values(self, track: Track, make_video: MakeVideo, flag: str, value: str) -> None:
        refused(track(make_video(), "--no-save", flag, value), flag)

    def test_unknown_option_and_no_source(self, track: Track) -> None:
        refused(track("clip.mp4", "--frobnicate"), "--frobnicate")
        refused(track(), "SOURCE")

    def test_contradiction(self, track: Track, make_video: MakeVideo) -> None:
        refused(track(make_video(), "--no-save", "-o", "x.mp4"), "--no-save")


class TestRun:
    def test_writes_video_numbers_and_a_table(
        self, track: Track, make_video: MakeVideo, weights: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out.mp4"
        mot, csv, lines = tmp_path / "o.txt", tmp_path / "o.csv", tmp_path / "o.jsonl"
        code, table, err = track(
            make_video(frames=7), "--weights", weights, "--imgsz", 160, "-o", out,
            "--save-mot", mot, "--save-csv", csv, "--save-json", lines,
        )  # fmt: skip
        assert (code, err) == (0, "")
        assert "7 in" in table
        for word in ("decode", "detect", "track", "draw", "encode", str(out)):
            assert word in table.replace("\n", ""), table
        with av.open(str(out)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 7
        assert mot.exists() and csv.exists() and lines.exists()

    @pytest.mark.slow
    def test_into_a_folder(self, track: Track, make_video: MakeVideo, weights: Path, tmp_path: Path) -> None:
        code, table, _ = track(
            make_video(frames=2), "--weights", weights, "--imgsz", 64, "-o", f"{tmp_path}/new/"
        )
        assert code == 0 and "clip_output.mp4" in table
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["clip_output.mp4"]

    @pytest.mark.slow
    def test_a_window_alone_writes_no_video(
        self, track: Track, make_video: MakeVideo, weights: Path, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        Path("clip_output.mp4").write_text("of an earlier run")
        code, _, err = track(make_video(frames=2), "--weights", weights, "--imgsz", 64, "--show")
        assert code == 0
        assert Path("clip_output.mp4").read_text() == "of an earlier run"
        if sys.platform.startswith("linux"):
            assert err.splitlines()[-1] == "track: nothing was shown and no video written; add -o FILE"

    @pytest.mark.slow
    def test_a_truncated_file_is_used_to_its_end(
        self, track: Track, make_video: MakeVideo, weights: Path, tmp_path: Path
    ) -> None:
        whole = make_video("whole.mkv", frames=100).read_bytes()
        (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
        code, _, err = track(
            tmp_path / "cut.mkv", "--weights", weights, "--imgsz", 64, "-o", tmp_path / "out.mp4"
        )
        assert code == 0
        assert err.startswith("track: ") and len(err.splitlines()) == 1
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert 20 < sum(1 for _ in container.decode(video=0)) < 100

    @pytest.mark.slow
    def test_of_several_files_one_is_broken(
        self, track: Track, make_video: MakeVideo, weights: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "notes.mp4").write_text("no video")
        clips = [make_video("a.mp4", frames=5), tmp_path / "notes.mp4", make_video("b.mp4", frames=6)]
        code, table, err = track(*clips, "--weights", weights, "--imgsz", 64, "-o", tmp_path / "out")
        assert code == 2
        assert len(err.splitlines()) == 1 and err.startswith("track: notes: ") and "notes.mp4" in err
        for name, frames in (("a", 5), ("b", 6)):
            with av.open(str(tmp_path / "out" / f"{name}_output.mp4")) as container:
                assert sum(1 for _ in container.decode(video=0)) == frames
            assert f"\n{name}\nframes   {frames} in" in table
        assert "notes" not in table


def test_help_is_complete_and_quick() -> None:
    command = [sys.executable, "-m", "tracker", "--help"]
    subprocess.run(command, check=True, capture_output=True)
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Detection:" in done.stdout and "--save-mot" in done.stdout
    print(f"track --help: {time.perf_counter() - start:.2f} s")
    slow = {"torch", "ultralytics", "cv2", "av", "openvino", "numpy", "scipy", "rich"}
    probe = (
        "import sys, tracker.cli\n"
        "try: tracker.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print('LOADED', sorted(set(sys.modules) & {slow!r}))"
    )
    done = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_a_file_with_the_name_of_a_command_is_a_source(
    track: Track, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in COMMANDS:
        Path(name).write_text("no video")
        refused(track(name, "--no-save"), name, "video")
        refused(track("run", name, "--no-save"), name, "video")


def test_default_output_stands_in_the_working_folder() -> None:
    assert default_output("/videos/a.b.mp4") == "a.b_output.mp4"


def test_a_group_of_commands_alone_shows_what_there_is(track: Track) -> None:
    code, _, err = track("zones")
    assert code == 2
    assert "Usage: track zones" in err and "\n  check" in err
