"""Actions on events: a webhook, a command or an MQTT message."""

from __future__ import annotations

import re

from tracker.sinks.actions.outbox import ActionSink
from tracker.types import OptionError, Scene

__all__ = ["ActionSink", "parse_action"]

KIND = re.compile(r"[\w.*?\-\[\]!]+")
EXAMPLES = "zone.loiter=https://host/hook, 'line.*=cmd:./ring.sh', '*=mqtt://host/topic'"


def parse_action(text: str, scene: Scene) -> ActionSink:
    """Return the sink that ``KIND=ACTION`` asks for; nothing is opened yet.

    ``KIND`` is the kind of an event, with ``*`` and ``?`` as wildcards; ``ACTION`` is an address
    (http, https, mqtt, mqtts) or ``cmd:`` and a command. Raises ``OptionError``, which never repeats an
    address: it may hold a password.
    """
    kind, found, action = text.partition("=")
    kind, action = kind.strip(), action.strip()
    if not found or not KIND.fullmatch(kind):
        raise OptionError(f"--on takes KIND=ACTION, for example {EXAMPLES}")
    # What carries it is imported here: networking takes a while, and most runs act on nothing.
    scheme = action.partition(":")[0].lower()
    if scheme == "cmd":
        from tracker.sinks.actions.command import CommandSink

        return CommandSink(kind, action[len("cmd:") :], scene)
    if scheme in ("http", "https"):
        from tracker.sinks.actions.webhook import WebhookSink

        return WebhookSink(kind, action, scene)
    if scheme in ("mqtt", "mqtts"):
        from tracker.sinks.actions.mqtt import MqttSink

        return MqttSink(kind, action, scene)
    raise OptionError(
        f"--on {kind}=...: the action must begin with http:, https:, mqtt:, mqtts: or cmd:, "
        f"for example {EXAMPLES}"
    )
