"""KIND=ACTION: what is understood, what is refused, and what is never repeated."""

from __future__ import annotations

import pytest

from tests.tracker.sinks.actions.desk import SCENE
from tracker.sinks.actions import ActionSink, parse_action
from tracker.sinks.actions.command import CommandSink
from tracker.sinks.actions.mqtt import MqttSink
from tracker.sinks.actions.webhook import WebhookSink
from tracker.types import OptionError


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("zone.loiter=http://host/hook?a=b", WebhookSink),
        ("line.*=HTTPS://me:secret@host:8443/x", WebhookSink),
        ("line.*=cmd:cat -", CommandSink),
        ("*=mqtt://host/a/topic", MqttSink),
        (" line.in = mqtts://me:pass%20word@[::1]:8884/topic ", MqttSink),
    ],
)
def test_addresses_are_told_apart(text: str, kind: type[ActionSink]) -> None:
    assert type(parse_action(text, SCENE)) is kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "KIND=ACTION"),
        ("http://me:secret@host/?a=secret", "KIND=ACTION"),
        ("=http://host/secret", "KIND=ACTION"),
        ("line in=http://host/secret", "KIND=ACTION"),
        ("line.in=ftp://me:secret@host/", "must begin with"),
        ("line.in=secret", "must begin with"),
        ("line.in=http:///secret", "not a web address"),
        ("line.in=http://me:secret@host:99999/", "not a web address"),
        ("line.in=http://host/a secret", "not a web address"),
        ("line.in=http://[secret/", "not a web address"),
        ("line.in=cmd:", "needs a command"),
        ("line.in=cmd:cat 'secret", "close every quote"),
        ("line.in=cmd:no-such-program-here secret", "cannot find the program 'no-such-program-here'"),
        ("line.in=mqtt://me:secret@host", "mqtt://host/topic"),
        ("line.in=mqtt://me:secret@host/a/#", "mqtt://host/topic"),
        ("line.in=mqtt://me:secret@host/a/+/b", "mqtt://host/topic"),
        ("line.in=mqtt:///secret", "mqtt://host/topic"),
    ],
)
def test_what_cannot_be_used_is_refused_without_repeating_the_address(text: str, message: str) -> None:
    with pytest.raises(OptionError) as refused:
        parse_action(text, SCENE)
    assert message in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
