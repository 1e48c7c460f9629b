"""What is delivered, how often, and when a courier rests."""

import asyncio
from dataclasses import dataclass, field

import httpx

from linkpage.campaigns import Campaign, Changes
from linkpage.clicks import Clicks, new_click
from linkpage.courier import Courier
from linkpage.database import Database
from linkpage.linktree import Answer, LinktreeError
from linkpage.outbox import SCHEMA, Outbox


@dataclass
class StubLinktree:
    """Answers each call by the script, in turn: a failure, or statuses by id; then all is well."""

    script: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    keys: int = 0

    def barrier(self, lane):
        return None

    def used(self, lane):
        return 0

    def backoff(self, failures):
        return 0.001

    async def key_changed(self, failure):
        self.keys += 1

    async def attempt(self, call):
        self.calls.append(call)
        turn = self.script.pop(0) if self.script else {}
        if isinstance(turn, LinktreeError):
            raise turn
        name = "event_id" if "events" in call.body else "id"
        items = call.body.get("events") or call.body.get("items") or []
        results = [{name: one[name], "status": turn.get(one[name], 200)} for one in items]
        answer = Answer(200, httpx.Headers(), b"")
        object.__setattr__(answer, "json", lambda: {"results": results})
        return answer


def click(n):
    at = "2026-01-01T00:00:00Z"
    return {"event_id": f"e{n}", "handle": "ann", "link_id": "l1", "occurred_at": at}


def delivered(config, linktree, items, cargo=None):
    """Adds the items, and has them delivered; returns what each call carried."""
    path = config.data_dir / "box.db"

    async def run():
        outbox = Outbox(
            Database(path, SCHEMA, durable=True), Database(path, SCHEMA, durable=True)
        )
        await outbox.add(items)
        cargo_ = cargo or Clicks(linktree, config)
        courier = Courier(outbox, cargo_, linktree, config.data_dir / "lock", outbox.tidy)
        work = asyncio.create_task(courier.run())
        while outbox.depth():
            await asyncio.sleep(0.005)
        courier.stop()
        await work
        await outbox.close()

    asyncio.run(asyncio.wait_for(run(), 10))
    bodies = [call.body for call in linktree.calls]
    return [body.get("events") or body.get("items") or [body] for body in bodies]


def ids(calls):
    return [[one.get("event_id") or one["id"] for one in call] for call in calls]


def test_what_failed_in_a_batch_is_sent_again_together_and_nothing_else_is(config):
    linktree = StubLinktree([{"e1": 503, "e3": 503}])
    sent = delivered(config, linktree, [new_click(click(n)) for n in range(5)])
    assert ids(sent) == [["e0", "e1", "e2", "e3", "e4"], ["e1", "e3"]]
    assert sent[1] == [click(1), click(3)]


def test_a_single_click_keeps_its_key_over_all_attempts(config):
    linktree = StubLinktree([LinktreeError("status", 500), LinktreeError("timeout")])
    delivered(config, linktree, [new_click(click(1))])
    assert [call.headers["idempotency-key"] for call in linktree.calls] == ["e1", "e1", "e1"]


def test_a_refused_click_takes_no_other_with_it(config):
    refusal = LinktreeError("status", 422)
    linktree = StubLinktree([refusal, {}, refusal])
    sent = delivered(config, linktree, [new_click(click(n)) for n in range(3)])
    assert ids(sent) == [["e0", "e1", "e2"], ["e0"], ["e1"], ["e2"]]
    [kept] = Database(config.data_dir / "box.db", SCHEMA, durable=True).rows(
        "SELECT key FROM items WHERE refused = 422"
    )
    assert kept["key"] == "e1"


def test_a_click_whose_key_is_refused_waits_for_another_key(config):
    linktree = StubLinktree([LinktreeError("status", 401), LinktreeError("status", 403)])
    sent = delivered(config, linktree, [new_click(click(1))])
    assert (len(sent), linktree.keys) == (3, 2)


def test_a_campaign_goes_out_in_batches_each_change_once(config):
    links = [{"id": f"l{n}", "title": "t", "url": "u"} for n in range(250)]
    _, changes = Campaign(handle="ann", links=links).changes()
    linktree = StubLinktree([LinktreeError("connection"), {"l7": 503}])
    sent = delivered(config, linktree, changes, Changes(linktree))
    assert [len(call) for call in sent[:2]] == [100, 100]
    assert sent[0] == sent[1] == links[:100]
    assert sorted(sum(ids(sent[2:]), [])) == sorted(["l7"] + [f"l{n}" for n in range(100, 250)])
    assert len(sent) <= 5
