"""What a visitor of a page gets: fresh pages at once, expired ones when asking fails or is slow.

Visitors of one page share one flight to Linktree, those of the other worker included; it goes on when
they leave.
"""

import asyncio
import random
import time
from dataclasses import dataclass

import structlog

from .admission import Barrier
from .config import Config
from .fill import fill_page, slots_of
from .linktree import Linktree, LinktreeError
from .shelf import Flight, Page, Shelf

# How often a worker looks whether the other one has brought the page.
POLL_S = 0.02
# Fills of a worker at once. When the limiter lets many go in the same moment, those who only look at a
# page that is there shall not wait until all have left.
MOST_FILLS = 8

log = structlog.get_logger()


@dataclass(frozen=True)
class Seen:
    """`result` is hit, miss or stale; without a page there is a failure, or no such creator."""

    result: str = "miss"
    page: Page | None = None
    cache_status: str = ""
    failure: LinktreeError | None = None
    is_missing: bool = False


class Pages:
    def __init__(
        self, linktree: Linktree, shelf: Shelf, config: Config, *, pilot: str
    ) -> None:
        """`pilot` tells this worker from the others."""
        self._linktree = linktree
        self._shelf = shelf
        self._config = config
        self._pilot = pilot
        self._flights: dict[str, asyncio.Task[Page]] = {}
        self._left_at: dict[str, float] = {}
        self._runway = asyncio.Semaphore(MOST_FILLS)

    async def read(self, handle: str) -> Seen:
        now = time.time()
        known, flown = self._shelf.glance(handle)
        if known and now < known.fresh_until:
            return _shown(known, "hit", "hit")
        usable = known if known and now < known.usable_until else None
        if failure := self._obstacle(handle, usable, flown, now):
            return _fall_back(usable, failure, f"hit; detail={_reason(failure)}")
        collapsed = "; collapsed" if handle in self._flights else ""
        flight = self._board(handle, known)
        wait = self._config.cold_wait
        if usable:
            # A flight that takes longer than this is worth no visitor's wait, whenever they came.
            wait = self._config.revalidation_wait - (now - self._left_at[handle])
        try:
            if wait <= 0:
                raise TimeoutError
            page = await asyncio.wait_for(asyncio.shield(flight), wait)
        except TimeoutError:
            failure = LinktreeError("timeout")
        except LinktreeError as error:
            failure = error
        else:
            how = "stale" if known else "miss"
            return _shown(page, "miss", f"fwd={how}; stored{collapsed}")
        if failure.kind == "barred":
            return _fall_back(usable, failure, f"hit; detail={_reason(failure)}")
        return _fall_back(usable, failure, f"fwd=stale{collapsed}; detail={_reason(failure)}")

    async def close(self) -> None:
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _obstacle(
        self, handle: str, usable: Page | None, flight: Flight | None, now: float
    ) -> LinktreeError | None:
        """The reason to answer from the shelf at once, if there is one."""
        is_due = flight is not None and now < flight.until
        if is_due and flight.failure and flight.status == 404:
            return LinktreeError("status", 404)
        is_flying = handle in self._flights or (is_due and not flight.failure)
        barrier = self._linktree.glance("pages", slots_of(usable))
        if barrier and not self._is_worth_a_wait(barrier, is_flying, usable, now):
            return LinktreeError("barred", barrier=barrier)
        if is_due and flight.failure and not is_flying:
            # Another flight now would be a retry without any backoff.
            return LinktreeError(flight.failure, flight.status)
        return None

    def _is_worth_a_wait(
        self, barrier: Barrier, is_flying: bool, usable: Page | None, now: float
    ) -> bool:
        """A slot that is soon free is, to a visitor who would get nothing otherwise."""
        if barrier.reason != "rate-limit":
            return False
        return is_flying or (usable is None and barrier.until <= now + self._config.limits.patience)

    def _board(self, handle: str, known: Page | None) -> asyncio.Task[Page]:
        """Joins the flight for this handle, or starts one."""
        flight = self._flights.get(handle)
        if flight is None:
            flight = asyncio.create_task(self._fly(handle, known))
            self._flights[handle] = flight
            self._left_at[handle] = time.time()
            flight.add_done_callback(lambda done: self._arrived(handle, done))
        return flight

    def _arrived(self, handle: str, flight: asyncio.Task[Page]) -> None:
        del self._flights[handle], self._left_at[handle]
        # Nobody may be left to hear of its failure.
        if not flight.cancelled():
            flight.exception()

    async def _fly(self, handle: str, known: Page | None) -> Page:
        async with self._runway:
            return await self._fill(handle, known)

    async def _fill(self, handle: str, known: Page | None) -> Page:
        attempts = self._config.attempts
        longest = 2 * attempts * self._config.timeout + self._config.cold_wait
        if not self._shelf.take_off(handle, self._pilot, longest):
            return await self._follow(handle, known)
        failure, rest = LinktreeError("connection"), 0.0
        try:
            page = await fill_page(self._linktree, handle, known, time.time())
            self._shelf.landed(handle, page)
            return page
        except LinktreeError as error:
            failure, rest = error, self._rest(error)
            raise
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            # It tripped over an answer of an absurd shape.
            log.warning("an answer could not be read", reason=type(error).__name__)
            failure, rest = LinktreeError("malformed"), self._rest(LinktreeError("malformed"))
            raise failure from error
        finally:
            flight = self._shelf.flight(handle)
            if flight and flight.pilot == self._pilot and not flight.failure:
                self._shelf.crashed(handle, self._pilot, failure.kind, failure.status, rest)

    def _rest(self, error: LinktreeError) -> float:
        if error.status == 404:
            return self._config.unknown_for
        if error.kind == "barred":
            return 0.0
        return self._config.backoff_base * random.uniform(0.5, 1)

    async def _follow(self, handle: str, known: Page | None) -> Page:
        """Waits for the page that the other worker brings."""
        while True:
            await asyncio.sleep(POLL_S)
            flight = self._shelf.flight(handle)
            if flight and flight.failure:
                barrier = self._linktree.barrier("pages") if flight.failure == "barred" else None
                raise LinktreeError(flight.failure, flight.status, barrier)
            page = self._shelf.page(handle)
            if page and (known is None or page.validated_at > known.validated_at):
                return page
            if flight is None or flight.until < time.time():
                raise LinktreeError("connection")


def _fall_back(usable: Page | None, failure: LinktreeError, cache_status: str) -> Seen:
    if failure.status == 404:
        return Seen(is_missing=True)
    if usable:
        return _shown(usable, "stale", cache_status)
    return Seen(failure=failure)


def _shown(page: Page, result: str, cache_status: str) -> Seen:
    first, *rest = cache_status.split("; ")
    ttl = f"ttl={int(page.fresh_until - time.time())}"
    return Seen(result, page, "; ".join(["linkpage", first, ttl, *rest]))


def _reason(failure: LinktreeError) -> str:
    return failure.barrier.reason if failure.barrier else failure.kind
