"""Delivers the clicks in order, for as long as it takes, with the same ids on every attempt.

A click leaves the queue after a definite 2xx (whole body read) or a definite refusal. Anything else
leaves it where it is: its id makes a repetition harmless. Each worker has a courier, but only the one
that holds the lock delivers; the lock ends with its process, and the other one goes on.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from .clicks import Click, Clicks
from .config import Config
from .linktree import Call, Linktree, LinktreeError, is_refusal
from .metrics import REFUSED

# How often a worker without the lock asks for it.
LOCK_POLL_S = 0.2
# How often to ask whether the queue has changed: the other worker's clicks come without a word.
QUEUE_POLL_S = 0.02
# How often to look into a queue that has not, for clicks whose backoff is over.
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


class Courier:
    def __init__(
        self,
        clicks: Clicks,
        linktree: Linktree,
        config: Config,
        chores: Callable[[], Awaitable[None]],
    ) -> None:
        """`chores` are what one worker should do for all, every minute."""
        self._clicks = clicks
        self._linktree = linktree
        self._config = config
        self._chores = chores
        self._stopping = asyncio.Event()
        # Clicks that go one by one, since a batch with them was refused whole.
        self._alone = 0
        self._failures = 0
        # The state of the queue in which nothing was due, and when to look again all the same.
        self._idle: tuple[int, float] | None = None
        self._tidied_at = time.monotonic()

    async def run(self) -> None:
        """Returns soon after stop(): a call on its way is finished first."""
        lock = Lock(self._config.data_dir / "courier.lock")
        try:
            while not lock.take():
                if await self._rest(LOCK_POLL_S):
                    return
            log.info("this worker delivers the clicks")
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
            log.error("deliveries pause", reason=type(error).__name__)
            await self._rest(1.0)

    async def _step(self) -> None:
        if time.monotonic() - self._tidied_at > TIDY_EVERY_S:
            self._tidied_at = time.monotonic()
            await self._chores()
        state = self._clicks.state()
        if self._idle and self._idle[0] == state and time.monotonic() < self._idle[1]:
            await self._rest(QUEUE_POLL_S)
            return
        most = 1 if self._alone else self._config.batch
        clicks = await self._clicks.due(most)
        if not clicks:
            self._idle = state, time.monotonic() + DEFERRED_POLL_S
            return
        self._idle = None
        # Looked at first, so that waiting does not count as calls that were turned away.
        if barrier := self._linktree.barrier("clicks"):
            await self._rest(min(max(0.005, barrier.until - time.time()), LONGEST_REST_S))
            return
        statuses: dict[str, int] = {}
        failure = None
        try:
            statuses = await self._send(clicks)
        except LinktreeError as error:
            if error.kind == "barred":
                return
            failure = error
            if error.status is not None and error.is_refusal and len(clicks) == 1:
                statuses[clicks[0].event_id] = error.status
        await self._settle(clicks, statuses, failure)
        await self._pause(clicks, failure)

    async def _send(self, clicks: list[Click]) -> dict[str, int]:
        """Makes one call for these clicks; returns their statuses by event id."""
        if len(clicks) == 1:
            [click] = clicks
            headers = {"idempotency-key": click.event_id}
            call = Call("click", "clicks", "/clicks", "POST", {}, headers, click.payload)
            return {click.event_id: (await self._linktree.attempt(call)).status}
        body = {"events": [click.payload for click in clicks]}
        call = Call("click_batch", "clicks", "/clicks/batch", "POST", body=body)
        results = (await self._linktree.attempt(call)).json().get("results")
        if not isinstance(results, list):
            raise LinktreeError("malformed")
        return {
            one["event_id"]: one["status"]
            for one in results
            if isinstance(one, dict)
            and isinstance(one.get("event_id"), str)
            and isinstance(one.get("status"), int)
        }

    async def _settle(
        self, clicks: list[Click], statuses: dict[str, int], failure: LinktreeError | None
    ) -> None:
        delivered: list[int] = []
        refused: dict[int, int] = {}
        deferred: dict[int, float] = {}
        for click in clicks:
            status = statuses.get(click.event_id)
            if status is not None and 200 <= status < 300:
                delivered.append(click.seq)
            elif status is not None and is_refusal(status):
                refused[click.seq] = status
                REFUSED.inc()
                log.warning("Linktree refused a click; it is kept", status=status)
            elif failure is None:
                # The call as a whole succeeded, but not for this click: it alone backs off.
                deferred[click.seq] = self._linktree.backoff(click.failures + 1)
        if delivered or refused or deferred:
            await self._clicks.settle(delivered, refused, deferred)

    async def _pause(self, clicks: list[Click], failure: LinktreeError | None) -> None:
        if failure and failure.is_refusal:
            # One bad click must not take the others with it.
            self._alone = len(clicks) if len(clicks) > 1 else max(0, self._alone - 1)
            return
        self._alone = max(0, self._alone - 1)
        if failure:
            self._failures += 1
            await self._rest(self._linktree.backoff(self._failures))
            return
        self._failures = 0
        # A full batch tells of a backlog, which is not made shorter by waiting for company.
        if len(clicks) < self._config.batch and not self._alone:
            await self._rest(self._pace())

    def _pace(self) -> float:
        """How long a click waits for company: longer once half of the reserved slots are used, so
        that a steady flow of clicks leaves the pages their share."""
        limits = self._config.limits
        if 2 * self._linktree.used("clicks") > limits.reserved_for_clicks:
            return max(self._config.coalesce, limits.window / limits.reserved_for_clicks)
        return self._config.coalesce

    async def _rest(self, seconds: float) -> bool:
        """Waits; whether it is time to stop."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True
