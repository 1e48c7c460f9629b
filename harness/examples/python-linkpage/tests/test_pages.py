"""The client and the pages of two workers before a Linktree that answers from a script."""

import asyncio
import json
import re
import time
from collections.abc import Callable
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
    links: Callable[[str | None], httpx.Response] | None = None
    answer: Callable[[httpx.Request], httpx.Response] | None = None
    seen: list[httpx.Request] = field(default_factory=list)

    async def __call__(self, request):
        self.seen.append(request)
        await asyncio.sleep(self.delay)
        if request.url.path.endswith("/links"):
            link = {"id": "l1", "title": "One", "url": "https://a.test", "is_active": True}
            if self.links:
                return self.links(request.url.params.get("cursor"))
            return httpx.Response(200, json={"data": [link], "has_more": False})
        if self.answer:
            return self.answer(request)
        answer = self.profiles.pop(0) if len(self.profiles) > 1 else self.profiles[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def profile_reads(self):
        return sum(not request.url.path.endswith("/links") for request in self.seen)


class StubVault:
    def __init__(self):
        self.secrets = Secrets(1, "old")

    async def renewed(self, version, since):
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


def test_while_a_refused_key_is_replaced_nobody_else_is_refused_with_it(config):
    def answer(request):
        return profile() if request.headers["authorization"] == "Bearer new" else httpx.Response(401)

    script = Script([])
    script.answer = answer
    linktree, _ = worker(config, script)
    asked = asyncio.Event()
    vault = linktree._vault
    renew, vault.renewals = vault.renewed, 0

    async def renewed(version, since):
        vault.renewals += 1
        asked.set()
        await asyncio.sleep(0.05)
        return await renew(version, since)

    vault.renewed = renewed

    async def reads():
        first = asyncio.create_task(linktree.read(PROFILE))
        await asked.wait()
        return await asyncio.gather(first, *(linktree.read(PROFILE) for _ in range(5)))

    assert [one.status for one in asyncio.run(reads())] == 6 * [200]
    keys = [request.headers["authorization"] for request in script.seen]
    assert (keys.count("Bearer old"), vault.renewals) == (1, 1)


def test_analytics_have_a_time_limit_of_their_own(config):
    script = Script([profile()], delay=0.1)
    hasty = replace(config, timeout=0.02)
    assert read(hasty, script, replace(PROFILE, timeout=5.0)).status == 200


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


def listing(parts):
    """Answers of the links' route by cursor, each a status or (ids, next cursor), in turn."""
    asked = []

    def answer(cursor):
        asked.append(cursor)
        turns = parts[cursor]
        part = turns[min(asked.count(cursor), len(turns)) - 1]
        if isinstance(part, int):
            return httpx.Response(part)
        ids, after = part
        data = [
            {"id": f"l{n}", "title": "\ud800", "url": "x:", "is_active": True, "position": position}
            for n, position in ids
        ]
        body = json.dumps({"data": data, "cursor": after, "has_more": after is not None})
        return httpx.Response(200, content=body)

    return asked, answer


def shown(config, answer):
    _, pages = worker(config, Script([profile()], links=answer))
    seen = asyncio.run(pages.read("ann"))
    return re.findall(r'data-link-id="(\w+)"', seen.page.html.decode()) if seen.page else seen


def test_short_and_empty_pages_are_followed_whatever_comes_and_goes_meanwhile(config):
    # l1 was removed, which moved l2 up; l9 came; l3 moved behind the cursor and comes twice.
    parts = {
        None: [([(1, 1)], "a")],
        "a": [([], "b")],
        "b": [([(2, 1), (3, 3), (9, 4)], "c")],
        "c": [([(3, 5)], None)],
    }
    asked, answer = listing(parts)
    assert shown(config, answer) == ["l1", "l2", "l9", "l3"]
    assert asked == [None, "a", "b", "c"]


def test_after_a_410_the_links_are_listed_anew_without_a_cursor(config):
    parts = {None: [([(1, 1)], "a"), ([(2, 1)], "b")], "a": [410], "b": [([(3, 3)], None)]}
    asked, answer = listing(parts)
    assert shown(config, answer) == ["l2", "l3"]
    assert asked == [None, "a", None, "b"]


def test_a_listing_that_cannot_be_followed_to_its_end_is_no_page(config):
    half = {"data": [], "cursor": None, "has_more": True}
    assert shown(config, lambda cursor: httpx.Response(200, json=half)).failure.kind == "malformed"


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
