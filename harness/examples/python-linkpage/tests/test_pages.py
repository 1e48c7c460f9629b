"""The client and the pages of two workers before a Linktree that answers from a script."""

import asyncio
import time
from dataclasses import dataclass, field, replace

import httpx
import pytest

from linkpage.admission import Admission
from linkpage.database import Database
from linkpage.fill import read_life
from linkpage.linktree import Call, Linktree, LinktreeError
from linkpage.pages import Pages
from linkpage.service import SHARED_SCHEMA
from linkpage.shelf import Shelf
from linkpage.vault import Secrets

PROFILE = Call("profile", "pages", "/profiles/ann")


@dataclass
class Script:
    """Answers of the profile route in turn, the last one for ever; links are always answered."""

    profiles: list[httpx.Response | Exception]
    delay: float = 0.0
    seen: list[httpx.Request] = field(default_factory=list)

    async def __call__(self, request):
        self.seen.append(request)
        await asyncio.sleep(self.delay)
        if request.url.path.endswith("/links"):
            link = {"id": "l1", "title": "One", "url": "https://a.test", "is_active": True}
            return httpx.Response(200, json={"data": [link], "has_more": False})
        answer = self.profiles.pop(0) if len(self.profiles) > 1 else self.profiles[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def profile_reads(self):
        return sum(not request.url.path.endswith("/links") for request in self.seen)


class StubVault:
    def __init__(self):
        self.secrets = Secrets(1, "old")

    async def renewed(self, version):
        self.secrets = Secrets(2, "new")
        return version == 1


def profile(max_age=60, version="v1"):
    headers = {"cache-control": f"max-age={max_age}", "etag": '"1"'}
    return httpx.Response(200, headers=headers, json={"version": version, "display_name": "Ann"})


def worker(config, script, pilot="1"):
    database = Database(config.shared_state, SHARED_SCHEMA, durable=False)
    admission = Admission(database, config.limits, probe_within=20)
    transport = httpx.MockTransport(script)
    linktree = Linktree(config, admission, StubVault(), transport=transport)
    pages = Pages(linktree, Shelf(database, config.capacity), config, pilot=pilot)
    return linktree, pages


def read(config, script, call=PROFILE):
    linktree, _ = worker(config, script)
    return asyncio.run(linktree.read(call))


@pytest.mark.parametrize(
    ("failure", "kind", "attempts"),
    [
        (httpx.Response(503), "status", 3),
        (httpx.Response(429), "status", 3),
        (httpx.ConnectError("refused"), "connection", 3),
        (httpx.Response(404), "status", 1),
        (httpx.Response(503, headers={"retry-after": "5"}), "barred", 1),
    ],
)
def test_a_read_is_tried_three_times_where_that_may_help(config, failure, kind, attempts):
    script = Script([failure])
    with pytest.raises(LinktreeError) as caught:
        read(config, script)
    assert (caught.value.kind, len(script.seen)) == (kind, attempts)


def test_a_read_that_succeeds_at_last_is_answered(config):
    script = Script([httpx.Response(500), httpx.Response(502), profile()])
    assert read(config, script).status == 200


def test_an_answer_that_trickles_is_given_up_in_time(config):
    script = Script([profile()], delay=5)
    hasty = replace(config, timeout=0.05)
    with pytest.raises(LinktreeError) as caught:
        read(hasty, script)
    assert caught.value.kind == "timeout"


def test_a_refused_key_is_replaced_by_the_rotated_one(config):
    script = Script([httpx.Response(401), profile()])
    assert read(config, script).status == 200
    keys = [request.headers["authorization"] for request in script.seen]
    assert keys == ["Bearer old", "Bearer new"]


def test_visitors_of_both_workers_share_one_flight(config):
    script = Script([profile()], delay=0.1)
    (_, one), (_, other) = worker(config, script, "1"), worker(config, script, "2")

    async def visits():
        return await asyncio.gather(*(pages.read("ann") for pages in (one, one, other, other)))

    seen = asyncio.run(visits())
    assert {visit.page.version for visit in seen} == {"v1"}
    assert script.profile_reads() == 1


def test_a_page_of_the_other_worker_is_a_hit(config):
    script = Script([profile()])
    (_, one), (_, other) = worker(config, script, "1"), worker(config, script, "2")
    assert asyncio.run(one.read("ann")).result == "miss"
    assert asyncio.run(other.read("ann")).result == "hit"


def test_a_page_that_the_other_worker_just_brought_is_not_fetched_again(config):
    script = Script([profile()])
    (_, one), (_, other) = worker(config, script, "1"), worker(config, script, "2")

    async def visits():
        # The other one looked a moment before the page came, and still believes it.
        other._shelf.glance("ann")
        return await one.read("ann"), await other.read("ann")

    assert [visit.page.version for visit in asyncio.run(visits())] == ["v1", "v1"]
    assert script.profile_reads() == 1


def test_nobody_who_could_be_shown_a_page_waits_longer_than_the_first_of_them(config):
    script = Script([profile(max_age=0), profile(max_age=0)])
    _, pages = worker(replace(config, revalidation_wait=0.1), script)

    async def visits():
        await pages.read("ann")
        script.delay = 0.5
        first = asyncio.create_task(pages.read("ann"))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        late = await pages.read("ann")
        return await first, late, time.monotonic() - began

    first, late, waited = asyncio.run(visits())
    assert (first.result, late.result) == ("stale", "stale")
    assert waited < 0.05


def test_an_expired_page_is_vouched_for_or_shown_stale(config):
    vouched = httpx.Response(304, headers={"cache-control": "max-age=0"})
    script = Script([profile(max_age=0), vouched, httpx.Response(503)])
    # The cap keeps the retries short; the rest after a failed flight is as long as the base.
    _, pages = worker(replace(config, backoff_base=10.0), script)

    async def visits():
        return [await pages.read("ann") for _ in range(4)]

    seen = asyncio.run(visits())
    # The last visitor comes while the failed flight rests.
    assert [visit.result for visit in seen] == ["miss", "miss", "stale", "stale"]
    assert script.seen[2].headers["if-none-match"] == '"1"'
    assert script.profile_reads() == 5


def test_a_creator_who_is_gone_is_missing_and_not_asked_for_again(config):
    script = Script([httpx.Response(404)])
    _, pages = worker(config, script)

    async def visits():
        return [await pages.read("ann") for _ in range(3)]

    assert all(visit.is_missing for visit in asyncio.run(visits()))
    assert len(script.seen) == 1


def test_a_cold_page_is_not_begun_without_room_for_both_of_its_calls(config):
    script = Script([profile()])
    tight = replace(
        config, limits=replace(config.limits, cap=25, reserved_for_clicks=24, patience=0.01)
    )
    _, pages = worker(tight, script)
    seen = asyncio.run(pages.read("ann"))
    assert (seen.failure.kind, script.seen) == ("barred", [])


def test_a_page_left_by_the_last_process_is_shown_while_linktree_is_down(config):
    down = Script([httpx.ConnectError("refused")])
    _, pages = worker(config, Script([profile(max_age=0)]))
    asyncio.run(pages.read("ann"))
    _, pages = worker(config, down)
    seen = asyncio.run(pages.read("ann"))
    assert (seen.result, seen.page.version) == ("stale", "v1")
    assert seen.page.validated_at <= time.time()


@pytest.mark.parametrize(
    ("header", "life"),
    [
        (["max-age=4, stale-if-error=60"], (4, 60)),
        (["max-age=4", "stale-if-error=60"], (4, 60)),
        (["max-age=4, must-revalidate"], (4, 0)),
        (["no-store, max-age=4"], (0, 0)),
        (["max-age=-1"], (0, 86_400)),
        ([], (0, 86_400)),
    ],
)
def test_how_long_an_answer_lives(header, life):
    assert read_life(header) == life
