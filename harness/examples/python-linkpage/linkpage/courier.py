"""Delivers an outbox in order, for as long as it takes, with the same ids on every attempt.

An item leaves the outbox after a definite 2xx (whole body read) or a definite refusal. Anything else
leaves it where it is: its id makes a repetition harmless. Each worker has a courier for each outbox, but
only the one that holds the lock delivers; the lock ends with its process, and the other one goes on.
"""

import asyncio
import fcntl
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from .linktree import Answer, Linktree, LinktreeError, is_refusal
from .metrics import REFUSED
from .outbox import Item, Outbox

# What Linktree takes in one call.
BATCH = 100
# How often a worker without the lock asks for it.
LOCK_POLL_S = 0.2
# How often to ask whether the outbox has changed: the other worker's items come without a word.
OUTBOX_POLL_S = 0.02
# How often to look into an outbox that has not, for items whose backoff is over.
DEFERRED_POLL_S = 0.2
# How long one rest before a closed barrier may be: it may open earlier than it looks now.
LONGEST_REST_S = 0.1
TIDY_EVERY_S = 60.0

log = structlog.get_logger()


class Lock:
    """A lock among the workers that the kernel gives back when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        os.close(self._file)


class Cargo(ABC):
    """What is delivered: its name in logs and metrics, its lane, and how it is sent."""

    name: str
    lane: str

    @abstractmethod
    async def send(self, items: list[Item]) -> dict[str, int]:
        """Makes one call for these items; returns their statuses by key."""

    def pace(self) -> float:
        """How long an item waits for company, in seconds."""
        return 0.0


def statuses_of(answer: Answer, name: str) -> dict[str, int]:
    """Statuses by the id of this name, from the answer to a batch."""
    results = answer.json().get("results")
    if not isinstance(results, list):
        raise LinktreeError("malformed")
    return {
        one[name]: one["status"]
        for one in results
        if isinstance(one, dict)
        and isinstance(one.get(name), str)
        and isinstance(one.get("status"), int)
    }


class Courier:
    def __init__(
        self,
        outbox: Outbox,
        cargo: Cargo,
        linktree: Linktree,
        lock: Path,
        chores: Callable[[], Awaitable[None]],
    ) -> None:
        """`chores` are what one worker should do for all, every minute."""
        self._outbox = outbox
        self._cargo = cargo
        self._linktree = linktree
        self._lock = lock
        self._chores = chores
        self._stopping = asyncio.Event()
        # Items that go one by one, since a batch with them was refused whole.
        self._alone = 0
        self._failures = 0
        # The state of the outbox in which nothing was due, and when to look again all the same.
        self._idle: tuple[int, float] | None = None
        self._tidied_at = time.monotonic()

    async def run(self) -> None:
        """Returns soon after stop(): a call on its way is finished first."""
        lock = Lock(self._lock)
        try:
            while not lock.take():
                if await self._rest(LOCK_POLL_S):
                    return
            log.info("this worker delivers", what=self._cargo.name)
            while not self._stopping.is_set():
                await self._guarded_step()
        finally:
            lock.close()

    def stop(self) -> None:
        self._stopping.set()

    async def _guarded_step(self) -> None:
        try:
            await self._step()
        except Exception as error:
            # The message of an error that nobody expected may quote anything.
            log.error("deliveries pause", what=self._cargo.name, reason=type(error).__name__)
            await self._rest(1.0)

    async def _step(self) -> None:
        if time.monotonic() - self._tidied_at > TIDY_EVERY_S:
            self._tidied_at = time.monotonic()
            await self._chores()
        state = self._outbox.state()
        if self._idle and self._idle[0] == state and time.monotonic() < self._idle[1]:
            await self._rest(OUTBOX_POLL_S)
            return
        items = await self._outbox.due(1 if self._alone else BATCH)
        if not items:
            self._idle = state, time.monotonic() + DEFERRED_POLL_S
            return
        self._idle = None
        # Looked at first, so that waiting does not count as calls that were turned away.
        if barrier := self._linktree.barrier(self._cargo.lane):
            await self._rest(min(max(0.005, barrier.until - time.time()), LONGEST_REST_S))
            return
        statuses: dict[str, int] = {}
        failure = None
        try:
            statuses = await self._cargo.send(items)
        except LinktreeError as error:
            if error.kind == "barred":
                return
            failure = error
            if error.status is not None and error.is_refusal and len(items) == 1:
                statuses[items[0].key] = error.status
        await self._settle(items, statuses, failure)
        await self._pause(items, failure)

    async def _settle(
        self, items: list[Item], statuses: dict[str, int], failure: LinktreeError | None
    ) -> None:
        delivered: list[int] = []
        refused: dict[int, int] = {}
        deferred: dict[int, float] = {}
        waits: dict[int, float] = {}
        for item in items:
            status = statuses.get(item.key)
            if status is not None and 200 <= status < 300:
                delivered.append(item.seq)
            elif status is not None and is_refusal(status):
                refused[item.seq] = status
                REFUSED.labels(self._cargo.name).inc()
                log.warning("Linktree refused an item; it is kept", status=status)
            elif failure is None:
                # The call as a whole succeeded, but not for this item: it backs off, beside those that
                # share its fate, so that they go in one call again.
                failures = item.failures + 1
                if failures not in waits:
                    waits[failures] = self._linktree.backoff(failures)
                deferred[item.seq] = waits[failures]
        if delivered or refused or deferred:
            await self._outbox.settle(delivered, refused, deferred)

    async def _pause(self, items: list[Item], failure: LinktreeError | None) -> None:
        if failure and failure.is_refusal:
            # One bad item must not take the others with it.
            self._alone = len(items) if len(items) > 1 else max(0, self._alone - 1)
            return
        self._alone = max(0, self._alone - 1)
        if failure and failure.is_auth:
            await self._until_stopped(self._linktree.key_changed(failure))
            return
        if failure:
            self._failures += 1
            await self._rest(self._linktree.backoff(self._failures))
            return
        self._failures = 0
        # A full batch tells of a backlog, which is not made shorter by waiting for company.
        if len(items) < BATCH and not self._alone:
            await self._rest(self._cargo.pace())

    async def _until_stopped(self, waiting: Awaitable[None]) -> None:
        tasks = [asyncio.ensure_future(waiting), asyncio.create_task(self._stopping.wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _rest(self, seconds: float) -> bool:
        """Waits; whether it is time to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True
