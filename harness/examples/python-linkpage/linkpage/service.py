"""Puts the parts of one worker together, starts them and stops them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from . import account, admission, clicks, shelf
from .account import Account
from .admission import Admission
from .clicks import Clicks
from .config import Config
from .courier import Courier
from .database import Database
from .linktree import Linktree
from .pages import Pages
from .shelf import Shelf
from .vault import Vault

# Lost in a power cut, at worst: it is worth no fsync for each request.
SHARED_SCHEMA = admission.SCHEMA + shelf.SCHEMA + account.SCHEMA


class Service:
    """What the routes need."""

    def __init__(self, config: Config, vault: Vault, state: Database, clicks: Clicks) -> None:
        self._admission = Admission(state, config.limits, probe_within=config.probe_within)
        self._shelf = Shelf(state, config.capacity)
        self.linktree = Linktree(config, self._admission, vault)
        self.pages = Pages(self.linktree, self._shelf, config, pilot=str(os.getpid()))
        self.clicks = clicks
        self.account = Account(state, self.linktree, vault, config.vault_refresh)
        self.courier = Courier(self.clicks, self.linktree, config, self._chores)

    @classmethod
    @asynccontextmanager
    async def running(cls, config: Config) -> AsyncIterator[Self]:
        async with AsyncExitStack() as stack:
            vault = Vault(config)
            stack.push_async_callback(vault.close)
            await vault.open()
            state = Database(config.shared_state, SHARED_SCHEMA, durable=False)
            stack.callback(state.close)
            queue = Database(config.click_queue, clicks.SCHEMA, durable=True)
            stack.callback(queue.close)
            reading = Database(config.click_queue, clicks.SCHEMA, durable=True)
            stack.callback(reading.close)
            service = cls(config, vault, state, Clicks(queue, reading))
            stack.push_async_callback(service.linktree.close)
            stack.push_async_callback(service.clicks.close)
            stack.push_async_callback(service.pages.close)
            courier = asyncio.create_task(service.courier.run())
            loops = [
                asyncio.create_task(vault.keep_fresh()),
                asyncio.create_task(service.account.keep_known()),
            ]
            try:
                yield service
            finally:
                for loop in loops:
                    loop.cancel()
                service.courier.stop()
                await asyncio.gather(*loops, courier, return_exceptions=True)

    def gauges(self) -> dict[str, tuple[str, float | None]]:
        """Help and value by name; None where nothing is known yet."""
        return {
            "linktree_rate_limit_used": (
                "Requests in the window of the limit",
                self._admission.used(),
            ),
            "linktree_circuit_state": ("0 closed, 1 half-open, 2 open", self._admission.circuit()),
            "linktree_click_queue_depth": ("Clicks that wait", self.clicks.depth()),
            "linktree_click_delivery_lag_seconds": ("Age of the oldest of them", self.clicks.lag()),
            "linktree_api_key_age_seconds": ("Age of the API key", self._key_age()),
        }

    def _key_age(self) -> float | None:
        created_at = self.account.key_created_at()
        return None if created_at is None else time.time() - created_at

    async def _chores(self) -> None:
        self._shelf.tidy()
        await self.clicks.tidy()
