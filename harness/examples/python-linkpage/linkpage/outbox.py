"""What was accepted and must still reach Linktree, on disk; every worker adds to it."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from .database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    -- Of all items of one subject only the last one counts.
    subject TEXT,
    accepted_at REAL NOT NULL,
    -- What is sent, the same on every attempt. Null once Linktree has it, or a newer one of its subject.
    payload TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL DEFAULT 0,
    -- Why Linktree will never take it; it is kept for a person.
    refused INTEGER
);
CREATE INDEX IF NOT EXISTS waiting ON items (seq) WHERE payload IS NOT NULL AND refused IS NULL;
CREATE INDEX IF NOT EXISTS subjects ON items (subject)
    WHERE subject IS NOT NULL AND payload IS NOT NULL AND refused IS NULL;
"""

# Keys of delivered items that are remembered, to recognise an item that is sent in again.
REMEMBERED = 50_000

_WAITING = "payload IS NOT NULL AND refused IS NULL"

Result = TypeVar("Result")


@dataclass(frozen=True)
class New:
    """`key` makes it one of its kind; of all items of one `subject` only the last one counts."""

    key: str
    payload: Mapping[str, Any]
    subject: str | None = None


@dataclass(frozen=True)
class Item:
    """It waits; `failures` is how often it was sent in vain."""

    seq: int
    key: str
    failures: int
    payload: Mapping[str, Any]


class Outbox:
    """All that touches the disk runs on one thread, so that an fsync holds up no visitor."""

    def __init__(self, database: Database, reading: Database) -> None:
        """`reading` is another connection to the same file, for what is asked on the event loop."""
        self._database = database
        self._reading = reading
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._arriving: list[tuple[list[New], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, items: list[New]) -> None:
        """Takes items in, all or none; when this returns, they are on disk. The same key again changes
        nothing."""
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arriving.append((items, arrived))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await arrived

    def state(self) -> int:
        """Another number after every change of the outbox, whoever made it."""
        row = self._reading.row("PRAGMA data_version")
        return row["data_version"] if row else 0

    async def due(self, most: int) -> list[Item]:
        """Items that may go now, oldest first."""
        return await self._on_thread(lambda: self._due(most, time.time()))

    async def settle(
        self, delivered: list[int], refused: Mapping[int, int], deferred: Mapping[int, float]
    ) -> None:
        """By `seq`. Delivered items are done with, refused ones kept, and deferred ones wait so long."""
        await self._on_thread(lambda: self._settle(delivered, refused, deferred))

    async def tidy(self) -> None:
        await self._on_thread(self._forget)

    def depth(self) -> int:
        row = self._reading.row(f"SELECT count(*) AS depth FROM items WHERE {_WAITING}")
        return row["depth"] if row else 0

    def lag(self) -> float:
        """Seconds since the oldest waiting item was accepted."""
        sql = f"SELECT accepted_at FROM items WHERE {_WAITING} ORDER BY seq LIMIT 1"
        row = self._reading.row(sql)
        return max(0.0, time.time() - row["accepted_at"]) if row else 0.0

    async def close(self) -> None:
        if self._writer:
            await asyncio.wait([self._writer])
        self._thread.shutdown()

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self) -> None:
        # One commit carries all items that came during the last one.
        while self._arriving:
            group, self._arriving = self._arriving, []
            try:
                await self._on_thread(lambda: self._insert([one for new, _ in group for one in new]))
            except Exception as error:
                for _, arrived in group:
                    if not arrived.done():
                        arrived.set_exception(error)
            else:
                for _, arrived in group:
                    if not arrived.done():
                        arrived.set_result(None)

    def _insert(self, items: list[New]) -> None:
        now = time.time()
        with self._database.writing() as connection:
            # Sent again after the newer one, the older one would win.
            older = f"UPDATE items SET payload = NULL WHERE subject = ? AND {_WAITING}"
            sql = """INSERT OR IGNORE INTO items (key, subject, accepted_at, payload)
                VALUES (?, ?, ?, ?)"""
            for one in items:
                payload = json.dumps(one.payload, ensure_ascii=False, separators=(",", ":"))
                if one.subject is not None:
                    connection.execute(older, (one.subject,))
                connection.execute(sql, (one.key, one.subject, now, payload))

    def _due(self, most: int, now: float) -> list[Item]:
        sql = f"""SELECT seq, key, failures, payload FROM items
            WHERE {_WAITING} AND due_at <= ? ORDER BY seq LIMIT ?"""
        rows = self._database.rows(sql, now, most)
        return [
            Item(row["seq"], row["key"], row["failures"], json.loads(row["payload"]))
            for row in rows
        ]

    def _settle(
        self, delivered: list[int], refused: Mapping[int, int], deferred: Mapping[int, float]
    ) -> None:
        now = time.time()
        with self._database.writing() as connection:
            sql = "UPDATE items SET payload = NULL WHERE seq = ?"
            connection.executemany(sql, [(seq,) for seq in delivered])
            sql = "UPDATE items SET refused = ? WHERE seq = ?"
            connection.executemany(sql, [(status, seq) for seq, status in refused.items()])
            sql = "UPDATE items SET failures = failures + 1, due_at = ? WHERE seq = ?"
            waits = [(now + seconds, seq) for seq, seconds in deferred.items()]
            connection.executemany(sql, waits)

    def _forget(self) -> None:
        with self._database.writing() as connection:
            sql = """DELETE FROM items WHERE payload IS NULL
                AND seq <= (SELECT max(seq) FROM items) - ?"""
            connection.execute(sql, (REMEMBERED,))
