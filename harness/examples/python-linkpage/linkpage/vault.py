"""Reads the secrets from the vault (HashiCorp KV version 2) and notices when they are rotated."""

import asyncio
import time
from dataclasses import dataclass, field

import httpx
import structlog

from .config import Config
from .tls import TRUSTED

START_WITHIN_S = 10.0
# A refused key must not become a storm on the vault.
LEAST_PAUSE_S = 1.0

log = structlog.get_logger()


class VaultError(Exception):
    """The vault has not answered in time."""


@dataclass(frozen=True)
class Secrets:
    version: int
    api_key: str = field(repr=False)


class Vault:
    def __init__(self, config: Config) -> None:
        self._url = f"{config.vault_url}/v1/{config.vault_path}"
        self._refresh = config.vault_refresh
        headers = {"x-vault-token": config.vault_token, "accept": "application/json"}
        self._client = httpx.AsyncClient(
            headers=headers, timeout=3.0, trust_env=False, verify=TRUSTED
        )
        self._secrets: Secrets | None = None
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")

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

    async def renewed(self, version: int) -> bool:
        """Whether there are other secrets than those of `version`, after asking if need be."""
        async with self._reading:
            may_ask = time.monotonic() - self._read_at >= LEAST_PAUSE_S
            if self.secrets.version == version and may_ask:
                await self._read()
        return self.secrets.version != version

    async def close(self) -> None:
        await self._client.aclose()

    async def _read(self) -> bool:
        try:
            answer = await self._client.get(self._url)
            answer.raise_for_status()
            data = answer.json()["data"]
            secrets = Secrets(data["metadata"]["version"], data["data"]["api_key"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # The message may quote what was read, so only the kind of error is logged.
            log.warning("the vault did not answer", reason=type(error).__name__)
            return False
        finally:
            self._read_at = time.monotonic()
        if self._secrets and self._secrets.version != secrets.version:
            log.info("secrets were rotated", version=secrets.version)
        self._secrets = secrets
        return True
