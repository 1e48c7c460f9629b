import asyncio

from linkpage.clicks import new_click
from linkpage.database import Database
from linkpage.outbox import SCHEMA, New, Outbox


def click(event_id, link="l1"):
    at = "2026-01-01T00:00:00Z"
    return {"event_id": event_id, "handle": "ann", "link_id": link, "occurred_at": at}


def on(path, test):
    """Runs a test with one worker's queue on this file."""

    async def run():
        clicks = Outbox(
            Database(path, SCHEMA, durable=True), Database(path, SCHEMA, durable=True)
        )
        try:
            return await test(clicks)
        finally:
            await clicks.close()

    return asyncio.run(run())


async def ids(clicks):
    return [one.key for one in await clicks.due(100)]


def test_what_was_taken_in_is_there_for_the_next_process(tmp_path):
    async def first(clicks):
        await asyncio.gather(*(clicks.add([new_click(click(f"e{n}"))]) for n in range(20)))

    async def second(clicks):
        assert clicks.depth() == 20
        [one] = await clicks.due(1)
        assert one.payload == click("e0")
        return await ids(clicks)

    on(tmp_path / "c.db", first)
    assert on(tmp_path / "c.db", second) == [f"e{n}" for n in range(20)]


def test_the_same_id_again_changes_nothing_even_once_it_is_delivered(tmp_path):
    async def test(clicks):
        await clicks.add([new_click(click("e1"))])
        await clicks.add([new_click(click("e1", link="other"))])
        [one] = await clicks.due(100)
        assert one.payload["link_id"] == "l1"
        await clicks.settle([one.seq], {}, {})
        await clicks.add([new_click(click("e1"))])
        assert await ids(clicks) == []
        assert clicks.depth() == 0 and clicks.lag() == 0

    on(tmp_path / "c.db", test)


def test_refused_clicks_are_kept_and_deferred_ones_wait(tmp_path):
    async def test(clicks):
        for event_id in ("done", "refused", "later", "new"):
            await clicks.add([new_click(click(event_id))])
        done, refused, later, _ = await clicks.due(100)
        await clicks.settle([done.seq], {refused.seq: 422}, {later.seq: 60.0})
        assert await ids(clicks) == ["new"]
        assert clicks.depth() == 2

    on(tmp_path / "c.db", test)
    kept = Database(tmp_path / "c.db", SCHEMA, durable=True)
    [row] = kept.rows("SELECT key, payload FROM items WHERE refused = 422")
    assert row["key"] == "refused" and '"handle":"ann"' in row["payload"]


def test_a_change_of_the_queue_is_seen_by_every_worker_and_nothing_else_is(tmp_path):
    async def one(clicks):
        await clicks.add([new_click(click("e0"))])
        before = clicks.state()
        assert clicks.state() == before
        other = Outbox(
            Database(tmp_path / "c.db", SCHEMA, durable=True),
            Database(tmp_path / "c.db", SCHEMA, durable=True),
        )
        await other.add([new_click(click("e1"))])
        await other.close()
        changed = clicks.state()
        assert changed != before
        [first, _] = await clicks.due(100)
        assert clicks.state() == changed
        await clicks.settle([first.seq], {}, {})
        assert clicks.state() != changed

    on(tmp_path / "c.db", one)


def test_of_a_subject_only_the_last_item_counts_and_a_group_comes_whole(tmp_path):
    def changes(campaign, links):
        return [
            New(f"{campaign}{n}", {"id": link}, subject=link) for n, link in enumerate(links, 1)
        ]

    async def test(outbox):
        await outbox.add(changes("a", ["l1", "l2"]))
        [first, _] = await outbox.due(100)
        await outbox.add(changes("b", ["l2", "l3", "l3"]))
        assert await ids(outbox) == ["a1", "b1", "b3"]
        # The call that was under way for an older one ends: nothing comes back.
        await outbox.settle([], {}, {first.seq + 1: 0.0})
        assert await ids(outbox) == ["a1", "b1", "b3"]

    on(tmp_path / "c.db", test)
