"""Puts the parts of one worker together, starts them and stops them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from . import account, admission, outbox, shelf, webhooks
from .account import Account
from .admission import Admission
from .analytics import Analytics
from .campaigns import Changes
from .clicks import Clicks
from .config import Config
from .courier import Courier
from .database import Database
from .linktree import Linktree
from .outbox import Outbox
from .pages import Pages
from .registration import Registration
from .shelf import Shelf
from .vault import Vault
from .webhooks import Webhooks

# Lost in a power cut, at worst: it is worth no fsync for each request.
SHARED_SCHEMA = admission.SCHEMA + shelf.SCHEMA + account.SCHEMA + webhooks.SCHEMA


class Service:
    """What the routes need."""

    def __init__(
        self, config: Config, vault: Vault, state: Database, clicks: Outbox, changes: Outbox
    ) -> None:
        self._admission = Admission(state, config.limits, probe_within=config.probe_within)
        self._shelf = Shelf(state, config.capacity)
        self.linktree = Linktree(config, self._admission, vault)
        self.pages = Pages(self.linktree, self._shelf, config, pilot=str(os.getpid()))
        self.clicks = clicks
        self.changes = changes
        self.account = Account(state, self.linktree, vault, config.vault_refresh)
        self.analytics = Analytics(self.linktree, config)
        self.webhooks = Webhooks(config, vault, state, self._shelf)
        folder = config.data_dir
        self.couriers = [
            Courier(
                clicks,
                Clicks(self.linktree, config),
                self.linktree,
                folder / "clicks.lock",
                self._chores,
            ),
            Courier(
                changes,
                Changes(self.linktree),
                self.linktree,
                folder / "campaigns.lock",
                changes.tidy,
            ),
        ]

    @classmethod
    @asynccontextmanager
    async def running(cls, config: Config) -> AsyncIterator[Self]:
        async with AsyncExitStack() as stack:
            vault = Vault(config)
            stack.push_async_callback(vault.close)
            await vault.open()
            state = Database(config.shared_state, SHARED_SCHEMA, durable=False)
            stack.callback(state.close)
            boxes = []
            for path in (config.click_queue, config.campaign_queue):
                writing = Database(path, outbox.SCHEMA, durable=True)
                stack.callback(writing.close)
                reading = Database(path, outbox.SCHEMA, durable=True)
                stack.callback(reading.close)
                boxes.append(Outbox(writing, reading))
            service = cls(config, vault, state, *boxes)
            stack.push_async_callback(service.linktree.close)
            for box in boxes:
                stack.push_async_callback(box.close)
            stack.push_async_callback(service.pages.close)
            couriers = [asyncio.create_task(courier.run()) for courier in service.couriers]
            loops = [
                asyncio.create_task(vault.keep_fresh()),
                asyncio.create_task(service.account.keep_known()),
            ]
            if config.public_url:
                registration = Registration(config, service.linktree, vault)
                loops.append(asyncio.create_task(registration.keep()))
            try:
                yield service
            finally:
                for loop in loops:
                    loop.cancel()
                for courier in service.couriers:
                    courier.stop()
                await asyncio.gather(*loops, *couriers, return_exceptions=True)

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
            "linktree_campaign_queue_depth": ("Link changes that wait", self.changes.depth()),
            "linktree_api_key_age_seconds": ("Age of the API key", self._key_age()),
        }

    def _key_age(self) -> float | None:
        created_at = self.account.key_created_at()
        return None if created_at is None else time.time() - created_at

    async def _chores(self) -> None:
        self._shelf.tidy()
        self.webhooks.tidy()
        await self.clicks.tidy()
