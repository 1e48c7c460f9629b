"""The client of Linktree: one attempt, and reads with retries.

Every attempt passes the admission right before it is sent. Whoever may not pass is told until when.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import structlog
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from .admission import Admission, Barred, Barrier, Permit
from .config import Config
from .metrics import DURATIONS, REQUESTS
from .retry_after import retry_after
from .tls import TRUSTED
from .vault import Vault

MAX_ANSWER_BYTES = 8 << 20
# Timers and clocks round: better a little late than too early.
RETRY_AFTER_MARGIN_S = 0.02
# They speak of the key, the time or the rate, not of what was sent.
_NO_REFUSALS = (401, 403, 408, 425, 429)

log = structlog.get_logger()


class LinktreeError(Exception):
    """Why there is no answer. `kind`: barred, timeout, connection, status or malformed."""

    def __init__(
        self,
        kind: str,
        status: int | None = None,
        barrier: Barrier | None = None,
        secrets_version: int | None = None,
        sent_at: float = 0.0,
    ) -> None:
        """`secrets_version` is what it was sent with, and `sent_at` when (monotonic)."""
        super().__init__(f"status {status}" if status else kind)
        self.kind = kind
        self.status = status
        self.barrier = barrier
        self.secrets_version = secrets_version
        self.sent_at = sent_at

    @property
    def is_outage(self) -> bool:
        """It speaks of a broken Linktree, so the breaker counts it."""
        return self.kind in ("timeout", "connection") or (self.status or 0) >= 500

    @property
    def is_transient(self) -> bool:
        """The same request may succeed later."""
        return self.is_outage or self.status == 429

    @property
    def is_auth(self) -> bool:
        """It speaks of the key, not of Linktree or of what was sent."""
        return self.status in (401, 403)

    @property
    def is_refusal(self) -> bool:
        """Linktree will never take this."""
        return is_refusal(self.status)


def is_refusal(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in _NO_REFUSALS


@dataclass(frozen=True)
class Call:
    """`route` is its name in the metrics; `path` comes after /v1; `timeout` is in seconds, where it is
    not the usual one."""

    route: str
    lane: str
    path: str
    method: str = "GET"
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    timeout: float | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> dict[str, Any]:
        """Raises LinktreeError where it is anything else than an object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise LinktreeError("malformed")
        return value


class Linktree:
    def __init__(
        self,
        config: Config,
        admission: Admission,
        vault: Vault,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._config = config
        self._admission = admission
        self._vault = vault
        self._renewals = 0
        self._key_settled = asyncio.Event()
        # The limiter bounds the connections; a queue in front of them would only hide it. One limit
        # from connecting to the last byte stands in _exchange: a limit on silence, as httpx has it,
        # never ends a trickle.
        self._client = httpx.AsyncClient(
            base_url=f"{config.linktree_url}/v1",
            headers={"accept": "application/json", "user-agent": "linkpage/1"},
            timeout=None,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            trust_env=False,
            verify=TRUSTED,
            transport=transport,
        )

    def barrier(self, lane: str) -> Barrier | None:
        return self._admission.barrier(lane)

    def glance(self, lane: str, slots: int) -> Barrier | None:
        return self._admission.glance(lane, slots)

    def used(self, lane: str) -> int:
        return self._admission.used(lane)

    def backoff(self, failures: int) -> float:
        """Full jitter, as the reads have it, after so many failures in a row; seconds."""
        ceiling = self._config.backoff_base * 2 ** min(failures - 1, 20)
        return random.uniform(0, min(ceiling, self._config.backoff_cap))

    async def read(self, call: Call, reserved: list[int] | None = None) -> Answer:
        """Reads, with retries. Ends early when the way is barred: the caller has a page to answer."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._config.attempts),
            wait=wait_random_exponential(
                multiplier=self._config.backoff_base, max=self._config.backoff_cap
            ),
            retry=retry_if_exception(
                lambda error: isinstance(error, LinktreeError) and error.is_transient
            ),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                slot = reserved.pop() if reserved else None
                if slot is None:
                    await self._slot_free(call.lane, 1)
                return await self.attempt(call, slot)
        raise AssertionError("reraise=True: the last attempt returns or raises")

    async def attempt(self, call: Call, reserved: int | None = None) -> Answer:
        """Sends one attempt at once, or raises LinktreeError; one more where the key was rotated."""
        # While a refused key is being replaced, nobody else need be refused with it.
        if self._renewals:
            await self._key_settled.wait()
        try:
            return await self._admitted(call, reserved)
        except LinktreeError as error:
            if error.status != 401 or not await self._renewed(error):
                raise
        return await self._admitted(call, None)

    async def key_changed(self, failure: LinktreeError) -> None:
        """Waits for another key than the one that was refused, though not for ever: somebody may have
        granted it what it lacks."""
        if failure.secrets_version is not None:
            await self._vault.rotation(failure.secrets_version, self._config.key_rest)

    async def _renewed(self, error: LinktreeError) -> bool:
        """Whether the vault has another key than the one that was refused; how often it is asked, the
        limiter bounds."""
        if error.secrets_version is None:
            return False
        self._renewals += 1
        self._key_settled.clear()
        try:
            return await self._vault.renewed(error.secrets_version, error.sent_at)
        finally:
            self._renewals -= 1
            if not self._renewals:
                self._key_settled.set()

    @asynccontextmanager
    async def reservation(self, slots: int) -> AsyncIterator[list[int]]:
        """Slots of the limiter for reads to come; waits a little for them, as a read does."""
        await self._slot_free("pages", slots)
        # A worker that dies over it keeps the slots no longer than its attempts could last.
        within = self._config.cold_wait + self._config.attempts * self._config.timeout
        try:
            taken = self._admission.set_aside("pages", slots, within)
        except Barred as barred:
            raise self._barred("profile", barred.barrier) from barred
        try:
            # Whoever uses a slot takes it out of the list, but may be barred before it is sent in.
            yield list(taken)
        finally:
            self._admission.give_back(taken)

    async def close(self) -> None:
        await self._client.aclose()

    async def _slot_free(self, lane: str, slots: int) -> None:
        """A slot is worth a short wait, but nothing else is; the admission says the last word."""
        deadline = time.time() + self._config.limits.patience
        while barrier := self._admission.barrier(lane, slots):
            if barrier.reason != "rate-limit" or barrier.until > deadline:
                return
            await asyncio.sleep(max(0.001, barrier.until - time.time()))

    async def _admitted(self, call: Call, reserved: int | None) -> Answer:
        try:
            within = 2 * call.timeout if call.timeout else None
            permit = self._admission.admit(call.lane, reserved, within)
        except Barred as barred:
            raise self._barred(call.route, barred.barrier) from barred
        started = time.monotonic()
        outcome = "connect"
        is_judged = False
        try:
            answer = await self._exchange(call)
            outcome = "ok"
            is_judged = True
            self._admission.succeeded(permit)
            return answer
        except LinktreeError as error:
            outcome = _outcome(error)
            is_judged = True
            self._judge(permit, error)
            log.info("an attempt failed", route=call.route, kind=error.kind, status=error.status)
            raise
        finally:
            if not is_judged:
                self._admission.abandoned(permit)
            REQUESTS.labels(call.route, outcome).inc()
            DURATIONS.labels(call.route).observe(time.monotonic() - started)

    def _judge(self, permit: Permit, error: LinktreeError) -> None:
        if not error.is_outage:
            self._admission.succeeded(permit)
        elif self._admission.failed(permit):
            log.warning("the breaker opened")

    def _barred(self, route: str, barrier: Barrier) -> LinktreeError:
        is_open = barrier.reason == "circuit-open"
        REQUESTS.labels(route, "circuit_open" if is_open else "rate_limited_locally").inc()
        return LinktreeError("barred", barrier=barrier)

    async def _exchange(self, call: Call) -> Answer:
        secrets, sent_at = self._vault.secrets, time.monotonic()
        headers = {"authorization": f"Bearer {secrets.api_key}", **call.headers}
        body = None
        if call.body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(call.body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            async with asyncio.timeout(call.timeout or self._config.timeout):
                request = self._client.build_request(
                    call.method, call.path, params=call.query or None, headers=headers, content=body
                )
                answer = await self._client.send(request, stream=True)
                try:
                    self._obey(answer)
                    received = bytearray()
                    async for part in answer.aiter_bytes():
                        received += part
                        if len(received) > MAX_ANSWER_BYTES:
                            raise LinktreeError("malformed")
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise LinktreeError("timeout") from error
        except httpx.HTTPError as error:
            raise LinktreeError("connection") from error
        if answer.is_success or answer.status_code == 304:
            return Answer(answer.status_code, answer.headers, bytes(received))
        raise LinktreeError(
            "status", answer.status_code, secrets_version=secrets.version, sent_at=sent_at
        )

    def _obey(self, answer: httpx.Response) -> None:
        """Holds every call back as soon as the head is there."""
        if answer.status_code < 300:
            return
        seconds = retry_after(answer.headers.get_list("retry-after"), time.time())
        if seconds > 0:
            self._admission.hold(seconds + RETRY_AFTER_MARGIN_S)


def _outcome(error: LinktreeError) -> str:
    match error.kind, error.status:
        case "timeout", _:
            return "timeout"
        case "status", 401 | 403:
            return "auth"
        case "status", 429:
            return "http_429"
        case "status", int(status):
            return "http_5xx" if status >= 500 else "http_4xx"
        case _:
            return "connect"
