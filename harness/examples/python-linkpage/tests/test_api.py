"""Who may do what at the API, and what it answers."""

import asyncio
import hmac
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx
import pytest

from linkpage.analytics import Analytics, session_owner
from linkpage.app import create_app
from linkpage.linktree import Answer, LinktreeError

ALLOWED = "https://app.example"


def token(handle, mac=None, secret="s"):
    tag = hmac.digest(secret.encode(), (mac or handle).encode(), "sha256").hex()
    return f"Bearer {handle}.{tag}"


@dataclass
class StubLinktree:
    failure: LinktreeError | None = None
    calls: list = field(default_factory=list)

    async def attempt(self, call):
        self.calls.append(call)
        if self.failure:
            raise self.failure
        return Answer(200, httpx.Headers(), b'{"handle":"%s"}' % call.path.split("/")[-1].encode())


@dataclass
class StubOutbox:
    items: list = field(default_factory=list)

    async def add(self, items):
        self.items.append(items)


class StubService:
    def __init__(self, config, failure):
        self.linktree = StubLinktree(failure)
        self.analytics = Analytics(self.linktree, config)
        self.changes = StubOutbox()
        self.clicks = StubOutbox()


@pytest.fixture
def ask(config):
    """Makes one request; returns the answer and the service that was asked."""

    def asked(method, path, failure=None, secret="s", **more):
        settings = replace(config, allowed_origins=(ALLOWED,), session_secret=secret)
        front = create_app(settings)
        service = StubService(settings, failure)
        front._api.state.service = service

        async def send():
            transport = httpx.ASGITransport(front)
            async with httpx.AsyncClient(transport=transport, base_url="http://front.test") as client:
                return await client.request(method, path, **more)

        return asyncio.run(send()), service

    return asked


def look(ask, path, authorization, **more):
    headers = {"authorization": authorization} if authorization else {}
    return ask("GET", f"/api/analytics/{path}", headers=headers, **more)


def test_a_creator_sees_own_analytics(ask):
    answer, service = look(ask, "a.nn?handle=bob", token("a.nn"))
    assert (answer.status_code, answer.json()) == (200, {"handle": "a.nn"})
    assert answer.headers["cache-control"] == "private, no-store"
    [call] = service.linktree.calls
    assert (call.path, call.timeout) == ("/analytics/a.nn", 30)
    assert call.query["to"] == datetime.now(UTC).date().isoformat()


@pytest.mark.parametrize(
    ("path", "authorization", "status"),
    [
        ("a.nn", token("bob"), 403),
        ("a.nn.", token("a.nn"), 403),
        ("a.nn%2e", token("a.nn"), 403),
        ("A.nn", token("a.nn"), 403),
        ("a.nn", token("a.nn", mac="bob"), 401),
        ("a.nn", token("a.nn", secret="another"), 401),
        ("a.nn", token("a.nn")[:-1], 401),
        ("a.nn", token("a.nn").upper(), 401),
        ("a.nn", "Bearer a.nn.", 401),
        ("a.nn", None, 401),
    ],
)
def test_nobody_else_does(ask, path, authorization, status):
    answer, service = look(ask, path, authorization)
    assert (answer.status_code, service.linktree.calls) == (status, [])


def test_without_a_secret_there_are_no_sessions():
    assert session_owner(token("ann", secret="x"), None) is None
    assert session_owner(token("ann"), "s") == "ann"


def test_linktree_is_asked_for_these_days_or_the_last_thirty(ask):
    days = look(ask, "ann?from=2026-01-01&to=2026-01-31", token("ann"))[1].linktree.calls[0].query
    assert days == {"from": "2026-01-01", "to": "2026-01-31"}
    days = look(ask, "ann?to=2026-03-01", token("ann"))[1].linktree.calls[0].query
    assert days == {"from": "2026-01-31", "to": "2026-03-01"}
    for odd in ("soon", "20260101", "2026-02-30", "7"):
        assert look(ask, f"ann?from={odd}", token("ann"))[0].status_code == 400


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (LinktreeError("timeout"), 504),
        (LinktreeError("status", 503), 503),
        (LinktreeError("status", 401), 503),
        (LinktreeError("status", 404), 404),
    ],
)
def test_why_there_are_no_figures(ask, failure, status):
    assert look(ask, "ann", token("ann"), failure=failure)[0].status_code == status


def test_a_campaign_is_taken_in_whole(ask):
    links = [{"id": f"l{n % 3}", "title": "t", "url": "u"} for n in range(4)]
    answer, service = ask("POST", "/api/campaigns", json={"handle": "ann", "links": links})
    [items] = service.changes.items
    assert answer.status_code == 202
    assert [one.payload for one in items] == links
    assert [one.subject for one in items] == ["l0", "l1", "l2", "l0"]
    assert len({one.key for one in items}) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"links": []},
        {"handle": "UPPER"},
        {"links": [{"id": "l1", "title": "", "url": "u"}]},
        {"links": [{"id": "l1", "title": "t"}]},
        {"links": 2001 * [{"id": "l1", "title": "t", "url": "u"}]},
    ],
)
def test_what_is_no_campaign_is_refused(ask, wrong):
    links = [{"id": "l1", "title": "t", "url": "u"}]
    answer, service = ask("POST", "/api/campaigns", json={"handle": "ann", "links": links, **wrong})
    assert (answer.status_code, service.changes.items) == (400, [])


ROUTES = [("/api/clicks", "POST"), ("/api/campaigns", "POST"), ("/api/analytics/ann", "GET")]


@pytest.mark.parametrize(("path", "method"), ROUTES)
def test_only_known_front_ends_are_let_in_and_caches_are_told(ask, path, method):
    for origin, is_allowed in [
        (ALLOWED, True),
        (None, False),
        ("https://evil.com", False),
        (f"{ALLOWED}.evil.com", False),
        ("https://evil-app.example", False),
        ("https://sub.app.example", False),
        ("https://appxexample", False),
        ("http://app.example", False),
        (f"{ALLOWED}:8443", False),
        (f"{ALLOWED}.", False),
        ("https://APP.example", False),
        (f"{ALLOWED}@evil.com", False),
        (f"{ALLOWED} https://evil.com", False),
        ("null", False),
    ]:
        for by in ("OPTIONS", method):
            headers = {"access-control-request-method": method}
            if origin:
                headers["origin"] = origin
            answer = ask(by, path, headers=headers)[0]
            shown = answer.headers.get("access-control-allow-origin")
            assert shown == (ALLOWED if is_allowed else None), origin
            assert "Origin" in answer.headers.get("vary", ""), (by, origin)
            assert answer.headers.get("access-control-allow-methods", method) == method
