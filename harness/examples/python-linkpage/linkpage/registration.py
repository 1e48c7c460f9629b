"""Has Linktree send its webhooks here: by one worker for all, from the start on."""

import asyncio

import ada_url
import structlog

from .config import Config
from .courier import Lock
from .linktree import Call, Linktree, LinktreeError
from .vault import Vault

EVENTS = ["link.clicked", "link.updated", "profile.updated"]
LOCK_POLL_S = 0.2

log = structlog.get_logger()


class Registration:
    def __init__(self, config: Config, linktree: Linktree, vault: Vault) -> None:
        self._config = config
        self._linktree = linktree
        self._vault = vault
        self._url = f"{config.public_url}/webhooks/linktree"

    async def keep(self) -> None:
        """Linktree may have ended it, after a 410 say, so it is looked at every so often, and after each
        rotation of the key. Never returns."""
        lock = Lock(self._config.data_dir / "registration.lock")
        try:
            while not lock.take():
                await asyncio.sleep(LOCK_POLL_S)
            failures = 0
            while True:
                version = self._vault.secrets.version
                pause = self._config.registration_check
                try:
                    await self._register()
                    failures = 0
                except LinktreeError as error:
                    log.warning("failed to register the webhooks", reason=str(error))
                    # A scope that is not granted now is not granted in a second.
                    if not error.is_refusal and error.status != 403:
                        failures += 1
                        pause = self._linktree.backoff(failures)
                await self._vault.rotation(version, pause)
        finally:
            lock.close()

    async def _register(self) -> None:
        known = (await self._linktree.attempt(Call("webhooks", "account", "/webhooks"))).json()
        if any(self._is_ours(one) for one in known.get("data") or []):
            return
        # Without a secret of its own it is signed with the account's, which the vault rotates.
        body = {"url": self._url, "events": EVENTS}
        await self._linktree.attempt(Call("webhooks", "account", "/webhooks", "POST", body=body))
        log.info("webhooks are registered")

    def _is_ours(self, one: object) -> bool:
        if not isinstance(one, dict) or one.get("active") is False:
            return False
        url, events = one.get("url"), one.get("events")
        if not isinstance(url, str) or not isinstance(events, list):
            return False
        same = ada_url.check_url(url) and ada_url.URL(url).href == ada_url.URL(self._url).href
        return same and set(EVENTS) <= set(map(str, events))
