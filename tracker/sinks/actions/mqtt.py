"""Events to an MQTT broker, with the message types of Frigate, which home automation knows."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tracker.sinks.actions.outbox import ActionSink, Undelivered
from tracker.types import Event, OptionError, Scene

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

PORTS = {"mqtt": 1883, "mqtts": 8883}
RECONNECT_S = (1, 30)  # first and longest pause between attempts to connect
POLL_S = 0.1
ENDS = frozenset({"exit", "end", "lost"})  # last words of the kinds that end something
UPDATES = frozenset({"loiter", "over"})  # of the kinds that report on something again


class MqttSink(ActionSink):
    """Publishes each event as JSON with quality of service 1: at least once, acknowledged.

    The message has a ``type`` as Frigate's events do: ``end`` for ``zone.exit``, ``route.end``,
    ``follow.lost`` and the like, ``update`` for ``zone.loiter`` and ``speed.over``, ``new`` for everything
    else. The client waits for a broker that cannot be reached. Messages show scheme and host only.
    """

    def __init__(self, kind: str, address: str, scene: Scene, **more: Any) -> None:
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        topic = unquote(parts.path).strip("/") if host else ""
        if not host or not topic or set("+#\0") & set(topic) or set("?#") & set(address):
            raise OptionError(f"--on {kind}=mqtt...: write mqtt://host/topic, the topic without + and #")
        self._host, self._port = host, port or PORTS[parts.scheme]
        self._topic, self._secure = topic, parts.scheme == "mqtts"
        self._user = None if parts.username is None else unquote(parts.username)
        self._password = None if parts.password is None else unquote(parts.password)
        super().__init__(kind, f"{parts.scheme}://{host}:{self._port}", scene, **more)
        self._acknowledged: set[int] = set()
        self._problem = "no connection to the broker"

    def __enter__(self) -> MqttSink:
        """Begin to connect, in the background; raises ``OptionError`` without the package for it."""
        try:
            import paho.mqtt.client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise OptionError(
                "MQTT needs the package paho-mqtt: pip install 'track-anything-in-video[mqtt]'"
            ) from error
        client = self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        if self._secure:
            client.tls_set()
        client.reconnect_delay_set(*RECONNECT_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.connect_async(self._host, self._port)
        client.loop_start()
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Deliver the queue, as `ActionSink` does, and disconnect."""
        super().__exit__(kind, error, trace)
        self._client.disconnect()
        self._client.loop_stop()

    def deliver(self, event: Event) -> None:
        """Publish once; the client itself sends it again after a lost connection."""
        body = self.encoded({"type": frigate_type(event.kind), **self.message(event)})
        number = self._client.publish(self._topic, body, qos=1).mid
        while not self._closing.is_set():
            with self._change:
                if number in self._acknowledged:
                    self._acknowledged.discard(number)
                    return
                self._change.wait(POLL_S)
        raise Undelivered(self._problem)

    def _on_connect(
        self, client: object, data: object, flags: object, code: ReasonCode, properties: object
    ) -> None:
        self._problem = f"the broker refused: {code}".lower() if code.is_failure else "no acknowledgement"

    def _on_disconnect(self, *_: object) -> None:
        if not self._problem.startswith("the broker refused"):
            self._problem = "no connection to the broker"

    def _on_publish(self, client: object, data: object, number: int, *_: object) -> None:
        with self._change:
            self._acknowledged.add(number)
            self._change.notify_all()


def frigate_type(kind: str) -> str:
    """Return the type that Frigate gives to such an event.

    >>> frigate_type("zone.enter"), frigate_type("zone.loiter"), frigate_type("zone.exit")
    ('new', 'update', 'end')
    """
    last = kind.rpartition(".")[2]
    return "end" if last in ENDS else "update" if last in UPDATES else "new"
