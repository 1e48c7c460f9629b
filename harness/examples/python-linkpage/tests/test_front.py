"""Which answers are given in front of the framework, and what they look like from outside."""

import asyncio
import time

import httpx
import pytest
from starlette.responses import PlainTextResponse

from linkpage.admission import Barrier
from linkpage.front import Front
from linkpage.linktree import LinktreeError
from linkpage.pages import Seen
from linkpage.shelf import Page

NOW = time.time()
PAGE = Page("v1", '"1"', b"<h1>\xc3\x84nn</h1>", NOW - 3, NOW + 60, NOW + 600)
HIT = Seen("hit", PAGE, "linkpage; hit; ttl=60")


class StubPages:
    """Shows everybody the same, or fails."""

    def __init__(self, seen):
        self.seen = seen

    async def read(self, handle):
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


async def framework(scope, receive, send):
    await PlainTextResponse("framework", 418)(scope, receive, send)


def ask(seen, path="/ann", method="GET"):
    front = Front(framework)
    front.pages = StubPages(seen)

    async def asked():
        transport = httpx.ASGITransport(front)
        async with httpx.AsyncClient(transport=transport, base_url="http://front.test") as client:
            return await client.request(method, path)

    return asyncio.run(asked())


def test_a_page_is_shown_with_where_it_came_from():
    answer = ask(HIT)
    assert (answer.status_code, answer.text) == (200, "<h1>Änn</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-status"] == "linkpage; hit; ttl=60"
    assert answer.headers["x-profile-version"] == "v1"
    assert int(answer.headers["age"]) >= 3
    assert answer.headers["content-security-policy"] == "default-src 'none'"


def test_a_version_that_is_no_header_is_left_out():
    strange = Page("v\r\n1", None, b"", NOW, NOW, NOW)
    assert "x-profile-version" not in ask(Seen("hit", strange, "linkpage; hit")).headers


def test_head_is_answered_as_get():
    answer = ask(HIT, method="HEAD")
    assert (answer.status_code, answer.headers["content-length"]) == (200, "13")


@pytest.mark.parametrize(
    ("seen", "status", "error", "retry_after"),
    [
        (Seen(is_missing=True), 404, "refused", None),
        (Seen(failure=LinktreeError("timeout")), 504, "timeout", "1"),
        (Seen(failure=LinktreeError("status", 503)), 503, "status", "1"),
        (ValueError("ann@example.test"), 503, "unavailable", "1"),
    ],
)
def test_why_there_is_no_page_and_when_to_come_again(seen, status, error, retry_after):
    answer = ask(seen)
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert answer.headers.get("retry-after") == retry_after


def test_whoever_is_barred_is_told_when_the_way_is_free():
    barrier = Barrier("circuit-open", time.time() + 9.5)
    answer = ask(Seen(failure=LinktreeError("barred", barrier=barrier)))
    assert (answer.json(), answer.headers["retry-after"]) == ({"error": "circuit-open"}, "10")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthz"),
        ("GET", "/metrics"),
        ("POST", "/ann"),
        ("GET", "/Ann"),
        ("GET", "/ann/links"),
        ("GET", "/%2e%2e"),
        ("GET", "/" + 31 * "a"),
        ("GET", "/"),
    ],
)
def test_what_is_no_page_is_the_frameworks(method, path):
    assert ask(HIT, path, method).status_code == 418
