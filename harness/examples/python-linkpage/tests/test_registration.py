"""Webhooks are registered from the start on, by one worker, and looked at again."""

import asyncio
from dataclasses import replace

import pytest

from linkpage.linktree import Answer, LinktreeError
from linkpage.registration import EVENTS, Registration

OURS = "http://front.test/webhooks/linktree"


class StubLinktree:
    """Answers of the route in turn: what is registered, or a failure; then it is always well."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    async def attempt(self, call):
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, LinktreeError):
            raise answer
        return Answer(200, None, b"") if call.method == "POST" else Known(answer)

    def backoff(self, failures):
        return 0.001


class Known(Answer):
    def __init__(self, registered):
        super().__init__(200, None, b"")
        object.__setattr__(self, "registered", registered)

    def json(self):
        return {"data": self.registered}


class StubVault:
    """Says how long was waited for a rotation, and ends the loop when that is long."""

    class secrets:
        version = 1

    def __init__(self):
        self.waits = []

    async def rotation(self, version, within):
        self.waits.append(within)
        if within > 1:
            raise asyncio.CancelledError


def kept(config, *answers):
    linktree, vault = StubLinktree(*answers), StubVault()
    settings = replace(config, public_url="http://front.test")
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(Registration(settings, linktree, vault).keep())
    return [call.method for call in linktree.calls], linktree.calls[-1], vault.waits


def test_what_is_not_registered_is(config):
    methods, call, waits = kept(config, [{"url": "http://b.test/", "events": EVENTS}, 7])
    assert methods == ["GET", "POST"]
    assert call.body == {"url": OURS, "events": EVENTS}
    assert waits == [3600]


def test_what_is_registered_already_is_not_registered_again(config):
    ours = {"url": "http://FRONT.test:80/webhooks/linktree", "events": [*EVENTS, "x"], "active": True}
    assert kept(config, [ours])[0] == ["GET"]
    assert kept(config, [{**ours, "active": False}])[0] == ["GET", "POST"]
    assert kept(config, [{**ours, "events": EVENTS[:1]}])[0] == ["GET", "POST"]


def test_a_failure_is_tried_again_and_a_missing_scope_waits_for_another_key(config):
    busy = LinktreeError("status", 503)
    methods, _, waits = kept(config, busy, [], busy, [])
    assert methods == ["GET", "GET", "POST", "GET", "POST"]
    assert waits == [0.001, 0.001, 3600]
    assert kept(config, LinktreeError("status", 403))[0] == ["GET"]
