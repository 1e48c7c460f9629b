"""The clicks that were accepted and must still reach Linktree, on disk; every worker adds to them."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from .database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS clicks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    accepted_at REAL NOT NULL,
    -- What is sent, the same on every attempt. Null once Linktree has it.
    payload TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL DEFAULT 0,
    -- Why Linktree will never take it; it is kept for a person.
    refused INTEGER
);
CREATE INDEX IF NOT EXISTS waiting ON clicks (seq) WHERE payload IS NOT NULL AND refused IS NULL;
"""

# Ids of delivered clicks that are remembered, to recognise a click that is sent in again.
REMEMBERED = 50_000

_WAITING = "payload IS NOT NULL AND refused IS NULL"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Click:
    seq: int
    event_id: str
    failures: int
    payload: Mapping[str, Any]


class Clicks:
    """All that touches the disk runs on one thread, so that an fsync holds up no visitor."""

    def __init__(self, database: Database, reading: Database) -> None:
        """`reading` is another connection to the same file, for what is asked on the event loop."""
        self._database = database
        self._reading = reading
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clicks")
        self._arriving: list[tuple[Mapping[str, Any], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, payload: Mapping[str, Any]) -> None:
        """Takes a click in; when this returns, it is on disk. The same id again changes nothing."""
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arriving.append((payload, arrived))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await arrived

    def state(self) -> int:
        """Another number after every change of the queue, whoever made it."""
        row = self._reading.row("PRAGMA data_version")
        return row["data_version"] if row else 0

    async def due(self, most: int) -> list[Click]:
        """Clicks that may go now, oldest first."""
        return await self._on_thread(lambda: self._due(most, time.time()))

    async def settle(
        self, delivered: list[int], refused: Mapping[int, int], deferred: Mapping[int, float]
    ) -> None:
        """By `seq`. Delivered clicks are done with, refused ones kept, and deferred ones wait so long."""
        await self._on_thread(lambda: self._settle(delivered, refused, deferred))

    async def tidy(self) -> None:
        await self._on_thread(self._forget)

    def depth(self) -> int:
        row = self._reading.row(f"SELECT count(*) AS depth FROM clicks WHERE {_WAITING}")
        return row["depth"] if row else 0

    def lag(self) -> float:
        """Seconds since the oldest waiting click was accepted."""
        sql = f"SELECT accepted_at FROM clicks WHERE {_WAITING} ORDER BY seq LIMIT 1"
        row = self._reading.row(sql)
        return max(0.0, time.time() - row["accepted_at"]) if row else 0.0

    async def close(self) -> None:
        if self._writer:
            await asyncio.wait([self._writer])
        self._thread.shutdown()

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self) -> None:
        # One commit carries all clicks that came during the last one.
        while self._arriving:
            group, self._arriving = self._arriving, []
            try:
                await self._on_thread(lambda: self._insert([payload for payload, _ in group]))
            except Exception as error:
                for _, arrived in group:
                    if not arrived.done():
                        arrived.set_exception(error)
            else:
                for _, arrived in group:
                    if not arrived.done():
                        arrived.set_result(None)

    def _insert(self, payloads: list[Mapping[str, Any]]) -> None:
        now = time.time()
        rows = [
            (one["event_id"], now, json.dumps(one, ensure_ascii=False, separators=(",", ":")))
            for one in payloads
        ]
        with self._database.writing() as connection:
            sql = "INSERT OR IGNORE INTO clicks (event_id, accepted_at, payload) VALUES (?, ?, ?)"
            connection.executemany(sql, rows)

    def _due(self, most: int, now: float) -> list[Click]:
        sql = f"""SELECT seq, event_id, failures, payload FROM clicks
            WHERE {_WAITING} AND due_at <= ? ORDER BY seq LIMIT ?"""
        rows = self._database.rows(sql, now, most)
        return [
            Click(row["seq"], row["event_id"], row["failures"], json.loads(row["payload"]))
            for row in rows
        ]

    def _settle(
        self, delivered: list[int], refused: Mapping[int, int], deferred: Mapping[int, float]
    ) -> None:
        now = time.time()
        with self._database.writing() as connection:
            sql = "UPDATE clicks SET payload = NULL WHERE seq = ?"
            connection.executemany(sql, [(seq,) for seq in delivered])
            sql = "UPDATE clicks SET refused = ? WHERE seq = ?"
            connection.executemany(sql, [(status, seq) for seq, status in refused.items()])
            sql = "UPDATE clicks SET failures = failures + 1, due_at = ? WHERE seq = ?"
            waits = [(now + seconds, seq) for seq, seconds in deferred.items()]
            connection.executemany(sql, waits)

    def _forget(self) -> None:
        with self._database.writing() as connection:
            sql = """DELETE FROM clicks WHERE payload IS NULL
                AND seq <= (SELECT max(seq) FROM clicks) - ?"""
            connection.execute(sql, (REMEMBERED,))
