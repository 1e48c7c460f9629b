"""The pages that were filled, and who is filling one: a shelf that all workers share.

It survives a restart, so a service that comes back in an outage still has its pages.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS pages (
    handle TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    etag TEXT,
    html BLOB NOT NULL,
    validated_at REAL NOT NULL,
    fresh_until REAL NOT NULL,
    usable_until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pages_by_age ON pages (validated_at);
CREATE TABLE IF NOT EXISTS flights (
    handle TEXT PRIMARY KEY,
    pilot TEXT NOT NULL,
    -- Without a failure: until when it may be on its way. With one: until when nobody tries again.
    until REAL NOT NULL,
    failure TEXT,
    status INTEGER,
    -- Whether the page was changed meanwhile: what the flight brings may be older than that.
    is_outdated INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- Pages that were changed, for the workers' own copies.
CREATE TABLE IF NOT EXISTS purges (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    handle TEXT NOT NULL,
    at REAL NOT NULL
);
"""

# How old a worker's copy of what the other one may change can be.
GLANCE_S = 0.02


@dataclass(frozen=True)
class Page:
    """Times are Unix times; `html` is what is sent."""

    version: str
    etag: str | None
    html: bytes
    validated_at: float
    fresh_until: float
    usable_until: float


@dataclass(frozen=True)
class Flight:
    """Somebody asks Linktree for a page, or did so in vain."""

    pilot: str
    until: float
    failure: str | None
    status: int | None


class Shelf:
    def __init__(
        self, database: Database, capacity: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._capacity = capacity
        self._clock = clock
        self._glances: dict[str, tuple[float, Page | None, Flight | None]] = {}
        self._purges_seen_at = float("-inf")
        self._last_purge = -1

    def glance(self, handle: str) -> tuple[Page | None, Flight | None]:
        """Page and flight as they were a moment ago: in a rush they are looked at far more often than
        they change. A page that is fresh does not change at all, unless it is purged."""
        now = self._clock()
        if now - self._purges_seen_at >= GLANCE_S:
            self._purges_seen_at = now
            self._heed_purges()
        seen_at, page, flight = self._glances.get(handle, (float("-inf"), None, None))
        if now - seen_at < GLANCE_S or (page and now < page.fresh_until):
            return page, flight
        page, flight = self.page(handle), self.flight(handle)
        self._glances[handle] = now, page, flight
        if len(self._glances) > self._capacity:
            del self._glances[next(iter(self._glances))]
        return page, flight

    def page(self, handle: str) -> Page | None:
        sql = """SELECT version, etag, html, validated_at, fresh_until, usable_until FROM pages
            WHERE handle = ?"""
        row = self._database.row(sql, handle)
        return Page(**row) if row else None

    def flight(self, handle: str) -> Flight | None:
        sql = "SELECT pilot, until, failure, status FROM flights WHERE handle = ?"
        row = self._database.row(sql, handle)
        return Flight(**row) if row else None

    def take_off(self, handle: str, pilot: str, within: float) -> bool:
        """Whether this pilot may fill the page: nobody else just did, or is about to, for `within`
        seconds."""
        now = self._clock()
        with self._database.writing() as connection:
            sql = """INSERT INTO flights (handle, pilot, until) SELECT ?, ?, ?
                WHERE NOT EXISTS (SELECT 1 FROM pages WHERE handle = ? AND fresh_until > ?)
                ON CONFLICT (handle) DO UPDATE SET pilot = excluded.pilot, until = excluded.until,
                failure = NULL, status = NULL, is_outdated = 0 WHERE flights.failure IS NOT NULL OR until < ?"""
            values = (handle, pilot, now + within, handle, now, now)
            return connection.execute(sql, values).rowcount == 1

    def landed(self, handle: str, page: Page) -> None:
        with self._database.writing() as connection:
            outdated = "SELECT 1 FROM flights WHERE handle = ? AND is_outdated"
            if connection.execute(outdated, (handle,)).fetchone():
                page = replace(page, fresh_until=min(page.fresh_until, self._clock()))
            sql = "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?)"
            life = (page.validated_at, page.fresh_until, page.usable_until)
            connection.execute(sql, (handle, page.version, page.etag, page.html, *life))
            connection.execute("DELETE FROM flights WHERE handle = ?", (handle,))
        self._glances.pop(handle, None)

    def crashed(
        self, handle: str, pilot: str, failure: str, status: int | None, rest: float
    ) -> None:
        """Nobody tries again for `rest` seconds. A creator who is gone takes the page along."""
        with self._database.writing() as connection:
            sql = """UPDATE flights SET until = ?, failure = ?, status = ?
                WHERE handle = ? AND pilot = ?"""
            until = self._clock() + rest
            connection.execute(sql, (until, failure, status, handle, pilot))
            if status == 404:
                connection.execute("DELETE FROM pages WHERE handle = ?", (handle,))
        self._glances.pop(handle, None)

    def purge(self, handle: str) -> None:
        """A creator changed something: the next visitor has the page fetched again."""
        now = self._clock()
        with self._database.writing() as connection:
            sql = "UPDATE pages SET fresh_until = min(fresh_until, ?) WHERE handle = ?"
            connection.execute(sql, (now, handle))
            sql = "UPDATE flights SET is_outdated = 1 WHERE handle = ? AND failure IS NULL"
            connection.execute(sql, (handle,))
            # Whoever was not known may be now.
            sql = "DELETE FROM flights WHERE handle = ? AND status = 404"
            connection.execute(sql, (handle,))
            sql = "INSERT INTO purges (handle, at) VALUES (?, ?)"
            connection.execute(sql, (handle, now))
        self._glances.pop(handle, None)

    def _heed_purges(self) -> None:
        sql = "SELECT seq, handle FROM purges WHERE seq > ? ORDER BY seq"
        for row in self._database.rows(sql, self._last_purge):
            self._last_purge = row["seq"]
            self._glances.pop(row["handle"], None)

    def tidy(self) -> None:
        """Forgets what nobody may be shown, and the oldest pages beyond the capacity."""
        now = self._clock()
        with self._database.writing() as connection:
            connection.execute("DELETE FROM pages WHERE usable_until < ?", (now,))
            connection.execute("DELETE FROM flights WHERE until < ?", (now - 60,))
            connection.execute("DELETE FROM purges WHERE at < ?", (now - 60,))
            sql = """DELETE FROM pages WHERE handle IN
                (SELECT handle FROM pages ORDER BY validated_at DESC LIMIT -1 OFFSET ?)"""
            connection.execute(sql, (self._capacity,))

    def forget_flights(self) -> None:
        """Whoever was on the way when the last process ended will not come back."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM flights")
