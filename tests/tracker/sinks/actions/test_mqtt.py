"""MQTT against a real broker."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.sinks.actions.desk import SCENE, result, soon
from tracker.sinks.actions.mqtt import MqttSink
from tracker.types import OptionError

paho = pytest.importorskip("paho.mqtt.client", reason="needs paho-mqtt: pip install '.[mqtt]'")
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_broker = pytest.mark.skipif(
    MOSQUITTO is None or not shutil.which("mosquitto_passwd"),
    reason="needs a broker to talk to: apt-get install mosquitto",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def broker(folder: Path, port: int) -> Iterator[None]:
    """Mosquitto that wants the name ``me`` and the password ``pass word``."""
    words, config = folder / "passwords", folder / "mosquitto.conf"
    if not words.exists():
        words.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", words, "me", "pass word"], check=True, capture_output=True)
        words.chmod(0o644)
        folder.chmod(0o755)
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {words}\nuser root\n")
    assert MOSQUITTO is not None
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=quiet, stderr=quiet)
    try:
        assert soon(lambda: _listens(port)), f"mosquitto did not start: {process.poll()}"
        yield
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def subscribed(port: int, topic: str) -> Iterator[list[dict[str, Any]]]:
    from paho.mqtt.enums import CallbackAPIVersion

    got: list[dict[str, Any]] = []
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set("me", "pass word")
    client.on_connect = lambda *_: client.subscribe(topic, qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _client, _data, message: got.append(json.loads(message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert ready.wait(10)
    try:
        yield got
    finally:
        client.disconnect()
        client.loop_stop()


@needs_broker
def test_events_arrive_in_order_with_frigates_words(tmp_path: Path) -> None:
    port = free_port()
    threads = threading.active_count()
    with broker(tmp_path, port), subscribed(port, "shop/track") as got:
        with MqttSink("zone.*", f"mqtt://me:pass%20word@127.0.0.1:{port}/shop/track", SCENE) as sink:
            sink.write(result("zone.enter", "line.in"))
            sink.write(result("zone.loiter", index=1))
            sink.write(result("zone.exit", index=2))
        assert sink.warnings == []
        assert soon(lambda: len(got) == 3)
    assert [(m["type"], m["kind"], m["frame"]) for m in got] == [
        ("new", "zone.enter", 0),
        ("update", "zone.loiter", 1),
        ("end", "zone.exit", 2),
    ]
    assert soon(lambda: threading.active_count() <= threads)


@needs_broker
def test_a_broker_that_comes_later_gets_what_happened_before(tmp_path: Path) -> None:
    port = free_port()
    address = f"mqtt://me:pass%20word@127.0.0.1:{port}/late"
    with MqttSink("*", address, SCENE, grace_s=15) as sink:
        sink.write(result("a", "b"))
        with broker(tmp_path, port), subscribed(port, "late") as got:
            assert soon(lambda: len(got) == 2, 15)
            sink.write(result("c"))
            assert soon(lambda: len(got) == 3)
    assert sink.warnings == []


@needs_broker
def test_a_wrong_password_is_noted_without_it(tmp_path: Path) -> None:
    port = free_port()
    with broker(tmp_path, port):
        address = f"mqtt://me:secret@127.0.0.1:{port}/topic-secret"
        with MqttSink("*", address, SCENE, grace_s=2) as sink:
            sink.write(result("a"))
            assert soon(lambda: "refused" in sink._problem)
    (note,) = sink.warnings
    assert f"1 of 1 events '*' did not reach mqtt://127.0.0.1:{port}" in note
    assert "not authorized" in note
    assert "secret" not in note


@pytest.mark.slow
def test_no_broker_is_noted_and_the_end_is_bounded() -> None:
    begin = time.monotonic()
    with MqttSink("*", f"mqtt://127.0.0.1:{free_port()}/t", SCENE, grace_s=0.3) as sink:
        for index in range(2000):
            sink.write(result("a", index=index))
    assert time.monotonic() - begin < 5
    assert "2000 of 2000 events" in sink.warnings[0]
    assert "no connection" in sink.warnings[0]


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(OptionError, match="pip install"), MqttSink("*", "mqtt://host/t", SCENE):
        pass
