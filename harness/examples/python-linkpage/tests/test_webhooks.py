"""Deliveries: verified over the bytes that came, effective once, kept when nobody understands them."""

import asyncio
import base64
import hmac
import json
import time
from dataclasses import dataclass, replace

import pytest

from linkpage.database import Database
from linkpage.service import SHARED_SCHEMA
from linkpage.shelf import Page, Shelf
from linkpage.signature import is_signed
from linkpage.vault import Secrets
from linkpage.webhooks import Webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD, ASSUMED = "standard-webhooks", "linktree-assumed"
BODY = b'{"type":"profile.updated","data":{"handle":"ann"}}'
NOW = 1_700_000_000.0


class StubVault:
    def __init__(self, secret=SECRET, rotated_to=None):
        self.secrets = Secrets(1, "k", secret)
        self._rotated_to = rotated_to

    async def renewed(self, version, since):
        if self._rotated_to:
            self.secrets = Secrets(2, "k", self._rotated_to)
        return self.secrets.version != version


def standard(body=BODY, message="m1", now=NOW, secret=SECRET):
    at = str(int(now))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    tag = hmac.digest(key, f"{message}.{at}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(tag).decode()}"
    return {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": signature}


def assumed(body=BODY, now=NOW):
    at = str(int(now))
    tag = hmac.digest(SECRET.encode(), f"{at}.".encode() + body, "sha256").hex()
    return {"x-linktree-timestamp": at, "x-linktree-signature": tag}


def test_the_specifications_own_example():
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert is_signed(STANDARD, b'{"test": 2432232314}', headers, SECRET, 1614265330)


def change(name, to):
    headers = standard()
    return {**headers, name: to(headers[name])}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (standard(), BODY + b" "),
        (standard(secret="whsec_AAAA"), BODY),
        (standard(now=NOW - 301), BODY),
        (standard(now=NOW + 302), BODY),
        (change("webhook-id", lambda text: "m2"), BODY),
        (change("webhook-timestamp", lambda text: str(int(text) - 1)), BODY),
        (change("webhook-timestamp", lambda text: text + ".0"), BODY),
        (change("webhook-signature", lambda text: text.replace("v1,", "v1a,")), BODY),
        (change("webhook-signature", lambda text: text[:20]), BODY),
        (change("webhook-signature", lambda text: text.upper()), BODY),
        (change("webhook-signature", lambda text: ""), BODY),
        ({}, BODY),
        (assumed(), BODY),
    ],
)
def test_what_is_not_linktrees_is_not_signed(headers, body):
    assert not is_signed(STANDARD, body, headers, SECRET, NOW)


def test_what_is_linktrees_is_signed():
    body = b'{ "odd":1.0e1,\xff }'
    several = standard(body)
    several["webhook-signature"] = f"v2,x v1,AAAA {several['webhook-signature']} v1,BBBB"
    assert is_signed(STANDARD, body, several, SECRET, NOW + 299)
    assert is_signed(ASSUMED, BODY, assumed(), SECRET, NOW)
    listed = assumed()
    listed["x-linktree-signature"] = "00, " + listed["x-linktree-signature"]
    assert is_signed(ASSUMED, BODY, listed, SECRET, NOW)
    assert not is_signed(ASSUMED, BODY, assumed(now=NOW - 301), SECRET, NOW)
    assert not is_signed(ASSUMED, BODY, standard(), SECRET, NOW)


@dataclass
class Receivers:
    """Two workers on one folder, and the second one's shelf."""

    one: Webhooks
    other: Webhooks
    shelf: Shelf

    def receive(self, body, headers, by="one"):
        return asyncio.run(getattr(self, by).receive(body, headers))


@pytest.fixture
def receivers(config):
    def new(scheme=STANDARD, vault=None):
        settings = replace(config, webhook_scheme=scheme)
        workers = []
        for _ in range(2):
            database = Database(settings.shared_state, SHARED_SCHEMA, durable=False)
            shelf = Shelf(database, 10)
            workers.append(Webhooks(settings, vault or StubVault(), database, shelf))
        return Receivers(*workers, shelf)

    return new


def test_a_genuine_delivery_has_its_effect_once_in_all_workers(receivers):
    both = receivers()
    now = time.time()
    both.shelf.landed("ann", Page("v1", None, b"", now, now + 60, now + 600))
    assert both.shelf.glance("ann")[0].fresh_until > now + 50
    headers = standard(now=now)
    assert both.receive(BODY, headers) == "accepted"
    time.sleep(0.02)
    assert both.shelf.glance("ann")[0].fresh_until <= time.time()
    assert both.receive(BODY, headers, by="other") == "duplicate"
    assert both.receive(BODY + b" ", headers) == "refused"


def test_a_page_that_was_on_its_way_when_it_was_changed_is_fetched_again(receivers):
    both = receivers()
    now = time.time()
    assert both.shelf.take_off("ann", "pilot", 10)
    assert both.receive(BODY, standard(now=now)) == "accepted"
    both.shelf.landed("ann", Page("v1", None, b"", now, now + 60, now + 600))
    assert both.shelf.page("ann").fresh_until <= time.time()
    assert both.shelf.take_off("ann", "pilot", 10)


def test_a_rotated_secret_is_read_again(receivers):
    both = receivers(vault=StubVault("whsec_AAAA", rotated_to=SECRET))
    assert both.receive(BODY, standard(now=time.time())) == "accepted"


def test_under_the_other_scheme_a_message_is_known_by_its_bytes(receivers):
    both = receivers(scheme=ASSUMED)
    assert both.receive(BODY, assumed(now=time.time())) == "accepted"
    assert both.receive(BODY, assumed(now=time.time() - 9)) == "duplicate"


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b'{ "type":"profile.updated" }',
        b'{"type":"link.clicked","data":{"handle":7}}',
        b"[]",
        b"7",
        b"[" * 100_000,
        b"\xff\x00",
        b'{"type":"profile.updated","pad":"' + b"x" * 32_768 + b'"}',
    ],
)
def test_what_is_not_understood_is_kept_as_it_came(receivers, config, body):
    both = receivers()
    assert both.receive(body, standard(body, now=time.time())) == "kept"
    assert both.receive(body, standard(body, now=time.time()), by="other") == "duplicate"
    [line] = config.dead_letters.read_text().splitlines()
    record = json.loads(line)
    kept = record.get("payload", "").encode() or base64.b64decode(record["payload_base64"])
    assert kept == body


def test_events_that_nobody_asked_for_are_ignored(receivers, config):
    both = receivers()
    body = b'{"type":"link.sneezed"}'
    assert both.receive(body, standard(body, now=time.time())) == "ignored"
    assert not config.dead_letters.exists()


def test_what_could_not_be_kept_may_come_again(receivers, config):
    both = receivers()
    config.dead_letters.mkdir()
    headers = standard(b"no json", now=time.time())
    with pytest.raises(OSError):
        both.receive(b"no json", headers)
    config.dead_letters.rmdir()
    assert both.receive(b"no json", headers) == "kept"
