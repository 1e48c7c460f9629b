"""Reads the secrets from the vault (HashiCorp KV version 2) and notices when they are rotated.

While the vault is down or shows nothing that can be used, the last good secrets stay. There is no other
place to take a key from: a call with another environment's key is worse than no call.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field

import httpx
import structlog

from .config import Config
from .tls import TRUSTED

START_WITHIN_S = 10.0

log = structlog.get_logger()


class VaultError(Exception):
    """The vault has not answered in time."""


class UnusableKey(ValueError):
    """There is a key, but it is not for here. The message never shows it."""


@dataclass(frozen=True)
class Secrets:
    version: int
    api_key: str = field(repr=False)
    webhook_secret: str = field(default="", repr=False)


class Vault:
    def __init__(self, config: Config, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = f"{config.vault_url}/v1/{config.vault_path}"
        self._refresh = config.vault_refresh
        self._environment = config.environment
        headers = {"x-vault-token": config.vault_token, "accept": "application/json"}
        self._client = httpx.AsyncClient(
            headers=headers, timeout=3.0, trust_env=False, verify=TRUSTED, transport=transport
        )
        self._secrets: Secrets | None = None
        self._reading = asyncio.Lock()
        # When the last reading began.
        self._asked_at = float("-inf")
        self._rotated = asyncio.Event()

    @property
    def secrets(self) -> Secrets:
        assert self._secrets is not None, "open() has waited for them"
        return self._secrets

    async def open(self) -> None:
        """Waits until the vault has answered once, or raises VaultError."""
        deadline = time.monotonic() + START_WITHIN_S
        while not await self._read():
            if time.monotonic() > deadline:
                raise VaultError("failed to read the secrets: no vault")
            await asyncio.sleep(0.2)

    async def keep_fresh(self) -> None:
        """A key in its overlap is replaced before anybody refuses it. Never returns."""
        while True:
            await asyncio.sleep(self._refresh)
            async with self._reading:
                await self._read()

    async def renewed(self, version: int, since: float) -> bool:
        """Whether there are other secrets than those of `version`, after asking, unless the vault was
        asked at `since` (monotonic) or later: it would say the same."""
        if self.secrets.version == version:
            async with self._reading:
                if self.secrets.version == version and self._asked_at < since:
                    await self._read()
        return self.secrets.version != version

    async def rotation(self, version: int, within: float) -> None:
        """Waits for other secrets than those of `version`, but no longer than so many seconds."""
        deadline = time.monotonic() + within
        while self.secrets.version == version:
            try:
                await asyncio.wait_for(self._rotated.wait(), deadline - time.monotonic())
            except TimeoutError:
                return

    async def close(self) -> None:
        await self._client.aclose()

    async def _read(self) -> bool:
        self._asked_at = time.monotonic()
        try:
            answer = await self._client.get(self._url)
            answer.raise_for_status()
            self._take(answer.json()["data"])
        except UnusableKey as error:
            log.warning("the vault gave no secrets; the last good ones stay", reason=str(error))
            return False
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # The message may quote what was read, so only the kind of error is logged.
            reason = type(error).__name__
            log.warning("the vault gave no secrets; the last good ones stay", reason=reason)
            return False
        return True

    def _take(self, found: dict) -> None:
        data, version = found["data"], found["metadata"]["version"]
        api_key = data["api_key"]
        if not api_key or not isinstance(api_key, str):
            raise UnusableKey("there is no api_key")
        prefix = re.match(r"lt_(live|test)_", api_key)
        if prefix and prefix[1] != self._environment:
            raise UnusableKey(f"the api_key is for the {prefix[1]} environment")
        before = self._secrets
        self._secrets = Secrets(version, api_key, data.get("webhook_secret") or "")
        if before and before.version != version:
            log.info("secrets were rotated", version=version)
            self._rotated.set()
            self._rotated = asyncio.Event()
