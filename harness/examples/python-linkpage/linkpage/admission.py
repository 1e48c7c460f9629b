"""Who may call Linktree: Retry-After, the circuit breaker and the limiter, shared by all workers.

Linktree counts by key, not by process, so two workers with a limiter each would send twice as much,
and two breakers would need twice the failures to open. All three are looked at and written down in
one transaction right before an attempt is sent. pybreaker could keep its state elsewhere too, but
it lets every worker send a probe of its own, and knows nothing of asyncio.

The limiter is a sliding log of the times at which requests left. Some of the cap is kept for clicks,
so that a rush on the pages cannot hold them back.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from .config import Limits
from .database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS slots (
    id INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    -- When the request left; null while the slot is only set aside.
    at REAL,
    -- When a slot that was set aside is free again although nobody gave it back.
    expires REAL
);
CREATE TABLE IF NOT EXISTS circuit (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    failures INTEGER NOT NULL DEFAULT 0,
    -- Grows with every change of state: results of earlier attempts no longer count.
    generation INTEGER NOT NULL DEFAULT 0,
    opened_at REAL,
    -- Until when the probe that is out may be waited for.
    probing_until REAL,
    held_until REAL NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO circuit (id) VALUES (1);
"""

# When to ask again while nobody can know when the way is free.
POLL_S = 0.02


class Circuit(IntEnum):
    """The values are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True)
class Barrier:
    """Why nothing may leave, and until when (Unix time)."""

    reason: str
    until: float


class Barred(Exception):
    """An attempt was not let through."""

    def __init__(self, barrier: Barrier) -> None:
        super().__init__(barrier.reason)
        self.barrier = barrier


@dataclass(frozen=True)
class Permit:
    """One attempt may be sent now; its result belongs to this generation of the breaker."""

    generation: int
    is_probe: bool


class Admission:
    def __init__(
        self,
        database: Database,
        limits: Limits,
        *,
        probe_within: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`probe_within` is the longest that a probe takes, in seconds: a worker may die over it."""
        self._database = database
        self._limits = limits
        self._probe_within = probe_within
        self._clock = clock
        self._glances: dict[tuple[str, int], tuple[float, Barrier | None]] = {}

    def barrier(self, lane: str, slots: int = 1) -> Barrier | None:
        """What an attempt would meet now. Takes nothing."""
        now = self._clock()
        return self._shut(self._circuit(), now) or self._full(lane, now, slots)

    def glance(self, lane: str, slots: int = 1) -> Barrier | None:
        """What barrier() said a moment ago: in a rush it is asked far more often than it changes."""
        now = self._clock()
        seen_at, seen = self._glances.get((lane, slots), (float("-inf"), None))
        if now - seen_at >= POLL_S:
            seen = self.barrier(lane, slots)
            self._glances[lane, slots] = now, seen
        return seen

    def admit(
        self, lane: str, reserved: int | None = None, probe_within: float | None = None
    ) -> Permit:
        """Lets one attempt through, in a slot that was set aside if there is one, or raises Barred.
        `probe_within` is its own where it may take longer than others."""
        with self._database.writing() as connection:
            now = self._clock()
            circuit = self._circuit()
            if barrier := self._shut(circuit, now):
                raise Barred(barrier)
            if not (reserved is not None and _fill(connection, reserved, now)):
                if barrier := self._full(lane, now):
                    raise Barred(barrier)
                connection.execute("INSERT INTO slots (lane, at) VALUES (?, ?)", (lane, now))
            connection.execute("DELETE FROM slots WHERE at < ?", (now - 2 * self._span,))
            connection.execute("DELETE FROM slots WHERE at IS NULL AND expires < ?", (now,))
            if circuit["opened_at"] is None:
                return Permit(circuit["generation"], is_probe=False)
            until = now + (probe_within or self._probe_within)
            sql = "UPDATE circuit SET generation = generation + 1, probing_until = ?"
            connection.execute(sql, (until,))
            return Permit(circuit["generation"] + 1, is_probe=True)

    def succeeded(self, permit: Permit) -> None:
        """Linktree answered, if only to refuse."""
        circuit = self._circuit()
        # The usual success in a row of successes changes nothing, so nothing need be written.
        if circuit["generation"] != permit.generation:
            return
        if circuit["failures"] == 0 and circuit["opened_at"] is None:
            return
        with self._database.writing() as connection:
            sql = """UPDATE circuit SET failures = 0, opened_at = NULL, probing_until = NULL,
                generation = generation + (opened_at IS NOT NULL) WHERE generation = ?"""
            connection.execute(sql, (permit.generation,))

    def failed(self, permit: Permit) -> bool:
        """Linktree is broken; whether this opened the breaker."""
        with self._database.writing() as connection:
            circuit = self._circuit()
            if circuit["generation"] != permit.generation:
                return False
            failures = circuit["failures"] + 1
            if not permit.is_probe and failures < self._limits.breaker_failures:
                connection.execute("UPDATE circuit SET failures = ?", (failures,))
                return False
            sql = """UPDATE circuit SET failures = 0, opened_at = ?, probing_until = NULL,
                generation = generation + 1"""
            connection.execute(sql, (self._clock(),))
            return True

    def abandoned(self, permit: Permit) -> None:
        """Nobody will know how it ended: if it was the probe, another one may go."""
        if permit.is_probe:
            with self._database.writing() as connection:
                sql = "UPDATE circuit SET probing_until = NULL WHERE generation = ?"
                connection.execute(sql, (permit.generation,))

    def begin(self) -> None:
        """The breaker is closed when the service starts: the restart may have been what was missing.
        What Linktree counts or has told goes on."""
        with self._database.writing() as connection:
            connection.execute(
                """UPDATE circuit SET failures = 0, opened_at = NULL, probing_until = NULL,
                generation = generation + 1"""
            )

    def hold(self, seconds: float) -> None:
        """Holds every call back: the key is throttled, not the route."""
        with self._database.writing() as connection:
            until = self._clock() + seconds
            connection.execute("UPDATE circuit SET held_until = max(held_until, ?)", (until,))

    def set_aside(self, lane: str, slots: int, within: float) -> list[int]:
        """Slots for calls to come `within` seconds, all or none, or raises Barred."""
        with self._database.writing() as connection:
            now = self._clock()
            if barrier := self._full(lane, now, slots):
                raise Barred(barrier)
            sql = "INSERT INTO slots (lane, expires) VALUES (?, ?)"
            taken = [connection.execute(sql, (lane, now + within)) for _ in range(slots)]
            return [cursor.lastrowid for cursor in taken]

    def give_back(self, slots: list[int]) -> None:
        """Those of the slots in which nothing was sent are free again."""
        with self._database.writing() as connection:
            sql = "DELETE FROM slots WHERE id = ? AND at IS NULL"
            connection.executemany(sql, [(slot,) for slot in slots])

    def used(self, lane: str | None = None) -> int:
        """Requests in the limiter's window, of one lane or of all."""
        sql = "SELECT count(*) AS used FROM slots WHERE at > ? AND lane = ifnull(?, lane)"
        row = self._database.row(sql, self._clock() - self._span, lane)
        return row["used"] if row else 0

    def circuit(self) -> Circuit:
        circuit = self._circuit()
        if circuit["opened_at"] is None:
            return Circuit.CLOSED
        is_open = self._clock() < circuit["opened_at"] + self._limits.breaker_open
        return Circuit.OPEN if is_open else Circuit.HALF_OPEN

    @property
    def _span(self) -> float:
        return self._limits.window + self._limits.guard

    def _circuit(self) -> sqlite3.Row:
        row = self._database.row("SELECT * FROM circuit")
        assert row is not None, "the schema inserts it"
        return row

    def _shut(self, circuit: sqlite3.Row, now: float) -> Barrier | None:
        if now < circuit["held_until"]:
            return Barrier("retry-after", circuit["held_until"])
        if circuit["opened_at"] is None:
            return None
        opens_at = circuit["opened_at"] + self._limits.breaker_open
        if now < opens_at:
            return Barrier("circuit-open", opens_at)
        if circuit["probing_until"] is not None and now < circuit["probing_until"]:
            return Barrier("circuit-open", now + POLL_S)
        return None

    def _full(self, lane: str, now: float, slots: int = 1) -> Barrier | None:
        until = self._free_at("TRUE", self._limits.cap, slots, now)
        if lane != "clicks":
            until = max(until, self._free_at("lane != 'clicks'", self._limits.pages_cap, slots, now))
        return Barrier("rate-limit", until) if until > now else None

    def _free_at(self, lanes: str, cap: int, slots: int, now: float) -> float:
        """When the window has room for so many more; slots that are set aside count as the latest."""
        sql = f"""SELECT at FROM slots WHERE {lanes} AND (at > ? OR (at IS NULL AND expires >= ?))
            ORDER BY at IS NULL DESC, at DESC LIMIT 1 OFFSET ?"""
        if slots > cap:
            return now + POLL_S
        last_to_go = self._database.row(sql, now - self._span, now, cap - slots)
        if last_to_go is None:
            return now
        return now + POLL_S if last_to_go["at"] is None else last_to_go["at"] + self._span


def _fill(connection: sqlite3.Connection, slot: int, now: float) -> bool:
    sql = "UPDATE slots SET at = ?, expires = NULL WHERE id = ? AND at IS NULL AND expires >= ?"
    return connection.execute(sql, (now, slot, now)).rowcount == 1
