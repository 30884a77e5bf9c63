"""Commands that really run."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.sinks.actions.desk import SCENE, result
from tracker.sinks.actions.command import AT_ONCE, CommandSink

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands here are those of Unix")


def script(folder: Path, text: str) -> Path:
    path = folder / "ring.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def run(path: Path, *kinds: str, arguments: str = "", **more: Any) -> CommandSink:
    threads = threading.active_count()
    with CommandSink("*", f"'{path}' {arguments}", SCENE, **more) as sink:
        for index, kind in enumerate(kinds):
            sink.write(result(kind, index=index))
    assert threading.active_count() <= threads
    return sink


def test_each_event_comes_on_standard_input_with_the_arguments_given(tmp_path: Path) -> None:
    path = script(tmp_path, f"cat > '{tmp_path}'/$$.json; echo \"$1\" > '{tmp_path}'/argument")
    sink = run(path, "line.in", "line.out", "line.in", arguments="'two words'")
    assert sink.warnings == []
    got = [json.loads(p.read_text()) for p in tmp_path.glob("*.json")]
    assert sorted(m["frame"] for m in got) == [0, 1, 2]
    assert {m["class"] for m in got} == {"person"}
    assert (tmp_path / "argument").read_text() == "two words\n"


@pytest.mark.slow
def test_a_bounded_number_runs_at_once(tmp_path: Path) -> None:
    path = script(
        tmp_path, f"cd '{tmp_path}'; touch $$.now; ls *.now | wc -l > $$.seen; sleep 0.1; rm $$.now"
    )
    begin = time.monotonic()
    sink = run(path, *["a"] * 12)
    assert sink.warnings == []
    seen = [int(p.read_text()) for p in tmp_path.glob("*.seen")]
    assert len(seen) == 12
    assert 2 <= max(seen) <= AT_ONCE
    assert time.monotonic() - begin < 10


def test_a_failure_is_noted_by_its_code_and_without_arguments(tmp_path: Path) -> None:
    sink = run(script(tmp_path, "echo $1 >&2; exit 3"), "a", "b", arguments="secret")
    (note,) = sink.warnings
    assert "2 of 2 events '*' did not reach cmd:ring.sh" in note
    assert "exit code 3" in note
    assert "secret" not in note


def test_a_command_that_does_not_read_is_no_failure(tmp_path: Path) -> None:
    assert run(script(tmp_path, "exit 0"), *["a"] * 5).warnings == []


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"timeout_s": 0.2}, {"grace_s": 0.2}])
def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path, more: dict[str, float]) -> None:
    path = script(tmp_path, f"(sleep 2; touch '{tmp_path}/late') & sleep 60")
    begin = time.monotonic()
    sink = run(path, "a", **more)
    assert time.monotonic() - begin < 5
    assert "ended after" in sink.warnings[0]
    time.sleep(max(0.0, 2.3 - (time.monotonic() - begin)))
    assert not (tmp_path / "late").exists()


def test_what_cannot_be_started_is_noted(tmp_path: Path) -> None:
    path = script(tmp_path, "exit 0")
    sink = CommandSink("*", f"'{path}'", SCENE)
    path.unlink()
    with sink:
        sink.write(result("a"))
    assert "cannot be started" in sink.warnings[0]
